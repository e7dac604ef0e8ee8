"""Conversations, turns and replies: what is remembered between turns, and the record of each."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert

from smarteros.domain.decisions import DialogueState
from smarteros.domain.ids import reply_id as reply_id_of
from smarteros.domain.messages import OutgoingReply
from smarteros.domain.model import Model
from smarteros.domain.turns import TurnRecord
from smarteros.store.statements import run
from smarteros.store.tables import conversations, replies, turns
from smarteros.store.usage import COUNT_TURN, CountedTurn

HISTORY_LENGTH = 10


class Remembered(Model):
    """What is known of a conversation between turns.

    ``history`` are the customer's last messages, oldest first. A person leads when there is a ``muted_reason``.
    """

    state: DialogueState = DialogueState()
    history: tuple[str, ...] = ()
    muted_reason: str | None = None


_REMEMBERED = (
    "SELECT state, history, muted_reason FROM smos.conversations"
    " WHERE tenant_id = %(tenant_id)s AND conversation_id = %(conversation_id)s"
)
_LEADER = (
    "SELECT muted_reason, EXISTS (SELECT FROM smos.replies WHERE reply_id = %(reply_id)s) AS intended"
    " FROM smos.conversations WHERE tenant_id = %(tenant_id)s AND conversation_id = %(conversation_id)s FOR UPDATE"
)


def remembered(connection: sa.Connection, tenant_id: str, conversation_id: int) -> Remembered:
    """Return what is remembered of a conversation; of a new one that is nothing."""
    row = run(connection, _REMEMBERED, _conversation(tenant_id, conversation_id)).fetchone()
    if row is None:
        return Remembered()
    return Remembered(
        state=DialogueState.model_validate(row.state), history=tuple(row.history), muted_reason=row.muted_reason
    )


_SAVE_DIALOGUE = """
INSERT INTO smos.conversations (tenant_id, conversation_id, state, history)
VALUES (%(tenant_id)s, %(conversation_id)s, CAST(%(state)s AS jsonb), CAST(%(history)s AS jsonb))
ON CONFLICT (tenant_id, conversation_id)
DO UPDATE SET state = excluded.state, history = excluded.history, updated_at = now()
"""


def save_dialogue(
    connection: sa.Connection,
    tenant_id: str,
    conversation_id: int,
    state: DialogueState,
    history: tuple[str, ...],
    counted: CountedTurn | None = None,
) -> None:
    """Remember the state of a conversation after a turn, and count the turn in its month when it is to be counted."""
    values = _conversation(tenant_id, conversation_id)
    values |= {"state": state.model_dump_json(), "history": json.dumps(history[-HISTORY_LENGTH:])}
    if counted is None:
        run(connection, _SAVE_DIALOGUE, values)
    else:
        run(connection, f"WITH {COUNT_TURN} {_SAVE_DIALOGUE}", values | counted.model_dump())


def muted_reason(connection: sa.Connection, tenant_id: str, conversation_id: int) -> str | None:
    """Return why a person leads the conversation, or None while the bot does."""
    return remembered(connection, tenant_id, conversation_id).muted_reason


def lock_conversation(
    connection: sa.Connection, tenant_id: str, conversation_id: int, reply_id: str
) -> tuple[str | None, bool]:
    """Return ``muted_reason``, which nobody can change before the transaction ends, and whether a reply is intended.

    An intended reply may have been posted by an earlier attempt.
    """
    own = _conversation(tenant_id, conversation_id) | {"reply_id": reply_id}
    row = run(connection, _LEADER, own).fetchone()
    if row is None:  # its first turn: there must be a row to lock
        run(connection, _FIRST_SIGN, own)
        return lock_conversation(connection, tenant_id, conversation_id, reply_id)
    return row.muted_reason, row.intended


_FIRST_SIGN = (
    "INSERT INTO smos.conversations (tenant_id, conversation_id, state, history)"
    " VALUES (%(tenant_id)s, %(conversation_id)s, '{}', '[]') ON CONFLICT DO NOTHING"
)


def _conversation(tenant_id: str, conversation_id: int) -> dict[str, Any]:
    return {"tenant_id": tenant_id, "conversation_id": conversation_id}


def mute(connection: sa.Connection, tenant_id: str, conversation_id: int, reason: str, at: datetime) -> bool:
    """A person leads from now on. False when a later sign has been seen already: webhooks come in any order."""
    return _lead(connection, tenant_id, conversation_id, reason, at)


def unmute(connection: sa.Connection, tenant_id: str, conversation_id: int, at: datetime) -> bool:
    """The bot leads again; False as for ``mute``."""
    return _lead(connection, tenant_id, conversation_id, None, at)


def lift_mute(connection: sa.Connection, tenant_id: str, conversation_id: int, reason: str) -> str | None:
    """End a mute that was found to be over; returns why a person leads now, if another has given a sign meanwhile.

    None too when the channel has given the conversation back in the same moment.
    """
    statement = (
        sa.update(conversations)
        .where(
            conversations.c.tenant_id == tenant_id,
            conversations.c.conversation_id == conversation_id,
            conversations.c.muted_reason == reason,
        )
        .values(muted_reason=None)
    )
    connection.execute(statement)
    return muted_reason(connection, tenant_id, conversation_id)


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


_INTEND = (
    "INSERT INTO smos.replies (reply_id, tenant_id, turn_id, conversation_id, text)"
    " VALUES (%(reply_id)s, %(tenant_id)s, %(turn_id)s, %(conversation_id)s, %(text)s)"
    " ON CONFLICT DO NOTHING RETURNING 1"
)
_INTEND_AGAIN = """
UPDATE smos.replies r SET text = %(text)s FROM (SELECT text FROM smos.replies WHERE reply_id = %(reply_id)s) AS before
 WHERE r.reply_id = %(reply_id)s RETURNING before.text
"""


def intend_reply(connection: sa.Connection, tenant_id: str, turn_id: str, reply: OutgoingReply) -> str | None:
    """Write down that a reply is about to be posted. Call it with the conversation locked and the claim checked.

    Returns the text of an earlier attempt, which may have been posted, or None when this is the first. It is empty when
    that attempt's text is not known (``doubt_waiting``).
    """
    values = {"tenant_id": tenant_id, "turn_id": turn_id, "conversation_id": reply.conversation_id}
    values |= {"reply_id": reply.reply_id, "text": reply.text}
    if run(connection, _INTEND, values).fetchone() is not None:
        return None
    row = run(connection, _INTEND_AGAIN, values).fetchone()
    return None if row is None else str(row.text)


_DOUBT = """
INSERT INTO smos.replies (reply_id, tenant_id, turn_id, conversation_id, text)
SELECT ids.reply_id, w.tenant_id, w.turn_id, w.conversation_id, ''
  FROM smos.waiting_turns w JOIN unnest(%(turn_ids)s::text[], %(reply_ids)s::text[]) AS ids(turn_id, reply_id)
    ON ids.turn_id = w.turn_id
ON CONFLICT DO NOTHING
"""


def doubt_waiting(owner: sa.Connection) -> int:
    """Let every waiting turn ask the channel for its reply before it posts one; returns how many turns wait.

    For a database that was set back: the turns may have been answered since. Needs a connection of the owner.
    """
    turn_ids = list(owner.execute(sa.text("SELECT turn_id FROM smos.waiting_turns")).scalars())
    run(owner, _DOUBT, {"turn_ids": turn_ids, "reply_ids": [reply_id_of(turn_id) for turn_id in turn_ids]})
    return len(turn_ids)


_CONFIRM = (
    "UPDATE smos.replies SET channel_message_id = %(message_id)s, posted_at = %(at)s WHERE reply_id = %(reply_id)s"
)


def confirm_reply(connection: sa.Connection, reply_id: str, channel_message_id: int, at: datetime) -> None:
    """Write down that the channel has the reply."""
    run(connection, _CONFIRM, {"reply_id": reply_id, "message_id": channel_message_id, "at": at})


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


_REPLY_AGES = (
    "SELECT extract(epoch FROM clock_timestamp() - intended_at)::float8 AS age_s FROM smos.replies"
    " WHERE tenant_id = %(tenant_id)s AND conversation_id = %(conversation_id)s"
    " AND intended_at > clock_timestamp() - make_interval(secs => %(within_s)s) ORDER BY intended_at DESC"
)


def reply_ages_s(connection: sa.Connection, tenant_id: str, conversation_id: int, within_s: float) -> tuple[float, ...]:
    """Return how many seconds ago each of the conversation's newest replies was made, youngest first."""
    rows = run(connection, _REPLY_AGES, _conversation(tenant_id, conversation_id) | {"within_s": within_s})
    return tuple(row.age_s for row in rows)


_SAVE_TURN = """
INSERT INTO smos.turns (turn_id, tenant_id, conversation_id, message_id, flow_id, outcome, record, received_at)
VALUES (%(turn_id)s, %(tenant_id)s, %(conversation_id)s, %(message_id)s, %(flow_id)s, %(outcome)s,
        CAST(%(record)s AS jsonb), %(received_at)s)
ON CONFLICT DO NOTHING
"""


def save_turn(connection: sa.Connection, record: TurnRecord) -> None:
    """Write the record of a finished turn; writing it again changes nothing."""
    names = {"turn_id", "tenant_id", "conversation_id", "message_id", "flow_id", "outcome", "received_at"}
    run(connection, _SAVE_TURN, record.model_dump(include=names) | {"record": record.model_dump_json()})


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
