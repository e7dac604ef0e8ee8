"""The training examples themselves: enough, varied, and honest towards the tests."""

from __future__ import annotations

from typing import get_args

import pytest
from tests.unit.agents.talk import HELD_OUT_SETS, held_out

from smarteros.agents.intents import base_examples, examples_in
from smarteros.agents.normalise import normalise
from smarteros.domain.decisions import Intent

SCENARIO_SENTENCES = [
    "¿Tienen zapatillas talla 42?",
    "¿Tienen zapatillas talla 42 con descuento?",
    "zapatillas talla 99",
    "¿Cuál es el horario de atención?",
    "¿Cuál es el horario?",
    "¿Y la dirección?",
    "¿Dónde quedan?",
    "¿Cómo?",
]


def spoken(text: str) -> str:
    return normalise(text).strip("?! ")


def pack() -> list[str]:
    return [spoken(text) for texts in base_examples().values() for text in texts]


@pytest.mark.parametrize("intent", get_args(Intent))
def test_every_intent_has_many_examples(intent: Intent):
    assert len(base_examples()[intent]) >= 130
    assert len(set(base_examples()[intent]) & set(examples_in("es"))) >= 90
    assert len(set(base_examples()[intent]) & set(examples_in("en"))) >= 30


def test_no_example_is_given_twice():
    texts = pack()
    assert {text for text in texts if texts.count(text) > 1} == set()


@pytest.mark.parametrize("sentence", SCENARIO_SENTENCES)
def test_the_sentences_of_the_scenarios_are_not_learnt_by_heart(sentence: str):
    assert spoken(sentence) not in pack()


@pytest.mark.parametrize("name", HELD_OUT_SETS)
def test_no_held_out_message_is_among_the_examples(name: str):
    learnt = set(pack())
    assert [message.text for message in held_out(name) if spoken(message.text) in learnt] == []
