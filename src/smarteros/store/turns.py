"""Conversations, turns and replies: what is remembered between turns, and the record of each."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert

from smarteros.domain.decisions import DialogueState
from smarteros.domain.messages import OutgoingReply
from smarteros.domain.model import Model
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


class Leadership(Model):
    """Who may speak in a conversation: the newest attempt to reply, unless a person leads (``muted_reason``)."""

    fence: int = 0
    fence_turn: str | None = None
    muted_reason: str | None = None


def take_fence(connection: sa.Connection, tenant_id: str, conversation_id: int, turn_id: str) -> int:
    """Begin an attempt to reply; the returned token makes those of all earlier attempts worthless."""
    values = {"fence": 1, "fence_turn": turn_id}
    later = {"fence": conversations.c.fence + 1, "fence_turn": turn_id}
    return connection.execute(
        _upsert(tenant_id, conversation_id, values, later).returning(conversations.c.fence)
    ).scalar_one()


def leadership(connection: sa.Connection, tenant_id: str, conversation_id: int, *, lock: bool = False) -> Leadership:
    """Read who may speak. With ``lock`` nobody can change it before the transaction ends."""
    columns = (conversations.c.fence, conversations.c.fence_turn, conversations.c.muted_reason)
    statement = sa.select(*columns).where(
        conversations.c.tenant_id == tenant_id, conversations.c.conversation_id == conversation_id
    )
    row = connection.execute(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        return Leadership()
    return Leadership(fence=row.fence, fence_turn=row.fence_turn, muted_reason=row.muted_reason)


def mute(connection: sa.Connection, tenant_id: str, conversation_id: int, reason: str, at: datetime) -> bool:
    """A person leads from now on. False when a later sign has been seen already: webhooks come in any order."""
    return _lead(connection, tenant_id, conversation_id, reason, at)


def unmute(connection: sa.Connection, tenant_id: str, conversation_id: int, at: datetime) -> bool:
    """The bot leads again; False as for ``mute``."""
    return _lead(connection, tenant_id, conversation_id, None, at)


def lift_mute(connection: sa.Connection, tenant_id: str, conversation_id: int, reason: str) -> bool:
    """End a mute that was found to be over; False when a person has given another reason in the meantime."""
    statement = (
        sa.update(conversations)
        .where(
            conversations.c.tenant_id == tenant_id,
            conversations.c.conversation_id == conversation_id,
            conversations.c.muted_reason == reason,
        )
        .values(muted_reason=None)
    )
    return connection.execute(statement.returning(conversations.c.conversation_id)).first() is not None


def _lead(connection: sa.Connection, tenant_id: str, conversation_id: int, reason: str | None, at: datetime) -> bool:
    values: dict[str, Any] = {"muted_reason": reason, "led_at": at}
    in_order = sa.or_(conversations.c.led_at.is_(None), conversations.c.led_at <= at)
    statement = _upsert(tenant_id, conversation_id, values, values, where=in_order)
    return connection.execute(statement.returning(conversations.c.conversation_id)).first() is not None


def _upsert(
    tenant_id: str,
    conversation_id: int,
    values: dict[str, Any],
    later: dict[str, Any],
    where: sa.ColumnElement[bool] | None = None,
) -> Insert:
    """The row may be the first sign of a conversation: nothing is remembered of it then."""
    empty: dict[str, Any] = {"state": {}, "history": []}
    statement = insert(conversations).values(tenant_id=tenant_id, conversation_id=conversation_id, **empty, **values)
    return statement.on_conflict_do_update(index_elements=["tenant_id", "conversation_id"], set_=later, where=where)


class IntendedReply(Model):
    """What is written of a turn's reply: since when it is intended, and its message in the channel."""

    before: bool
    channel_message_id: int | None = None


def intend_reply(connection: sa.Connection, tenant_id: str, turn_id: str, reply: OutgoingReply) -> IntendedReply:
    """Write down that a reply is about to be posted. Call it with the conversation locked and the token checked."""
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
    if connection.execute(statement).scalar_one_or_none() is not None:
        return IntendedReply(before=False)
    return IntendedReply(before=True, channel_message_id=posted_message(connection, tenant_id, reply.reply_id))


def reply_intended(connection: sa.Connection, tenant_id: str, reply_id: str) -> bool:
    """Tell whether an earlier attempt may have posted the reply."""
    statement = sa.select(replies.c.reply_id).where(replies.c.tenant_id == tenant_id, replies.c.reply_id == reply_id)
    return connection.execute(statement).first() is not None


def posted_message(connection: sa.Connection, tenant_id: str, reply_id: str) -> int | None:
    """Return the channel's message of a reply, or None while nobody has confirmed it."""
    statement = sa.select(replies.c.channel_message_id).where(
        replies.c.tenant_id == tenant_id, replies.c.reply_id == reply_id
    )
    return connection.execute(statement).scalar_one_or_none()


def confirm_reply(connection: sa.Connection, reply_id: str, channel_message_id: int, at: datetime) -> None:
    """Write down that the channel has the reply."""
    connection.execute(
        sa.update(replies)
        .where(replies.c.reply_id == reply_id)
        .values(channel_message_id=channel_message_id, posted_at=at)
    )


def fail_reply(
    connection: sa.Connection,
    tenant_id: str,
    conversation_id: int,
    *,
    reply_id: str | None,
    message_id: int | None,
    reason: str,
    at: datetime,
) -> bool:
    """Write down that the channel could not deliver one of our replies; False when it is none, or known already."""
    ours = sa.or_(
        replies.c.reply_id == reply_id if reply_id is not None else sa.false(),
        replies.c.channel_message_id == message_id if message_id is not None else sa.false(),
    )
    statement = (
        sa.update(replies)
        .where(
            replies.c.tenant_id == tenant_id,
            replies.c.conversation_id == conversation_id,
            replies.c.failed_at.is_(None),
            ours,
        )
        .values(failed_at=at, failed_reason=reason)
        .returning(replies.c.reply_id)
    )
    return connection.execute(statement).first() is not None


def failure_of(connection: sa.Connection, tenant_id: str, conversation_id: int) -> tuple[str, str] | None:
    """Return text and reason of the conversation's last reply that was not delivered."""
    row = connection.execute(
        sa.select(replies.c.text, replies.c.failed_reason)
        .where(
            replies.c.tenant_id == tenant_id,
            replies.c.conversation_id == conversation_id,
            replies.c.failed_at.is_not(None),
        )
        .order_by(replies.c.failed_at.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.text, row.failed_reason or "")


def reply_ages_s(connection: sa.Connection, tenant_id: str, conversation_id: int, within_s: float) -> tuple[float, ...]:
    """Return how many seconds ago each of the conversation's newest replies was made, youngest first."""
    age = sa.func.extract("epoch", sa.func.clock_timestamp() - replies.c.intended_at)
    rows = connection.execute(
        sa.select(age.label("age_s"))
        .where(
            replies.c.tenant_id == tenant_id,
            replies.c.conversation_id == conversation_id,
            replies.c.intended_at > sa.func.clock_timestamp() - timedelta(seconds=within_s),
        )
        .order_by(replies.c.intended_at.desc())
    )
    return tuple(float(row.age_s) for row in rows)


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


def turn_finished(connection: sa.Connection, tenant_id: str, turn_id: str) -> bool:
    """Tell whether the turn's record is written: some worker has ended it."""
    statement = sa.select(turns.c.turn_id).where(turns.c.tenant_id == tenant_id, turns.c.turn_id == turn_id)
    return connection.execute(statement).first() is not None


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
