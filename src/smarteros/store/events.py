"""Received events: stored once, then worked on."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert

from smarteros.domain.messages import Contact, IncomingMessage
from smarteros.domain.model import Model
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


def store_event(connection: sa.Connection, event: ReceivedEvent) -> int | None:
    """Store an event; returns its id, or None when the same event was stored before."""
    values = event.model_dump(mode="json")
    statement = (
        insert(received_events)
        .values(**values)
        .on_conflict_do_nothing(constraint="received_events_once")
        .returning(received_events.c.event_id)
    )
    return connection.execute(statement).scalar_one_or_none()


class WaitingMessage(Model):
    """A message no turn has answered yet, and how long ago it was received."""

    message: IncomingMessage
    age_s: float


def waiting_messages(
    connection: sa.Connection, tenant_id: str, conversation_id: int, turn_id: str
) -> tuple[WaitingMessage, ...]:
    """Return the messages the turn holds or could take now, in order, without taking them."""
    events = received_events
    open_to_turn = sa.or_(events.c.turn_id.is_(None), events.c.turn_id == turn_id)
    age = sa.func.extract("epoch", sa.func.clock_timestamp() - events.c.received_at)
    rows = connection.execute(
        sa.select(events.c.message, age.label("age_s"))
        .where(_live_messages(tenant_id, conversation_id), open_to_turn)
        .order_by(events.c.message_id)
    )
    return tuple(
        WaitingMessage(message=IncomingMessage.model_validate(row.message), age_s=max(0.0, float(row.age_s)))
        for row in rows
    )


def claim_messages(
    connection: sa.Connection, tenant_id: str, conversation_id: int, turn_id: str
) -> tuple[IncomingMessage, ...]:
    """Give the turn every message of the conversation that no turn has answered yet, in order.

    The result is empty when an earlier turn has answered them all, or the customer has deleted them.
    Repeating the claim (after a crash) returns the same messages: what a turn holds stays with it.
    """
    held = held_messages(connection, tenant_id, conversation_id, turn_id)
    if held:
        return held
    events = received_events
    connection.execute(
        sa.update(events)
        .where(_live_messages(tenant_id, conversation_id), events.c.turn_id.is_(None))
        .values(turn_id=turn_id)
    )
    return held_messages(connection, tenant_id, conversation_id, turn_id)


def held_messages(
    connection: sa.Connection, tenant_id: str, conversation_id: int, turn_id: str
) -> tuple[IncomingMessage, ...]:
    """Return the turn's messages as they are now: in order, edited ones in their new words, deleted ones left out."""
    events = received_events
    rows = connection.execute(
        sa.select(events.c.message)
        .where(_live_messages(tenant_id, conversation_id), events.c.turn_id == turn_id)
        .order_by(events.c.message_id)
    )
    return tuple(IncomingMessage.model_validate(row.message) for row in rows)


def newer_message_waits(connection: sa.Connection, tenant_id: str, conversation_id: int, after: int) -> bool:
    """Tell whether a message newer than ``after`` has been received and not yet been given to a turn."""
    events = received_events
    statement = sa.select(events.c.event_id).where(
        _live_messages(tenant_id, conversation_id), events.c.turn_id.is_(None), events.c.message_id > after
    )
    return connection.execute(statement.limit(1)).first() is not None


def burst_age_s(connection: sa.Connection, tenant_id: str, conversation_id: int, turn_id: str) -> float:
    """Seconds since the first message the turn holds was received; 0 when it holds none."""
    events = received_events
    age = sa.func.extract("epoch", sa.func.clock_timestamp() - sa.func.min(events.c.received_at))
    statement = sa.select(age).where(_messages(tenant_id, conversation_id), events.c.turn_id == turn_id)
    return float(connection.execute(statement).scalar_one() or 0.0)


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


def _live_messages(tenant_id: str, conversation_id: int) -> sa.ColumnElement[bool]:
    """Messages the customer has not deleted. The event of a deletion counts even when it came before the message."""
    deletion = received_events.alias("deletion")
    deleted = sa.exists(
        sa.select(sa.literal(1)).where(
            deletion.c.tenant_id == tenant_id,
            deletion.c.conversation_id == conversation_id,
            deletion.c.message_id == received_events.c.message_id,
            deletion.c.ignore_reason == "deleted",
        )
    )
    return sa.and_(_messages(tenant_id, conversation_id), sa.not_(deleted))


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
