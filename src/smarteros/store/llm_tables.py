"""The tables of the brain with a language model; created by migration 0008, with row-level security like all others."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from smarteros.store.columns import INSTANT, own_metadata

metadata = own_metadata()

llm_spend = sa.Table(
    "llm_spend",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    # A month of Chile's calendar: 2026-11.
    sa.Column("month", sa.Text, primary_key=True),
    # Spent, and set aside for calls that run; millionths of a US dollar.
    sa.Column("micro_usd", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("tokens", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("calls", sa.BigInteger, nullable=False, server_default=sa.text("0")),
)

llm_calls = sa.Table(
    "llm_calls",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("conversation_id", sa.BigInteger, primary_key=True),
    sa.Column("message_id", sa.BigInteger, primary_key=True),
    sa.Column("request_hash", sa.Text, primary_key=True),
    sa.Column("call", JSONB, nullable=False),
    sa.Column("called_at", INSTANT, nullable=False),
    sa.Index("llm_calls_by_time", "tenant_id", "called_at"),
)

TENANT_TABLES = (llm_spend, llm_calls)
