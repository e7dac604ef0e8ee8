"""The customer's language: followed, switched when asked for, and Portuguese."""

from __future__ import annotations

import pytest
from tests.unit.agents.talk import HELD_OUT_SETS, Talk, held_out

from smarteros.agents.intents import examples_in
from smarteros.agents.tongues import is_portuguese, language_asked_for
from smarteros.domain.decisions import DialogueState, Language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("in english please", "en"),
        ("English, please", "en"),
        ("can we speak in English?", "en"),
        ("¿hablas inglés?", "en"),
        ("en español por favor", "es"),
        ("puedes responder en castellano?", "es"),
        ("spanish please", "es"),
    ],
)
def test_a_language_can_be_asked_for(text: str, language: Language):
    assert language_asked_for(text) == language


@pytest.mark.parametrize("text", ["¿ese teclado es en español?", "is there an english manual", "clases de inglés"])
def test_most_mentions_of_a_language_ask_for_a_product(talk: Talk, text: str):
    assert talk.ask(text).intent != "greeting"


def test_the_question_before_is_answered_again_in_the_language_asked_for(talk: Talk):
    state = DialogueState(intent="faq_hours", language="es")
    decision = talk.ask("in english please", state=state, history=("¿a qué hora abren?",))
    assert (decision.intent, decision.language) == ("faq_hours", "en")
    assert decision.reply == "Tuesday to Saturday from 11:00 to 19:30."


def test_a_wish_for_a_language_alone_is_a_greeting_in_it(talk: Talk):
    decision = talk.ask("english please")
    assert (decision.intent, decision.language) == ("greeting", "en")


def test_english_is_answered_in_english_and_spanish_in_spanish_again(talk: Talk):
    assert talk.ask("where are you located?", state=DialogueState(language="es")).language == "en"
    assert talk.ask("¿y tienen botas negras?", state=DialogueState(language="en")).language == "es"


@pytest.mark.parametrize(
    "text",
    [
        "Olá, vocês têm tênis tamanho 42?",
        "bom dia, qual é o horário de funcionamento?",
        "quanto custa a entrega para Santiago?",
        "onde fica a loja de vocês?",
        "vocês aceitam cartão?",
        "não chegou meu pedido ainda",
        "obrigado pela ajuda",
    ],
)
def test_portuguese_is_noticed_and_answered_in_spanish(talk: Talk, text: str):
    decision = talk.ask(text)
    assert (decision.foreign, decision.language) == ("pt", "es")


def test_spanish_and_english_are_not_taken_for_portuguese():
    texts = [message.text for name in HELD_OUT_SETS for message in held_out(name)]
    texts += [*examples_in("es"), *examples_in("en")]
    assert [text for text in texts if is_portuguese(text)] == []
