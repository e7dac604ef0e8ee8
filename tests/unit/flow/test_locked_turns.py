"""A turn whose agent states what nobody looked up: the customer reads the rest, the shop's people what was left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from tests.unit.flow.bench import TENANT, Bench

from smarteros.contracts.loader import load_contracts
from smarteros.domain.decisions import AgentRequest, Decision
from smarteros.domain.knowledge import Document
from smarteros.flow.wording import LOCKED
from smarteros.flow.workflow import TurnWorkflow
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.store import MemoryDocumentStore

CONTRACTS = load_contracts(Path(__file__).parents[3] / "contracts")


class Says:
    """An agent that answers every question with the same words."""

    def __init__(self, words: str) -> None:
        self._words = words

    def decide(self, _request: AgentRequest) -> Decision:
        return Decision(intent="faq_shipping", confidence=0.99, route="kb_direct", reply=self._words)


@pytest.fixture
def knowledge() -> EmbeddedKnowledgeBase:
    opened = EmbeddedKnowledgeBase(MemoryDocumentStore())
    opened.replace(TENANT.scope, (Document(name="envios.md", title="Envíos", markdown="# Envíos\n\nVaría.\n"),))
    return opened


def run(bench: Bench, knowledge: EmbeddedKnowledgeBase, words: str) -> dict[str, Any]:
    """Run a turn; returns the details of its audit event."""
    parts = replace(bench.parts, agent=cast("Any", Says(words)), knowledge=knowledge, contracts=CONTRACTS)
    bench.receive(1, "¿Cuánto cuesta el envío?", ago_s=60)
    turn = bench.claim(1)
    TurnWorkflow(parts).run(turn)
    with bench.database.tenant(TENANT.scope) as connection:
        found = connection.execute(
            sa.text("SELECT event -> 'details' FROM smos.audit_events WHERE event_id = :event"),
            {"event": f"turn:{turn.start.turn_id}"},
        )
        return found.scalar_one()


def test_a_lie_is_not_sent_and_a_person_reads_it_with_the_reason(
    bench: Bench, knowledge: EmbeddedKnowledgeBase
) -> None:
    counter = LOCKED.labels(TENANT.tenant_id, "e2e_faq_quick", "person")
    before = counter._value.get()  # pyright: ignore[reportPrivateUsage]
    details = run(bench, knowledge, "El envío es gratis y llega mañana.")

    (said,), (note,) = bench.channel.posted, bench.channel.notes
    assert "agente humano" in said
    assert "gratis" not in said
    assert details["reason"] == "fact_lock"
    assert "El envío es gratis y llega mañana." in note
    assert counter._value.get() == before + 1  # pyright: ignore[reportPrivateUsage]


def test_the_audit_names_the_kinds_of_facts_that_were_withheld_and_none_of_their_words(
    bench: Bench, knowledge: EmbeddedKnowledgeBase
) -> None:
    details = run(bench, knowledge, "Cuesta $2.990 o $3.990, y lo cambias en 15 días.")

    assert details["withheld_facts"] == ["day", "money"]
    assert "990" not in str(details)


def test_an_answer_without_facts_is_sent_as_it_is(bench: Bench, knowledge: EmbeddedKnowledgeBase) -> None:
    details = run(bench, knowledge, "Depende de tu comuna.")

    assert details["reason"] is None
    assert "withheld_facts" not in details
    assert "Depende de tu comuna." in bench.channel.posted[0]
    assert bench.channel.notes == []
