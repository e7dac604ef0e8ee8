"""Conversations of which only the customer's messages are known, as ``smos agent decide`` is given them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.agents.talk import SCOPE, Talk

from smarteros.agents.rebuilt import MOST_MESSAGES, with_rebuilt_state
from smarteros.domain.decisions import AgentContext, AgentMessage, AgentRequest, Decision, DialogueState, Intent
from smarteros.domain.messages import Contact


def request_of(*messages: str, state: DialogueState | None = None) -> AgentRequest:
    return AgentRequest(
        tenant_id=SCOPE.tenant_id,
        channel="whatsapp",
        conversation_id=1,
        contact=Contact(id=1),
        message=AgentMessage(id=1, content=messages[-1]),
        context=AgentContext(
            history=messages[:-1], state=state or DialogueState(), now=datetime(2025, 11, 17, 15, tzinfo=UTC)
        ),
    )


def last_of(talk: Talk, *messages: str) -> Decision:
    return talk.agent.decide(with_rebuilt_state(talk.agent, request_of(*messages)))


@pytest.mark.parametrize(
    ("messages", "intent", "entities"),
    [
        (("tienen zapatillas 42?", "¿y en 43?"), "product_query", {"category": "zapatillas", "size": "43"}),
        (("tienen zapatillas 42?", "no, en azul"), "product_query", {"category": "zapatillas", "color": "azul"}),
        (("busco botas", "de mujer", "hasta 40 lucas"), "product_query", {"gender": "mujer", "price_max": 40_000}),
        (("busco una polera roja talla M", "mejor L"), "product_query", {"size": "L", "color": "rojo"}),
        (("busco botas", "más baratas"), "product_query", {"category": "botas"}),
        (("busco botas negras", "y zapatillas?"), "product_query", {"category": "zapatillas", "color": None}),
        (("tienen zapatillas 42?", "la segunda"), "cart_request", {"category": "zapatillas"}),
        (("tienen zapatillas 42?", "esa no, la otra"), "cart_request", {}),
        (("tienen zapatillas 42?", "mejor 2"), "cart_request", {"quantity": 2}),
        (("tienen zapatillas 42?", "sí, dale"), "cart_request", {}),
        (("tienen zapatillas 42?", "no gracias"), "thanks_goodbye", {}),
        (("a qué hora abren?", "¿Y la dirección?"), "faq_address", {}),
        (("a qué hora abren?", "¿y los domingos?"), "faq_hours", {}),
        (("cuánto sale el despacho a Temuco?", "¿y a Valdivia?"), "faq_shipping", {"place": "Valdivia"}),
        (("dónde está mi pedido", "es el #1045"), "order_status", {"order_number": "1045"}),
        (("quiero cambiar unas zapatillas", "4521"), "return_request", {"invoice_number": "4521"}),
        (("quiero hablar con alguien", "9 8765 4321"), "human_request", {"phone": "+56987654321"}),
    ],
)
def test_a_short_message_is_understood_by_what_was_said_before(
    talk: Talk, messages: tuple[str, ...], intent: Intent, entities: dict[str, Any]
):
    decision = last_of(talk, *messages)
    assert decision.intent == intent
    assert decision.confidence >= 0.80
    assert {name: getattr(decision.entities, name) for name in entities} == entities


def test_a_state_that_is_given_is_not_worked_out_again(talk: Talk):
    request = request_of("hola", "¿y en 43?", state=DialogueState(intent="faq_hours"))
    assert with_rebuilt_state(talk.agent, request) is request


def test_only_the_last_messages_are_decided(talk: Talk):
    class Counting:
        asked = 0

        def decide(self, request: AgentRequest) -> Decision:
            self.asked += 1
            return talk.agent.decide(request)

    agent = Counting()
    with_rebuilt_state(agent, request_of(*["hola"] * 40))
    assert agent.asked == MOST_MESSAGES


def test_three_questions_at_once_are_all_answered(talk: Talk):
    decision = last_of(talk, "quiero saber dónde están, cuánto cuesta el despacho y si tienen botas 38")
    assert decision.intent == "product_query"
    assert decision.actions[0].params["size"] == "38"
    assert decision.second_reply is not None
    assert "Irarrázaval 2020" in decision.second_reply
    assert "$4.500" in decision.second_reply


def test_hours_and_a_product_in_one_breath(talk: Talk):
    decision = last_of(talk, "¿a qué hora abren y tienen la 42 en negro?")
    assert (decision.intent, decision.second_intent) == ("product_query", "faq_hours")
    assert decision.actions[0].params["size"] == "42"
    assert decision.actions[0].params["color"] == "negro"
    assert decision.second_reply is not None
