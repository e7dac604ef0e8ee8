"""What health checks saw; created by migration 0018, with row-level security like all others."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TIMESTAMP

# Metadata of its own: the first migration creates everything it finds in that of ``tables``.
metadata = sa.MetaData(schema="smos")
_instant = TIMESTAMP(timezone=True)

# One row for all probes in a row that had the same answer, not one for each. Our own services are nobody's ("-").
health_stretches = sa.Table(
    "health_stretches",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("service", sa.Text, primary_key=True),
    sa.Column("began_at", _instant, primary_key=True),
    sa.Column("last_at", _instant, nullable=False),
    sa.Column("up", sa.Boolean, nullable=False),
    sa.Column("probes", sa.BigInteger, nullable=False, server_default=sa.text("1")),
    # How long an answer holds when no other one comes.
    sa.Column("valid_s", sa.Float, nullable=False),
)

TENANT_TABLES = (health_stretches,)
