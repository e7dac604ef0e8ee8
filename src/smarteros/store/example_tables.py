"""The tables of the tenants' own examples. Like all tenant tables they have row-level security."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from smarteros.store.columns import INSTANT, own_metadata

metadata = own_metadata()

agent_models = sa.Table(
    "agent_models",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    # Counts the tenant's versions from 1; a version is never changed.
    sa.Column("version", sa.BigInteger, primary_key=True),
    sa.Column("examples", JSONB, nullable=False),
    sa.Column("report", JSONB, nullable=False),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", INSTANT, nullable=False, server_default=sa.func.now()),
)

agent_active_models = sa.Table(
    "agent_active_models",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    # Counts changes of the active version: another process sees by it that its model is old.
    sa.Column("revision", sa.BigInteger, nullable=False),
)

TENANT_TABLES = (agent_models, agent_active_models)
