"""Events are stored once; a turn holds the messages of its burst."""

from __future__ import annotations

import itertools

import pytest
import sqlalchemy as sa
from tests.support import claim_messages, heard, whatsapp_message

from smarteros.domain.messages import Contact
from smarteros.domain.tenants import TenantScope
from smarteros.store.database import Database
from smarteros.store.events import (
    ReceivedEvent,
    burst,
    contact_of,
    release_messages,
    store_event,
)

SCOPE = TenantScope(tenant_id="EVENTS_SHOP")
_numbers = itertools.count(1000)


@pytest.fixture
def conversation_id() -> int:
    """A conversation no other test uses."""
    return next(_numbers)


def received(conversation_id: int, message_id: int) -> ReceivedEvent:
    who = Contact(id=5, name=f"Ana {message_id}")
    message = whatsapp_message(SCOPE.tenant_id, conversation_id, message_id, f"mensaje {message_id}", who)
    return heard(message, f"1:message_created:{conversation_id}-{message_id}")


def newer_waits(connection: sa.Connection, conversation_id: int, turn: str) -> bool:
    """Whether the customer has said something the turn does not hold, after what it holds."""
    found = burst(connection, SCOPE.tenant_id, conversation_id, turn)
    last = max(entry.message.id for entry in found if entry.held)
    return any(not entry.held and entry.message.id > last for entry in found)


def test_the_same_event_is_stored_once(database: Database, conversation_id: int) -> None:
    with database.tenant(SCOPE) as connection:
        assert store_event(connection, received(conversation_id, 1)) is not None
        assert store_event(connection, received(conversation_id, 1)) is None


def test_a_turn_takes_every_message_that_waits_in_order(database: Database, conversation_id: int) -> None:
    with database.tenant(SCOPE) as connection:
        for message_id in (12, 10, 11):
            store_event(connection, received(conversation_id, message_id))
        held = claim_messages(connection, SCOPE.tenant_id, conversation_id, "turn-a")
        later = claim_messages(connection, SCOPE.tenant_id, conversation_id, "turn-b")
    assert [message.id for message in held] == [10, 11, 12]
    assert later == ()


def test_a_claim_that_is_repeated_takes_what_has_come_meanwhile(database: Database, conversation_id: int) -> None:
    with database.tenant(SCOPE) as connection:
        store_event(connection, received(conversation_id, 1))
        first = claim_messages(connection, SCOPE.tenant_id, conversation_id, "turn-a")
        store_event(connection, received(conversation_id, 2))
        again = claim_messages(connection, SCOPE.tenant_id, conversation_id, "turn-a")
        other = claim_messages(connection, SCOPE.tenant_id, conversation_id, "turn-b")
    assert [message.id for message in first] == [1]
    assert [message.id for message in again] == [1, 2]
    assert other == ()


def test_a_newer_message_is_noticed_and_answered_with_the_one_given_back(
    database: Database, conversation_id: int
) -> None:
    with database.tenant(SCOPE) as connection:
        store_event(connection, received(conversation_id, 1))
        claim_messages(connection, SCOPE.tenant_id, conversation_id, "turn-a")
        assert not newer_waits(connection, conversation_id, "turn-a")
        store_event(connection, received(conversation_id, 2))
        assert newer_waits(connection, conversation_id, "turn-a")
        release_messages(connection, SCOPE.tenant_id, "turn-a")
        together = claim_messages(connection, SCOPE.tenant_id, conversation_id, "turn-b")
    assert [message.id for message in together] == [1, 2]


def test_an_event_that_is_not_answered_belongs_to_no_turn(database: Database, conversation_id: int) -> None:
    ignored = received(conversation_id, 2).model_copy(update={"message": None, "ignore_reason": "own_reply"})
    with database.tenant(SCOPE) as connection:
        store_event(connection, received(conversation_id, 1))
        store_event(connection, ignored)
        held = claim_messages(connection, SCOPE.tenant_id, conversation_id, "turn-a")
        assert not newer_waits(connection, conversation_id, "turn-a")
    assert [message.id for message in held] == [1]


def test_the_contact_of_a_conversation_is_that_of_its_last_message(database: Database, conversation_id: int) -> None:
    with database.tenant(SCOPE) as connection:
        assert contact_of(connection, SCOPE.tenant_id, conversation_id) is None
        for message_id in (1, 2):
            store_event(connection, received(conversation_id, message_id))
        contact = contact_of(connection, SCOPE.tenant_id, conversation_id)
    assert contact is not None
    assert contact.name == "Ana 2"
