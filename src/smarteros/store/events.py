"""Received events: stored once, then worked on."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

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


def claim_messages(
    connection: sa.Connection, tenant_id: str, conversation_id: int, turn_id: str
) -> tuple[IncomingMessage, ...]:
    """Give the turn every message of the conversation that no turn has answered yet, in order.

    The result is empty when an earlier turn has answered them all.
    Repeating the claim (after a crash) returns the same messages: what a turn holds stays with it.
    """
    events = received_events
    mine = sa.and_(
        events.c.tenant_id == tenant_id,
        events.c.conversation_id == conversation_id,
        events.c.message.is_not(None),
    )
    held = connection.execute(
        sa.select(events.c.message).where(mine, events.c.turn_id == turn_id).order_by(events.c.message_id)
    ).all()
    if not held:
        connection.execute(sa.update(events).where(mine, events.c.turn_id.is_(None)).values(turn_id=turn_id))
        held = connection.execute(
            sa.select(events.c.message).where(mine, events.c.turn_id == turn_id).order_by(events.c.message_id)
        ).all()
    return tuple(IncomingMessage.model_validate(row.message) for row in held)


def newer_message_waits(connection: sa.Connection, tenant_id: str, conversation_id: int, after: int) -> bool:
    """Tell whether a message newer than ``after`` has been received and not yet been given to a turn."""
    events = received_events
    statement = sa.select(events.c.event_id).where(
        events.c.tenant_id == tenant_id,
        events.c.conversation_id == conversation_id,
        events.c.message.is_not(None),
        events.c.turn_id.is_(None),
        events.c.message_id > after,
    )
    return connection.execute(statement.limit(1)).first() is not None


def release_messages(connection: sa.Connection, tenant_id: str, turn_id: str) -> None:
    """Give a turn's messages back, so that the next turn answers them together with the newer one."""
    events = received_events
    connection.execute(
        sa.update(events).where(events.c.tenant_id == tenant_id, events.c.turn_id == turn_id).values(turn_id=None)
    )


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
