"""What health checks saw; created by migration 0018, with row-level security like all others."""

from __future__ import annotations

import sqlalchemy as sa

from smarteros.store.columns import INSTANT, own_metadata

metadata = own_metadata()

# One row for all probes in a row that had the same answer, not one for each. Our own services are nobody's ("-").
health_stretches = sa.Table(
    "health_stretches",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("service", sa.Text, primary_key=True),
    sa.Column("began_at", INSTANT, primary_key=True),
    sa.Column("last_at", INSTANT, nullable=False),
    sa.Column("up", sa.Boolean, nullable=False),
    sa.Column("probes", sa.BigInteger, nullable=False, server_default=sa.text("1")),
    # How long an answer holds when no other one comes.
    sa.Column("valid_s", sa.Float, nullable=False),
)

TENANT_TABLES = (health_stretches,)
