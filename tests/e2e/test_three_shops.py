"""Thirty customers talk to three shops through Chatwoot's public client API, all at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product

import pytest
from tests.e2e.world import World

SHOES, CLOTHES, GADGETS = "TENANT_DEMO", "TENANT_RUT_77123456", "TENANT_RUT_78987654"
CHANNELS = ("whatsapp", "webwidget", "email")


@dataclass(frozen=True)
class Talk:
    """What one customer asks, and a word the answer must have."""

    tenant_id: str
    channel: str
    text: str
    expected: str


QUESTIONS = {
    SHOES: [("¿Tienen zapatillas talla 42?", "Zapatilla Running Azul"), ("¿a qué hora abren?", "9:00")],
    CLOTHES: [("busco una polera talla M", "Polera"), ("¿dónde están ubicados?", "")],
    GADGETS: [("¿tienen audífonos bluetooth?", "Audífonos"), ("¿cómo puedo pagar?", "")],
}
TALKS = [
    Talk(tenant_id, channel, text, expected)
    for (tenant_id, asked), channel in product(QUESTIONS.items(), CHANNELS)
    for text, expected in asked
][:18] + [Talk(tenant_id, "whatsapp", "hola, buenas tardes", "") for tenant_id in QUESTIONS for _ in range(4)]


def test_thirty_customers_get_one_answer_each(world: World) -> None:
    assert len(TALKS) == 30

    def play(talk: Talk) -> tuple[Talk, list[str]]:
        customer = world.customer(talk.tenant_id, talk.channel)
        customer.ask(talk.text)
        return talk, customer.replies()

    with ThreadPoolExecutor(max_workers=10) as pool:
        played = list(pool.map(play, TALKS))

    assert [talk for talk, replies in played if len(replies) != 1] == []
    wrong = [(talk, replies[0]) for talk, replies in played if talk.expected not in replies[0]]
    assert wrong == []


def test_a_yes_after_a_product_list_brings_a_checkout_link(world: World) -> None:
    customer = world.customer(SHOES)
    customer.ask("hola, ¿tienen zapatillas en 42?")
    answer = customer.ask("sí, por favor")

    assert "https://tienda-demo.myshopify.com/cart/" in answer


def test_each_shop_answers_with_its_own_hours(world: World) -> None:
    answers = {tenant: world.customer(tenant).ask("¿Cuál es el horario de atención?") for tenant in QUESTIONS}

    assert len(set(answers.values())) == 3


def test_english_is_answered_in_english(world: World) -> None:
    answer = world.customer(SHOES, "webwidget").ask("Hi! What are your opening hours?")

    assert "Monday" in answer


def test_messages_of_one_conversation_are_answered_in_order(world: World) -> None:
    customer = world.customer(GADGETS)
    first = customer.ask("¿Cuál es el horario?")
    second = customer.ask("¿Y la dirección?")

    assert customer.replies() == [first, second]
    assert first != second


def test_the_six_steps_of_a_turn_are_recorded_with_their_times(world: World) -> None:
    customer = world.customer(SHOES)
    sent = customer.write("¿Hacen despacho a regiones?")
    customer.reply_to(sent)
    turn = customer.turn_of(sent)

    assert [step["step"] for step in turn["steps"]] == ["receive", "resolve", "decide", "call_tools", "reply", "audit"]
    assert turn["outcome"] == "answered"
    assert all(step["duration_ms"] >= 0 for step in turn["steps"])


def test_a_turn_leaves_an_audit_event_without_the_customers_words(world: World) -> None:
    customer = world.customer(SHOES)
    sent = customer.write("¿Tienen zapatillas talla 42? soy Rodrigo Canario")
    customer.reply_to(sent)
    customer.turn_of(sent)
    events = world.audit(SHOES, conversation_id=str(customer.conversation_id))

    assert [e["topic"] for e in events] == ["smarteros.audit.shopify"]
    assert events[0]["intent"] == "product_query"
    assert events[0]["details"]["products_returned"] > 0
    assert "Canario" not in str(events)


def test_a_person_who_takes_over_is_not_talked_over(world: World) -> None:
    customer = world.customer(SHOES)
    customer.ask("hola")
    shop = world.shop(SHOES)
    base = f"{world.info['base_urls']['chatwoot']}/api/v1/accounts/{shop['account_id']}"
    agent = shop["agents"][0]
    conversation = f"{base}/conversations/{customer.conversation_id}"
    world.http.post(
        f"{conversation}/assignments",
        json={"assignee_id": agent["id"]},
        headers={"api_access_token": shop["tokens"]["chatwoot_administrator"]},
    ).raise_for_status()
    before = customer.replies()
    customer.write("¿Tienen zapatillas talla 42?")
    # A second conversation that is answered afterwards shows that the first had its chance.
    world.customer(SHOES).ask("¿a qué hora cierran?")

    assert customer.replies() == before


@pytest.mark.parametrize("text", ["quiero hablar con una persona", "exijo hablar con un ejecutivo humano"])
def test_who_asks_for_a_person_gets_one(world: World, text: str) -> None:
    customer = world.customer(CLOTHES)
    sent = customer.write(text)
    customer.reply_to(sent)
    shop = world.shop(CLOTHES)
    url = f"{world.info['base_urls']['chatwoot']}/api/v1/accounts/{shop['account_id']}/conversations"
    token = {"api_access_token": shop["tokens"]["chatwoot_administrator"]}
    customer.turn_of(sent)
    seen = world.http.get(f"{url}/{customer.conversation_id}", headers=token).json()
    notes = world.http.get(f"{url}/{customer.conversation_id}/messages", headers=token).json()["payload"]

    assert seen["status"] == "open"
    assert any(note["private"] and "Resumen" in note["content"] for note in notes)
