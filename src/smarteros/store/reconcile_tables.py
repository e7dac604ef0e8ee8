"""The tables of ``reconcile`` and ``replay``; created by migration 0003, with row-level security like all others."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from smarteros.store.columns import INSTANT, own_metadata

metadata = own_metadata()

reconcile_cursors = sa.Table(
    "reconcile_cursors",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("account_id", sa.BigInteger, primary_key=True),
    # Everything the channel changed before this instant has been looked at.
    sa.Column("checked_at", INSTANT, nullable=False),
    # The newest change the last look saw, by the channel's clock; NULL when it saw none. Added by migration 0011.
    sa.Column("seen_until", INSTANT),
)

reconciled_conversations = sa.Table(
    "reconciled_conversations",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("account_id", sa.BigInteger, primary_key=True),
    sa.Column("conversation_id", sa.BigInteger, primary_key=True),
    # No message up to this one is missing.
    sa.Column("checked_message_id", sa.BigInteger, nullable=False),
)

turn_inputs = sa.Table(
    "turn_inputs",
    metadata,
    sa.Column("turn_id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("inputs", JSONB, nullable=False),
    # Of the knowledge base when the turn ended: its policy figures, one object per document in their order, and its
    # revision, because another one may answer otherwise.
    sa.Column("kb_facts", JSONB, nullable=False),
    sa.Column("kb_revision", sa.BigInteger, nullable=False),
    sa.Column("recorded_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.Index("turn_inputs_by_time", "tenant_id", "recorded_at"),
)

TENANT_TABLES = (reconcile_cursors, reconciled_conversations, turn_inputs)
