"""Table of the questions that were not answered."""

from __future__ import annotations

import sqlalchemy as sa

from smarteros.store.columns import INSTANT, own_metadata

metadata = own_metadata()

kb_gaps = sa.Table(
    "kb_gaps",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("pattern", sa.Text, primary_key=True),
    sa.Column("example", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("intent", sa.Text, nullable=False),
    sa.Column("confidence", sa.Double, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("times", sa.Integer, nullable=False, server_default="1"),
    sa.Column("first_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.Column("last_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.Index("kb_gaps_by_last_at", "tenant_id", "last_at"),
)

TENANT_TABLES = (kb_gaps,)
