"""How well unseen messages are understood. The figures are measured ones, lowered a little; raise them when they rise.

Measured: first set .93 and second set .94 (both were looked at while the examples grew; when first seen .88 and .84),
third set .94, untouched. The classifier's leave-one-out accuracy over its own, more varied examples is .755.
"""

from __future__ import annotations

import pytest
from tests.unit.agents.talk import HELD_OUT_SETS, Labelled, Talk, held_out

from smarteros.agents.intents import NOT_IN_SCOPE
from smarteros.domain.decisions import ROUTE_OF_INTENT, Intent

ANSWERING_ROUTES = {"shopify_sales", "support", "odoo_invoice_lookup", "kb_direct"}


def everything_held_out() -> list[Labelled]:
    return [message for name in HELD_OUT_SETS for message in held_out(name)]


@pytest.mark.parametrize(("name", "least"), [("held_out", 0.90), ("held_out_second", 0.88), ("held_out_third", 0.90)])
def test_unseen_messages_get_the_intent_a_person_gave_them(talk: Talk, name: str, least: float):
    messages = list(held_out(name))
    right = [message for message in messages if talk.hear(message.text).intent == message.intent]
    assert len(right) / len(messages) >= least


def test_unseen_messages_take_the_right_route(talk: Talk):
    messages = everything_held_out()
    right = [message for message in messages if talk.hear(message.text).route == ROUTE_OF_INTENT[message.intent]]
    assert len(right) / len(messages) >= 0.92


def test_english_is_understood_about_as_well_as_spanish(talk: Talk):
    messages = [message for message in everything_held_out() if message.language == "en"]
    right = [message for message in messages if talk.hear(message.text).intent == message.intent]
    assert len(right) / len(messages) >= 0.90


def test_what_is_said_with_confidence_is_nearly_always_right(talk: Talk):
    decisions = [(talk.hear(message.text), message.intent) for message in everything_held_out()]
    sure = [(decision.intent, intent) for decision, intent in decisions if decision.confidence >= 0.80]
    assert sum(said == meant for said, meant in sure) / len(sure) >= 0.96
    assert len(sure) / len(decisions) >= 0.70


def test_hardly_anything_out_of_scope_is_answered(talk: Talk):
    foreign = [message for message in everything_held_out() if message.intent in NOT_IN_SCOPE]
    decisions = [talk.hear(message.text) for message in foreign]
    answered = [d for d in decisions if d.route in ANSWERING_ROUTES and d.confidence >= 0.80]
    assert len(answered) <= 0.03 * len(foreign), [d.intent for d in answered]


@pytest.mark.parametrize(
    "text", ["¿Cómo?", "¿Qué?", "¿Ah?", "no entendí", "¿y eso?", "mmm", "?", "what?", "sorry?", "eh", "no sé", "ya"]
)
def test_a_message_that_says_too_little_stays_below_the_threshold(talk: Talk, text: str):
    assert talk.ask(text).confidence < 0.80


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("¿me puede decir el horario en que atienden?", "faq_hours"),
        ("¿cuáles son sus horarios?", "faq_hours"),
        ("¿en qué dirección están ustedes?", "faq_address"),
        ("¿y la ubicación?", "faq_address"),
        ("¿venden zapatos número 41?", "product_query"),
        ("¿hay parkas talla L con descuento?", "product_query"),
        ("¿puedo pagar con tarjeta de débito?", "faq_payment_methods"),
        ("¿hacen despachos a Arica?", "faq_shipping"),
        ("do you ship to Arica?", "faq_shipping"),
        ("quiero hablar con un ejecutivo", "human_request"),
    ],
)
def test_a_clear_question_is_understood_with_confidence(talk: Talk, text: str, intent: Intent):
    decision = talk.ask(text)
    assert decision.intent == intent
    assert decision.confidence > 0.90


def test_leave_one_out_accuracy_does_not_fall(talk: Talk, wordy_talk: Talk):
    assert talk.agent.shared_model().model.left_out_accuracy() >= 0.91
    assert wordy_talk.agent.shared_model().model.left_out_accuracy() >= 0.77


def test_before_the_encoders_are_loaded_most_messages_are_understood(wordy_talk: Talk):
    messages = everything_held_out()
    right = [message for message in messages if wordy_talk.hear(message.text).intent == message.intent]
    assert len(right) / len(messages) >= 0.90
