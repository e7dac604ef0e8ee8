"""People come first: the bot is silent as soon as one of them speaks, and calls one when it cannot be heard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.e2e.test_webhooks import OUR_FIXTURES, as_bytes, hook
from tests.e2e.world import Customer, World
from tests.support import until

SHOES = "TENANT_DEMO"


class Shop:
    """The shop's people, in their Chatwoot."""

    def __init__(self, world: World, customer: Customer) -> None:
        self._world = world
        shop = world.shop(customer.tenant_id)
        self.account_id = shop["account_id"]
        base = f"{world.info['base_urls']['chatwoot']}/api/v1/accounts/{self.account_id}"
        self._url = f"{base}/conversations/{customer.conversation_id}"
        self._token = {"api_access_token": shop["tokens"]["chatwoot_administrator"]}

    def reply(self, text: str) -> None:
        self._post("messages", {"content": text, "message_type": "outgoing"})

    def set_status(self, status: str) -> None:
        self._post("toggle_status", {"status": status})

    def conversation(self) -> dict[str, Any]:
        return self._world.http.get(self._url, headers=self._token).raise_for_status().json()

    def status(self) -> str:
        return self.conversation()["status"]

    def notes(self) -> list[str]:
        messages = self._world.http.get(f"{self._url}/messages", headers=self._token).raise_for_status().json()
        return [m["content"] for m in messages["payload"] if m["private"]]

    def _post(self, path: str, body: dict[str, Any]) -> None:
        self._world.http.post(f"{self._url}/{path}", json=body, headers=self._token).raise_for_status()


def bot_replies(customer: Customer) -> list[str]:
    return [text for text in customer.replies() if text != "Hola, soy Marta, te ayudo yo"]


@pytest.fixture
def slow_chatwoot(world: World) -> Iterator[None]:
    account = str(world.shop(SHOES)["account_id"])
    fault = {"service": "chatwoot", "kind": "slow", "scope": account, "value": 1.0}
    world.http.post(f"{world.url}/sandbox/faults", json=fault).raise_for_status()
    yield
    world.http.delete(f"{world.url}/sandbox/faults")


def turns_because_of(world: World, customer: Customer, reason: str) -> list[dict[str, Any]]:
    turns = world.turns(customer.tenant_id, customer.conversation_id)
    return [turn for turn in turns if turn["reason"] == reason]


def heard(world: World, customer: Customer, fixture: str, **changes: Any) -> dict[str, Any]:
    """Deliver one of Chatwoot's webhooks for this conversation at this very moment."""
    body: dict[str, Any] = json.loads((OUR_FIXTURES / f"{fixture}.json").read_text())
    body |= {"account": {"id": world.shop(SHOES)["account_id"], "name": "x"}}
    body["conversation"] |= {"id": customer.conversation_id, "status": "pending"}
    url, secret = hook(world, SHOES)
    return world.post_webhook(url, as_bytes(body | changes), secret).raise_for_status().json()


@pytest.mark.usefixtures("slow_chatwoot")
def test_a_person_who_replies_during_a_slow_turn_is_not_talked_over(world: World) -> None:
    customer = world.customer(SHOES)
    sent = customer.write("¿Cuál es el horario de atención?")
    world.until_received(SHOES, sent)
    heard(world, customer, "message_created.outgoing_by_human", id=sent + 700_000_000)
    turn = customer.turn_of(sent)

    assert (turn["outcome"], turn["reason"]) == ("muted", "human_reply")
    assert customer.replies() == []


@pytest.mark.usefixtures("slow_chatwoot")
def test_a_question_corrected_during_a_slow_turn_is_answered_in_its_new_words(world: World) -> None:
    customer = world.customer(SHOES)
    sent = customer.write("¿Cuál es el horario de atención?")
    world.until_received(SHOES, sent)
    edited = {"id": sent, "event": "message_updated", "content": "¿Tienen zapatillas talla 42?"}
    heard(world, customer, "message_created.whatsapp_text", **edited)
    customer.reply_to(sent)
    customer.turn_of(sent)

    (reply,) = customer.replies()
    assert "Zapatilla Running Azul" in reply


@pytest.mark.usefixtures("slow_chatwoot")
def test_a_question_deleted_during_a_slow_turn_is_not_answered(world: World) -> None:
    customer = world.customer(SHOES)
    sent = customer.write("¿Cuál es el horario de atención?")
    world.until_received(SHOES, sent)
    gone = {"content": "This message was deleted", "content_attributes": {"deleted": True}}
    heard(world, customer, "message_created.whatsapp_text", id=sent, event="message_updated", **gone)
    turn = customer.turn_of(sent)

    assert (turn["outcome"], turn["reason"]) == ("merged", "message_deleted")
    assert customer.replies() == []


def test_after_a_persons_reply_the_bot_is_silent_until_it_is_given_the_conversation_back(world: World) -> None:
    customer = world.customer(SHOES)
    customer.ask("¿Cuál es el horario de atención?")
    shop = Shop(world, customer)
    shop.reply("Hola, soy Marta, te ayudo yo")
    until(lambda: turns_because_of(world, customer, "human_reply"))
    until(lambda: shop.status() == "open")
    before = bot_replies(customer)
    ignored = customer.write("¿Tienen zapatillas talla 42?")
    world.until_received(SHOES, ignored)

    shop.set_status("pending")
    again = customer.write("¿A qué hora abren?")
    until(lambda: len(bot_replies(customer)) > len(before))
    assert customer.turn_of(again)["outcome"] == "answered"
    assert len(bot_replies(customer)) == len(before) + 1


def test_a_reply_that_cannot_be_delivered_any_more_is_not_posted_but_handed_over(world: World) -> None:
    customer = world.customer(SHOES)
    customer.ask("¿Cuál es el horario de atención?")
    before = customer.replies()
    shop = Shop(world, customer)
    # The customer wrote long ago; the turn comes to it only now, as after an outage of ours.
    clock = f"{world.url}/sandbox/clock"
    world.http.post(clock, json={"account_id": shop.account_id, "now": "2020-01-01T12:00:00Z"}).raise_for_status()
    try:
        sent = customer.write("te mando la foto")
        world.until_received(SHOES, sent)
    finally:
        world.http.post(clock, json={"account_id": shop.account_id, "now": None}).raise_for_status()
    turn = customer.turn_of(sent)

    assert (turn["outcome"], turn["reason"], turn["reply_text"]) == ("escalated", "outside_window", None)
    assert customer.replies() == before
    assert shop.status() == "open"
    assert any("24 horas" in note for note in shop.notes())


def test_a_reply_the_channel_failed_to_deliver_brings_a_person(world: World) -> None:
    customer = world.customer(SHOES)
    sent = customer.write("¿Cuál es el horario de atención?")
    reply = customer.reply_to(sent)
    customer.turn_of(sent)
    posted = next(m for m in customer.messages() if m["content"] == reply)
    failed = {"external_error": "131047: outside the window"}
    heard(world, customer, "message_updated.send_failed_24h", id=posted["id"], content_attributes=failed)
    (turn,) = until(lambda: turns_because_of(world, customer, "delivery_failed"))
    shop = Shop(world, customer)

    assert turn["outcome"] == "escalated"
    assert shop.status() == "open"
    assert any("no llegó" in note and "131047" in note for note in shop.notes())


def test_an_angry_customer_is_found_by_the_right_people_and_is_the_bots_again_when_they_are_done(
    world: World,
) -> None:
    customer = world.customer(SHOES)
    shop = Shop(world, customer)
    sent = customer.write("Llevo tres semanas esperando y nadie me responde, son unos estafadores")
    turn = customer.turn_of(sent)
    assert (turn["outcome"], turn["rule"]) == ("escalated", "frustration")

    found = shop.conversation()
    assert found["status"] == "open"
    assert set(found["labels"]) == {"bot", "cliente-molesto"}
    assert (found["meta"]["team"]["name"], found["priority"]) == ("postventa", "urgent")
    (note,) = shop.notes()
    assert "El cliente está molesto" in note
    assert f"/console/turns/{turn['turn_id']}" in note

    shop.reply("Hola, soy Marta, te ayudo yo")
    shop.set_status("resolved")
    question = customer.write("¿Cuál es el horario de atención?")
    assert "Lunes a Viernes" in customer.reply_to(question)
