"""Which turns leave a question for the upkeep of the knowledge base."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from smarteros.contracts.loader import load_contract
from smarteros.domain.decisions import Decision
from smarteros.domain.gaps import Gap
from smarteros.domain.messages import Contact, IncomingMessage
from smarteros.domain.turns import DecidedTurn, Replied, ResolvedTurn, ToolsCalled, TurnStory
from smarteros.flow.gaps import gap_of

CONTRACT = load_contract(Path(__file__).parents[3] / "contracts" / "e2e-faq-quick.yml")


def gap_after(text: str, *, rule: str | None = None, **decision: Any) -> Gap | None:
    message = IncomingMessage(
        id=1,
        tenant_id="FLOW_SHOP",
        account_id=31,
        conversation_id=1,
        inbox_id=7,
        channel="whatsapp",
        contact=Contact(id=1),
        text=text,
        created_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
    )
    decided = Decision.model_validate({"intent": "faq_shipping", "confidence": 0.95, "route": "kb_direct", **decision})
    return gap_of(
        CONTRACT,
        TurnStory(
            resolved=ResolvedTurn(messages=(message,)),
            decided=DecidedTurn(flow_id=CONTRACT.flow_id, decision=decided),
            called=ToolsCalled(),
            replied=Replied(outcome="answered", rule=rule),
            summary="",
        ),
    )


@pytest.mark.parametrize(
    ("decision", "rule", "reason"),
    [
        ({"confidence": 0.5, "route": "clarify"}, "clarify", "not_sure"),
        ({"confidence": 0.5}, None, "not_sure"),
        ({}, "not_in_kb", "not_in_kb"),
        ({"intent": "out_of_scope", "confidence": 0.1, "route": "fallback"}, "out_of_scope", "out_of_scope"),
    ],
)
def test_what_was_not_understood_or_not_answered_is_kept(decision: dict[str, Any], rule: str, reason: str):
    gap = gap_after("¿mandan por dron?", rule=rule, **decision)
    assert gap is not None
    assert gap.reason == reason


@pytest.mark.parametrize(
    "decision",
    [
        {},
        {"intent": "greeting", "confidence": 0.3, "route": "smalltalk"},
        {"intent": "human_request", "confidence": 0.5, "route": "human_handoff"},
    ],
)
def test_what_was_answered_or_needs_no_text_is_not_kept(decision: dict[str, Any]):
    assert gap_after("¿cuánto cuesta el envío?", rule="answered_from_kb", **decision) is None


def test_wordings_that_differ_in_courtesy_spelling_and_figures_have_one_pattern():
    texts = ["Hola, ¿mandan por dron a 20 km?", "mandan x dron a 300 km", "buenas!! Mandan por DRON a 5 km??"]
    patterns = {gap.pattern for gap in (gap_after(text, confidence=0.5, route="clarify") for text in texts) if gap}
    assert patterns == {"mandan por dron a km"}


def test_personal_data_is_not_kept():
    gap = gap_after("soy juan@correo.cl, rut 12.345.678-5, mandan por dron?", confidence=0.4, route="clarify")
    assert gap is not None
    assert "juan@correo.cl" not in gap.example
    assert "12.345.678-5" not in gap.example
    assert "juan" not in gap.pattern


@pytest.mark.parametrize("text", ["", "   ", "👋", "hola"])
def test_what_asks_nothing_is_no_gap(text: str):
    assert gap_after(text, confidence=0.2, route="clarify") is None
