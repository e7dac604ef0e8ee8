"""A turn that a model has worded is decided again from its record, without asking anybody."""

from __future__ import annotations

import pytest
from tests.unit.agents.llm.brains import Brain, brain, contracts, knowledge_with, request, says, small_shop
from tests.unit.agents.talk import SCOPE

from smarteros.agents.llm.protocol import LlmFault
from smarteros.agents.llm.recorded import RecordedLlmAgent
from smarteros.agents.native import NativeAgent
from smarteros.domain.errors import PermanentError

SHIPPING = "¿cuánto cuesta el despacho?"
REPLY = "El despacho a todo Chile cuesta $4.500."


def recorded(live: Brain, native: NativeAgent | None = None) -> RecordedLlmAgent:
    return RecordedLlmAgent(native or small_shop(), live.ledger, contracts())


def test_the_decision_is_the_same_bit_for_bit():
    live = brain(says(REPLY))
    then = live.ask(SHIPPING)
    assert then.reply == REPLY
    again = recorded(live).decide(request(SHIPPING))
    assert again.model_dump_json() == then.model_dump_json()
    assert live.asked == 1


def test_playing_again_costs_nothing():
    live = brain(says(REPLY))
    live.ask(SHIPPING)
    before = live.ledger.spent(SCOPE, "2026-11")
    recorded(live).decide(request(SHIPPING))
    assert live.ledger.spent(SCOPE, "2026-11") == before


@pytest.mark.parametrize("script", [says("El despacho cuesta $1."), says("", answerable=False), lambda _: "no JSON"])
def test_what_was_not_used_then_is_not_used_now(script: object):
    live = brain(script)  # pyright: ignore[reportArgumentType]
    assert recorded(live).decide(request(SHIPPING)) == live.ask(SHIPPING)


def test_a_message_that_was_never_asked_about_is_the_embedded_brains():
    assert recorded(brain()).decide(request(SHIPPING)) == small_shop().decide(request(SHIPPING))


def test_another_knowledge_base_would_have_been_another_question():
    live = brain(says(REPLY))
    live.ask(SHIPPING)
    changed = NativeAgent(
        knowledge_with(despachos="---\ncategory: envios\n---\n# D\n## ¿Cuánto cuesta el despacho?\nCuesta $9.990.\n")
    )
    with pytest.raises(PermanentError) as refused:
        recorded(live, changed).decide(request(SHIPPING))
    assert refused.value.code == "llm_not_recorded"


def test_a_fault_then_is_the_embedded_brains_decision_now():
    class Away:
        def ask(self, *_: object) -> None:
            raise LlmFault("unavailable", "scripted")

    live = brain(model=Away())  # pyright: ignore[reportArgumentType]
    assert live.ask(SHIPPING) == recorded(live).decide(request(SHIPPING))
