"""Which conversations the bot has worked in, by month; created by migration 0015, with row-level security."""

from __future__ import annotations

import sqlalchemy as sa

from smarteros.store.columns import own_metadata

metadata = own_metadata()

conversation_months = sa.Table(
    "conversation_months",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    # A month of Chile's calendar: 2026-11.
    sa.Column("month", sa.Text, primary_key=True),
    sa.Column("conversation_id", sa.BigInteger, primary_key=True),
    # Turns in which the bot answered or handed over, and those it gave to a person because a limit was reached.
    sa.Column("turns", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("refused", sa.BigInteger, nullable=False, server_default=sa.text("0")),
)

TENANT_TABLES = (conversation_months,)
