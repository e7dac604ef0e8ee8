"""Alerts, silences, and when the alerts were last looked at; created by migration 0017, with row-level security.

Those of the installation are kept under the scope ``-`` (see ``database.NO_TENANT``).
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from smarteros.store.columns import INSTANT, own_metadata

metadata = own_metadata()

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("alert_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("signal", sa.Text, nullable=False),
    sa.Column("flow_id", sa.Text),
    sa.Column("subject", sa.Text),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("notify", JSONB, nullable=False),
    sa.Column("value", sa.Float),
    sa.Column("threshold", sa.Float),
    sa.Column("moment", sa.Boolean, nullable=False),
    sa.Column("started_at", INSTANT, nullable=False),
    sa.Column("resolved_at", INSTANT),
    # Who was told what, by sink.
    sa.Column("told", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
    # Over, and everybody was told so.
    sa.Column("closed_at", INSTANT),
    sa.Index("alerts_open_once", "tenant_id", "key", unique=True, postgresql_where=sa.text("closed_at IS NULL")),
    sa.Index("alerts_by_start", "tenant_id", "started_at"),
)

alert_silences = sa.Table(
    "alert_silences",
    metadata,
    sa.Column("silence_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    # Null: all alerts.
    sa.Column("name", sa.Text),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", INSTANT, nullable=False),
    sa.Column("until_at", INSTANT, nullable=False),
)

TENANT_TABLES = (alerts, alert_silences)

alert_rounds = sa.Table(
    "alert_rounds",
    metadata,
    # One row.
    sa.Column("evaluator", sa.Text, primary_key=True),
    sa.Column("ended_at", INSTANT, nullable=False),
)

INSTALLATION_TABLES = (alert_rounds,)
