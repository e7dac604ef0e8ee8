"""Webhooks of tenants that move; created by migration 0022, with row-level security."""

from __future__ import annotations

import sqlalchemy as sa

from smarteros.store.columns import INSTANT, own_metadata

metadata = own_metadata()

kept_webhooks = sa.Table(
    "kept_webhooks",
    metadata,
    sa.Column("kept_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    # What was signed, without numbers of payment cards.
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("delivery_id", sa.Text),
    sa.Column("kept_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.Index("kept_webhooks_by_tenant", "tenant_id", "kept_id"),
)

TENANT_TABLES = (kept_webhooks,)
