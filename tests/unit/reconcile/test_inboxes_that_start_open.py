"""Lost messages of an inbox whose conversations are open from the start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.unit.reconcile.conftest import Shop
from tests.unit.sandbox.chatwoot_stand import INBOXES, Customer

from smarteros.channels.hand_overs import HandOverMemory
from smarteros.domain.tenants import InboxSettings
from smarteros.reconcile.catch_up import APOLOGY
from smarteros.store.turns import remembered


@pytest.fixture
def open_shop(shop: Shop) -> Iterator[Shop]:
    """The shop without a bot at its WhatsApp inbox."""
    shop.stand.ok("POST", f"/inboxes/{INBOXES['whatsapp']}/set_agent_bot", json={"agent_bot": None})
    inboxes = (InboxSettings(inbox_id=INBOXES["whatsapp"], channel="whatsapp", starts="open"),)
    channel = replace(shop.channel, handed_over=HandOverMemory(shop.database, shop.clock))
    yield replace(shop, tenant=shop.tenant.model_copy(update={"inboxes": inboxes}), channel=channel)


def assign(shop: Shop, customer: Customer, agent: int | None) -> None:
    path = f"/conversations/{customer.conversation_id}/assignments"
    shop.stand.ok("POST", path, json={"assignee_id": agent})


def led_by(shop: Shop, customer: Customer) -> str | None:
    with shop.database.tenant(shop.tenant.scope) as connection:
        return remembered(connection, shop.tenant.tenant_id, customer.conversation_id).muted_reason


def test_a_lost_message_of_an_open_conversation_is_found(open_shop: Shop) -> None:
    customer = open_shop.customer()
    written = customer.say("¿tienen zapatillas?")["id"]
    open_shop.pass_time(seconds=30)

    assert open_shop.status(customer) == "open"
    assert open_shop.run().found == {"accepted": 1}
    assert open_shop.opened() == [written]


def test_a_lost_message_of_a_pending_conversation_is_found_as_well(open_shop: Shop) -> None:
    written = open_shop.customer("webwidget").say("¿tienen zapatillas?")["id"]
    open_shop.pass_time(seconds=30)
    open_shop.run()

    assert open_shop.opened() == [written]


def test_an_open_conversation_somebody_is_assigned_to_is_not_looked_at(open_shop: Shop) -> None:
    customer = open_shop.customer()
    customer.say("hola")
    assign(open_shop, customer, 11)
    open_shop.pass_time(seconds=30)

    assert open_shop.run().conversations == 0


def test_a_question_a_person_has_answered_without_being_assigned_is_not_answered_again(open_shop: Shop) -> None:
    customer = open_shop.customer()
    customer.say("¿tienen estacionamiento?")
    open_shop.stand.post(customer.conversation_id, open_shop.stand.agent_token(), content="Sí, al frente.")
    open_shop.pass_time(seconds=30)
    open_shop.run()

    assert open_shop.opened() == []
    assert led_by(open_shop, customer) == "human_reply"


def test_an_apology_in_an_open_conversation_is_noted_and_leaves_it_to_people(open_shop: Shop) -> None:
    open_shop.run()
    customer = open_shop.customer()
    customer.say("¿tienen zapatillas?")
    open_shop.pass_time(hours=2)

    assert open_shop.run().found == {"apologised": 1}
    assert open_shop.said(customer) == [APOLOGY["es"]]
    assert len(open_shop.notes(customer)) == 1
    assert led_by(open_shop, customer) == "handed_over"


def test_whom_a_person_talks_to_is_not_apologised_to(open_shop: Shop) -> None:
    open_shop.run()
    customer = open_shop.customer()
    HandOverMemory(open_shop.database, open_shop.clock)(open_shop.tenant, customer.conversation_id, None)
    customer.say("¿hola?")
    open_shop.pass_time(hours=2)

    assert open_shop.run().found == {"ignored": 1}
    assert (open_shop.said(customer), open_shop.notes(customer)) == ([], [])


def test_each_inbox_that_starts_open_costs_one_request_more(open_shop: Shop) -> None:
    open_shop.run()
    open_shop.switch.requests.clear()
    open_shop.run()

    assert [f"inbox_id={INBOXES['whatsapp']}" in request for request in open_shop.switch.requests] == [False, True]
