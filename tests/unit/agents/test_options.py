"""Asking back with options, and what the customer makes of them."""

from __future__ import annotations

import pytest
from tests.unit.agents.talk import Talk

from smarteros.agents.options import options_of, picked, question_for
from smarteros.domain.decisions import Candidate, DialogueState, Intent, Language
from smarteros.kit.text import fold

ASKED: tuple[Intent, ...] = ("order_status", "faq_shipping")


def candidates(**probabilities: float) -> tuple[Candidate, ...]:
    return tuple(Candidate.model_validate({"intent": i, "probability": p}) for i, p in probabilities.items())


@pytest.mark.parametrize(
    ("probable", "options"),
    [
        (candidates(order_status=0.5, faq_shipping=0.4), ("order_status", "faq_shipping")),
        (candidates(order_status=0.4, faq_shipping=0.2, faq_hours=0.1, faq_address=0.09), (*ASKED, "faq_hours")),
        (candidates(order_status=0.6, faq_shipping=0.02), ("order_status",)),
        (candidates(order_status=0.05, faq_shipping=0.04), ()),
        (candidates(greeting=0.5, thanks_goodbye=0.2), ()),
        ((), ()),
    ],
)
def test_what_is_probable_is_offered(probable: tuple[Candidate, ...], options: tuple[Intent, ...]):
    assert options_of(probable) == options


@pytest.mark.parametrize(
    ("options", "language", "question"),
    [
        (ASKED, "es", "¿Preguntas por el despacho de un pedido que ya hiciste o por los costos y plazos de envío?"),
        (ASKED, "en", "Are you asking about an order you have already placed or about shipping costs and times?"),
        (("faq_hours",), "es", "¿Preguntas por los horarios de atención?"),
        (
            ("faq_hours", "faq_address", "complaint"),
            "es",
            "¿Preguntas por los horarios de atención, por la dirección de la tienda o por un reclamo?",
        ),
        ((), "es", None),
    ],
)
def test_the_question_names_the_options(options: tuple[Intent, ...], language: Language, question: str | None):
    assert question_for(options, language) == question


@pytest.mark.parametrize(
    ("answer", "chosen"),
    [
        ("lo primero", ("order_status",)),
        ("la segunda", ("faq_shipping",)),
        ("2", ("faq_shipping",)),
        ("costos", ("faq_shipping",)),
        ("por los costos", ("faq_shipping",)),
        ("mi pedido", ("order_status",)),
        ("lo último", ("faq_shipping",)),
        ("las dos cosas", ASKED),
        ("the first one", ("order_status",)),
        ("shipping", ("faq_shipping",)),
        ("ninguna de las dos", ()),
        ("otra cosa", ()),
    ],
)
def test_an_answer_picks_an_option(answer: str, chosen: tuple[Intent, ...]):
    assert picked(fold(answer), ASKED) == chosen


@pytest.mark.parametrize(
    "text", ["", "gracias", "hola", "tienen zapatillas negras en talla 42 para hombre que no sean muy caras"]
)
def test_another_message_picks_nothing(text: str):
    assert picked(text, ASKED) is None


def test_the_picked_option_is_answered_with_what_the_question_named(talk: Talk):
    state = DialogueState(intent="faq_shipping", options=ASKED, clarifications=1)
    decision = talk.ask("costos", state=state, history=("lo del despacho a Temuco cuánto",))
    assert (decision.intent, decision.route) == ("faq_shipping", "kb_direct")
    assert decision.confidence > 0.90
    assert decision.reply == "El despacho cuesta $4.500 a todo Chile."


def test_whoever_wants_none_of_the_options_is_not_answered(talk: Talk):
    decision = talk.ask("ninguna", state=DialogueState(intent="faq_shipping", options=ASKED, clarifications=1))
    assert decision.route == "clarify"
    assert decision.confidence < 0.80


def test_a_new_clear_question_leaves_the_options_aside(talk: Talk):
    decision = talk.ask("¿en qué calle está la tienda?", state=DialogueState(options=ASKED, clarifications=1))
    assert decision.intent == "faq_address"


def test_a_decision_names_the_probable_intents(talk: Talk):
    decision = talk.ask("¿hacen despachos a Arica?")
    assert decision.candidates[0].intent == "faq_shipping"
    probabilities = [candidate.probability for candidate in decision.candidates]
    assert probabilities == sorted(probabilities, reverse=True)
