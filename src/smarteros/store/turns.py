"""Conversations, turns and replies: what is remembered between turns, and the record of each."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from smarteros.domain.decisions import DialogueState
from smarteros.domain.messages import OutgoingReply
from smarteros.domain.turns import TurnRecord
from smarteros.store.tables import conversations, replies, turns

HISTORY_LENGTH = 10


def load_dialogue(
    connection: sa.Connection, tenant_id: str, conversation_id: int
) -> tuple[DialogueState, tuple[str, ...]]:
    """Return what is remembered of a conversation: its state and the customer's last messages, oldest first."""
    row = connection.execute(
        sa.select(conversations.c.state, conversations.c.history).where(
            conversations.c.tenant_id == tenant_id, conversations.c.conversation_id == conversation_id
        )
    ).one_or_none()
    if row is None:
        return DialogueState(), ()
    return DialogueState.model_validate(row.state), tuple(row.history)


def save_dialogue(
    connection: sa.Connection,
    tenant_id: str,
    conversation_id: int,
    state: DialogueState,
    history: tuple[str, ...],
) -> None:
    """Remember the state of a conversation after a turn."""
    values = {"state": state.model_dump(mode="json"), "history": list(history[-HISTORY_LENGTH:])}
    statement = insert(conversations).values(tenant_id=tenant_id, conversation_id=conversation_id, **values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "conversation_id"], set_={**values, "updated_at": sa.func.now()}
        )
    )


def intend_reply(connection: sa.Connection, tenant_id: str, turn_id: str, reply: OutgoingReply) -> bool:
    """Write down that a reply is about to be posted; True when it had been written down before."""
    statement = (
        insert(replies)
        .values(
            reply_id=reply.reply_id,
            tenant_id=tenant_id,
            turn_id=turn_id,
            conversation_id=reply.conversation_id,
            text=reply.text,
        )
        .on_conflict_do_nothing()
        .returning(replies.c.reply_id)
    )
    return connection.execute(statement).scalar_one_or_none() is None


def confirm_reply(connection: sa.Connection, reply_id: str, channel_message_id: int, at: datetime) -> None:
    """Write down that the channel has the reply."""
    connection.execute(
        sa.update(replies)
        .where(replies.c.reply_id == reply_id)
        .values(channel_message_id=channel_message_id, posted_at=at)
    )


def save_turn(connection: sa.Connection, record: TurnRecord) -> None:
    """Write the record of a finished turn; writing it again changes nothing."""
    connection.execute(
        insert(turns)
        .values(
            turn_id=record.turn_id,
            tenant_id=record.tenant_id,
            conversation_id=record.conversation_id,
            message_id=record.message_id,
            flow_id=record.flow_id,
            outcome=record.outcome,
            record=record.model_dump(mode="json"),
            received_at=record.received_at,
        )
        .on_conflict_do_nothing()
    )


def list_turns(
    connection: sa.Connection, tenant_id: str, conversation_id: int | None, limit: int
) -> tuple[TurnRecord, ...]:
    """Return the newest turns of a tenant (or of one conversation), oldest first."""
    statement = sa.select(turns.c.record).where(turns.c.tenant_id == tenant_id)
    if conversation_id is not None:
        statement = statement.where(turns.c.conversation_id == conversation_id)
    statement = statement.order_by(turns.c.finished_at.desc(), turns.c.turn_id.desc()).limit(limit)
    rows = connection.execute(statement).all()
    return tuple(TurnRecord.model_validate(row.record) for row in reversed(rows))
