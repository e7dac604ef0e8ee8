"""Customers write in bursts, delete and correct themselves: one reply each, to what they meant."""

from __future__ import annotations

from typing import Any

import pytest
from tests.e2e.world import Customer, World

SHOES = "TENANT_DEMO"


def all_ended(customer: Customer, *sent: int) -> dict[int, dict[str, Any]]:
    """Wait until the turns of all these messages have ended."""
    return {message_id: customer.turn_of(message_id) for message_id in sent}


def delete(world: World, customer: Customer, message_id: int) -> None:
    shop = world.shop(customer.tenant_id)
    base = f"{world.info['base_urls']['chatwoot']}/api/v1/accounts/{shop['account_id']}"
    token = {"api_access_token": shop["tokens"]["chatwoot_administrator"]}
    url = f"{base}/conversations/{customer.conversation_id}/messages/{message_id}"
    world.http.delete(url, headers=token).raise_for_status()


def test_three_fragments_are_one_burst_with_one_reply(world: World) -> None:
    customer = world.customer(SHOES)
    sent = []
    for fragment in ("hola", "una consulta", "¿tienen zapatillas talla 42?"):
        sent.append(customer.write(fragment))
        world.until_received(SHOES, sent[-1])
    customer.reply_to(sent[-1])
    turns = all_ended(customer, *sent)

    (reply,) = customer.replies()
    assert "Zapatilla Running Azul" in reply
    assert [turns[message_id]["outcome"] for message_id in sent].count("merged") == 2


def test_a_question_right_after_a_greeting_is_answered_and_the_greeting_is_not(world: World) -> None:
    customer = world.customer(SHOES)
    greeting = customer.write("hola")
    world.until_received(SHOES, greeting)
    question = customer.write("¿Cuál es el horario de atención?")
    customer.reply_to(question)
    all_ended(customer, greeting, question)

    (reply,) = customer.replies()
    assert "Lunes a Viernes" in reply
    assert "asistente virtual" not in reply


def test_a_lone_greeting_gets_its_greeting(world: World) -> None:
    customer = world.customer(SHOES)
    sent = customer.write("hola")
    assert "asistente virtual" in customer.reply_to(sent)

    turn = customer.turn_of(sent)
    assert 1000 <= turn["waited_ms"] <= 2600


def test_a_complete_question_does_not_wait(world: World) -> None:
    customer = world.customer(SHOES)
    sent = customer.write("¿Cuál es el horario de atención?")
    customer.reply_to(sent)

    assert customer.turn_of(sent)["waited_ms"] == 0


def test_a_message_deleted_before_its_reply_is_not_answered(world: World) -> None:
    customer = world.customer(SHOES)
    sent = customer.write("te mando la foto")
    world.until_received(SHOES, sent)
    delete(world, customer, sent)
    turn = customer.turn_of(sent)

    assert (turn["outcome"], turn["reason"]) == ("merged", "message_deleted")
    assert customer.replies() == []


@pytest.mark.parametrize("kept", [0, 1])
def test_of_a_burst_only_what_was_kept_is_answered(world: World, kept: int) -> None:
    customer = world.customer(SHOES)
    texts = ("una consulta, el horario de atención,", "y ver zapatillas talla 42,")
    sent = []
    for text in texts:
        sent.append(customer.write(text))
        world.until_received(SHOES, sent[-1])
    delete(world, customer, sent[1 - kept])
    customer.reply_to(sent[0])
    all_ended(customer, *sent)

    (reply,) = customer.replies()
    assert ("Lunes a Viernes" in reply, "Zapatilla" in reply) == (kept == 0, kept == 1)
