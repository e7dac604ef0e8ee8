"""Received events: stored once, then worked on."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from smarteros.domain.messages import Contact, IncomingMessage
from smarteros.domain.model import Model
from smarteros.store.statements import run
from smarteros.store.tables import received_events


class ReceivedEvent(Model):
    """One webhook event that was believed. ``message`` is set when a customer's message must be answered."""

    tenant_id: str
    event_key: str
    event: str
    delivery_id: str | None
    conversation_id: int | None
    message_id: int | None
    message: IncomingMessage | None
    ignore_reason: str | None


_STORE = """
INSERT INTO smos.received_events
  (tenant_id, event_key, event, delivery_id, conversation_id, message_id, message, ignore_reason)
VALUES (%(tenant_id)s, %(event_key)s, %(event)s, %(delivery_id)s, %(conversation_id)s, %(message_id)s,
        CAST(%(message)s AS jsonb), %(ignore_reason)s)
ON CONFLICT ON CONSTRAINT received_events_once DO NOTHING RETURNING event_id
"""


def store_event(connection: sa.Connection, event: ReceivedEvent) -> int | None:
    """Store an event; returns its id, or None when the same event was stored before."""
    row = run(connection, _STORE, event_values(event)).fetchone()
    return None if row is None else int(row.event_id)


def event_values(event: ReceivedEvent) -> dict[str, Any]:
    """Return the event's columns; the message is JSON text."""
    message = None if event.message is None else event.message.model_dump_json()
    return event.model_dump(exclude={"message"}) | {"message": message}


_BEFORE_A_PERSON = (
    "SELECT 1 FROM smos.received_events WHERE tenant_id = %(tenant_id)s AND conversation_id = %(conversation_id)s"
    " AND message_id < %(message_id)s AND message ->> 'after_person' = 'false' LIMIT 1"
)


def knew_it_before_a_person(connection: sa.Connection, event: ReceivedEvent) -> bool:
    """Tell whether an earlier message of the conversation is from before its first reply by a person."""
    own = event.model_dump(include={"tenant_id", "conversation_id", "message_id"})
    return run(connection, _BEFORE_A_PERSON, own).fetchone() is not None


class BurstMessage(Model):
    """A message the turn holds, or could take because no turn has answered it yet; received ``age_s`` seconds ago.

    ``blocked`` says that its sender is one the bot does not write to, ``answered`` that a person has replied since.
    """

    message: IncomingMessage
    age_s: float
    held: bool
    blocked: bool = False
    answered: bool = False


# The event of a deletion counts even when it came before the message.
_BURST = """
    SELECT e.message, e.turn_id IS NOT NULL AS held,
           extract(epoch FROM clock_timestamp() - e.received_at)::float8 AS age_s,
           EXISTS (
             SELECT FROM smos.contacts c
              WHERE c.tenant_id = e.tenant_id AND c.blocked_at IS NOT NULL
                AND c.contact = concat(e.message ->> 'account_id', ':', e.message #>> '{contact,id}')) AS blocked,
           EXISTS (
             SELECT FROM smos.received_events h
              WHERE h.tenant_id = e.tenant_id AND h.conversation_id = e.conversation_id
                AND h.message_id > e.message_id
                AND h.ignore_reason IN ('human_reply', 'whatsapp_app_echo')) AS answered
      FROM smos.received_events e
     WHERE e.tenant_id = %(tenant_id)s AND e.conversation_id = %(conversation_id)s AND e.message IS NOT NULL
       AND (e.turn_id IS NULL OR e.turn_id = %(turn_id)s)
       AND NOT EXISTS (
         SELECT FROM smos.received_events d
          WHERE d.tenant_id = e.tenant_id AND d.conversation_id = e.conversation_id AND d.message_id = e.message_id
            AND d.ignore_reason = 'deleted')
     ORDER BY e.message_id
    """
_CLAIM = (
    "UPDATE smos.received_events SET turn_id = %(turn_id)s WHERE tenant_id = %(tenant_id)s"
    " AND conversation_id = %(conversation_id)s AND turn_id IS NULL AND message_id = ANY(%(messages)s)"
    " AND message IS NOT NULL"
)


def burst(connection: sa.Connection, tenant_id: str, conversation_id: int, turn_id: str) -> tuple[BurstMessage, ...]:
    """Return the messages the turn holds or could take now, in order and as they are now, without taking them.

    Edited ones come in their new words, deleted ones are left out.
    """
    values = {"tenant_id": tenant_id, "conversation_id": conversation_id, "turn_id": turn_id}
    return tuple(
        BurstMessage(
            message=IncomingMessage.model_validate(row.message),
            age_s=max(0.0, row.age_s),
            held=row.held,
            blocked=row.blocked,
            answered=row.answered,
        )
        for row in run(connection, _BURST, values)
    )


def claim_burst(
    connection: sa.Connection, tenant_id: str, turn_id: str, found: tuple[BurstMessage, ...]
) -> tuple[IncomingMessage, ...]:
    """Give the turn the messages that ``burst`` has found in the same transaction, in order.

    The result is empty when an earlier turn has answered them all, or the customer has deleted them.
    What a turn holds stays with it; when it is begun anew (after a crash), what has come meanwhile is taken too.
    """
    messages = tuple(entry.message for entry in found)
    if all(entry.held for entry in found):
        return messages
    values = {
        "tenant_id": tenant_id,
        "conversation_id": messages[0].conversation_id,
        "turn_id": turn_id,
        "messages": [message.id for message in messages],
    }
    run(connection, _CLAIM, values)
    return messages


def release_messages(connection: sa.Connection, tenant_id: str, turn_id: str) -> None:
    """Give a turn's messages back, so that the next turn answers them together with the newer one."""
    events = received_events
    connection.execute(
        sa.update(events).where(events.c.tenant_id == tenant_id, events.c.turn_id == turn_id).values(turn_id=None)
    )


def message_deleted(connection: sa.Connection, tenant_id: str, conversation_id: int, message_id: int) -> bool:
    """Tell whether the customer has taken a message back."""
    events = received_events
    statement = sa.select(events.c.event_id).where(
        events.c.tenant_id == tenant_id,
        events.c.conversation_id == conversation_id,
        events.c.message_id == message_id,
        events.c.ignore_reason == "deleted",
    )
    return connection.execute(statement.limit(1)).first() is not None


def later_one_taken(connection: sa.Connection, message: IncomingMessage, turn_id: str) -> bool:
    """Tell whether another turn than ``turn_id`` has taken a message that the customer wrote after this one."""
    events = received_events
    statement = sa.select(events.c.event_id).where(
        _messages(message.tenant_id, message.conversation_id),
        events.c.message_id > message.id,
        events.c.turn_id.is_not(None),
        events.c.turn_id != turn_id,
    )
    return connection.execute(statement.limit(1)).first() is not None


def edit_message(connection: sa.Connection, tenant_id: str, conversation_id: int, message_id: int, text: str) -> None:
    """Give a received message its new words; a turn that has not replied notices it at the fence."""
    events = received_events
    words = sa.func.jsonb_build_object("text", sa.cast(text, sa.Text))
    connection.execute(
        sa.update(events)
        .where(
            _messages(tenant_id, conversation_id),
            events.c.message_id == message_id,
            events.c.message["text"].astext != text,
        )
        .values(message=events.c.message.op("||", return_type=JSONB())(words))
    )


def _messages(tenant_id: str, conversation_id: int) -> sa.ColumnElement[bool]:
    events = received_events
    return sa.and_(
        events.c.tenant_id == tenant_id,
        events.c.conversation_id == conversation_id,
        events.c.message.is_not(None),
    )


def said_lately(connection: sa.Connection, tenant_id: str, conversation_id: int, within_s: float) -> dict[int, str]:
    """Return what the customer wrote within the last ``within_s`` seconds, by message, oldest first."""
    events = received_events
    statement = (
        sa.select(events.c.message_id, events.c.message["text"].astext)
        .where(
            _messages(tenant_id, conversation_id),
            events.c.received_at > sa.func.clock_timestamp() - sa.func.make_interval(0, 0, 0, 0, 0, 0, within_s),
        )
        .order_by(events.c.message_id)
    )
    return {int(message_id): str(text) for message_id, text in connection.execute(statement)}


def contact_of(connection: sa.Connection, tenant_id: str, conversation_id: int) -> Contact | None:
    """Return the customer of a conversation as its last message named him."""
    events = received_events
    statement = (
        sa.select(events.c.message)
        .where(
            events.c.tenant_id == tenant_id,
            events.c.conversation_id == conversation_id,
            events.c.message.is_not(None),
        )
        .order_by(events.c.message_id.desc())
        .limit(1)
    )
    row = connection.execute(statement).one_or_none()
    return IncomingMessage.model_validate(row.message).contact if row else None
