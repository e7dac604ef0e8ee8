"""Tables of the knowledge base's upkeep; created by migration 0019, with row-level security like all others."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from smarteros.store.columns import INSTANT, own_metadata

metadata = own_metadata()

kb_sources = sa.Table(
    "kb_sources",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    # What it is, and how it stood when it was last read (``domain.upkeep.Source``).
    sa.Column("source", JSONB, nullable=False),
)

kb_waiting = sa.Table(
    "kb_waiting",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    # Who made the change: a source's name, or an import. A newer change of the same origin takes its place.
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("change", JSONB, nullable=False),
    sa.Column("report", JSONB, nullable=False),
    sa.Column("made_at", INSTANT, nullable=False),
)

kb_questions = sa.Table(
    "kb_questions",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("question", sa.Text, primary_key=True),
    # What its passage must be (``knowledge.evaluation.Expected``).
    sa.Column("expected", JSONB, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
)

kb_reports = sa.Table(
    "kb_reports",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    # Until when the shop's owner has been told which questions had no answer.
    sa.Column("reported_at", INSTANT, nullable=False),
)

TENANT_TABLES = (kb_sources, kb_waiting, kb_questions, kb_reports)
