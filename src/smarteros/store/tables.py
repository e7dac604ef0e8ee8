"""The tables of SmarterOS (schema ``smos``). The queue of turns is in ``queue``: only SQL touches it.

Every table with a ``tenant_id`` has row-level security: a connection sees the rows of the tenant its transaction was
opened for, and none otherwise (see ``database.Database``).
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from smarteros.store.columns import INSTANT

metadata = sa.MetaData(schema="smos")

tenants = sa.Table(
    "tenants",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("tenant_key", sa.Text, nullable=False, unique=True),
    sa.Column("settings", JSONB, nullable=False),
    sa.Column("v1_signature_seen", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("updated_at", INSTANT, nullable=False, server_default=sa.func.now()),
)

received_events = sa.Table(
    "received_events",
    metadata,
    sa.Column("event_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    # What makes an event the same event: instance, account, kind and message, never the delivery id alone.
    sa.Column("event_key", sa.Text, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("delivery_id", sa.Text),
    sa.Column("conversation_id", sa.BigInteger),
    sa.Column("message_id", sa.BigInteger),
    sa.Column("message", JSONB(none_as_null=True)),
    sa.Column("ignore_reason", sa.Text),
    sa.Column("turn_id", sa.Text),
    sa.Column("received_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.UniqueConstraint("tenant_id", "event_key", name="received_events_once"),
    sa.Index("received_events_by_conversation", "tenant_id", "conversation_id", "message_id"),
)

conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("conversation_id", sa.BigInteger, primary_key=True),
    sa.Column("state", JSONB, nullable=False),
    sa.Column("history", JSONB, nullable=False),
    sa.Column("updated_at", INSTANT, nullable=False, server_default=sa.func.now()),
    # Why a person leads the conversation (null: the bot does), and the channel's instant of the last such sign.
    sa.Column("muted_reason", sa.Text),
    sa.Column("led_at", INSTANT),
)

turns = sa.Table(
    "turns",
    metadata,
    sa.Column("turn_id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("conversation_id", sa.BigInteger, nullable=False),
    sa.Column("message_id", sa.BigInteger, nullable=False),
    sa.Column("flow_id", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("record", JSONB, nullable=False),
    sa.Column("received_at", INSTANT, nullable=False),
    sa.Column("finished_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.Index("turns_by_conversation", "tenant_id", "conversation_id", "message_id"),
)

replies = sa.Table(
    "replies",
    metadata,
    sa.Column("reply_id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("turn_id", sa.Text, nullable=False),
    sa.Column("conversation_id", sa.BigInteger, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("channel_message_id", sa.BigInteger),
    sa.Column("intended_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.Column("posted_at", INSTANT),
    # The channel took it and could not deliver it afterwards.
    sa.Column("failed_at", INSTANT),
    sa.Column("failed_reason", sa.Text),
    sa.Index("replies_by_conversation", "tenant_id", "conversation_id", "intended_at"),
)

audit_events = sa.Table(
    "audit_events",
    metadata,
    # Position in the tenant's own chain, from 1.
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, primary_key=True),
    sa.Column("event_id", sa.Text, nullable=False, unique=True),
    sa.Column("conversation_id", sa.BigInteger),
    sa.Column("event", JSONB, nullable=False),
    sa.Column("previous_hash", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("recorded_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.Index("audit_events_by_conversation", "tenant_id", "conversation_id"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("outbox_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("event", JSONB, nullable=False),
    sa.Column("enqueued_at", INSTANT, nullable=False, server_default=sa.func.now()),
    # Set when the bus will never take this event; a row that was delivered is removed.
    sa.Column("refused_reason", sa.Text),
)

kb_documents = sa.Table(
    "kb_documents",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("document", JSONB, nullable=False),
)

kb_revisions = sa.Table(
    "kb_revisions",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    # Counts imports: another process sees by it that its index is old.
    sa.Column("revision", sa.BigInteger, nullable=False),
)

tool_cache = sa.Table(
    "tool_cache",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("cache_key", sa.Text, primary_key=True),
    sa.Column("data", JSONB, nullable=False),
    sa.Column("seen_at", INSTANT, nullable=False),
)

TENANT_TABLES = (
    received_events,
    conversations,
    turns,
    replies,
    audit_events,
    outbox,
    kb_documents,
    kb_revisions,
    tool_cache,
)
