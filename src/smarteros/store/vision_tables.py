"""Images Cloud Vision has read, by tenant and month; created by migration 0012, with row-level security."""

from __future__ import annotations

import sqlalchemy as sa

from smarteros.store.columns import own_metadata

metadata = own_metadata()

vision_months = sa.Table(
    "vision_months",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    # A month of Chile's calendar: 2026-11.
    sa.Column("month", sa.Text, primary_key=True),
    # Read, and being read.
    sa.Column("images", sa.BigInteger, nullable=False, server_default=sa.text("0")),
)

TENANT_TABLES = (vision_months,)
