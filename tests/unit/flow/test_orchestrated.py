"""Turns another orchestrator leads: answered once, by whoever is there, and never over a person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from tests.unit.flow.bench import TENANT, Bench

from smarteros.contracts.loader import load_contracts
from smarteros.domain.decisions import AgentRequest, Decision
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import ClaimedTurn
from smarteros.flow.decide import agent_request
from smarteros.flow.given_back import PutOffError
from smarteros.flow.lanes import SlowLane
from smarteros.flow.orchestrated import Ended, LedTurn, NotYet, OrchestratedTurns
from smarteros.flow.workflow import HEAD_START_S, TurnWorkflow
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.store import MemoryDocumentStore
from smarteros.store.queue import names_of_working

CONTRACTS = load_contracts(Path(__file__).parents[3] / "contracts")
LED_BY_N8N = TENANT.model_copy(update={"orchestration": "n8n"})
DECISION = Decision(intent="greeting", confidence=0.99, route="smalltalk")


class Tenants:
    def get(self, tenant_id: str) -> Tenant:
        return LED_BY_N8N


class OwnAgent:
    """What our own workers ask when they answer such a turn."""

    def decide(self, request: AgentRequest) -> Decision:
        return Decision(intent="thanks_goodbye", confidence=0.99, route="smalltalk")


@dataclass
class Led:
    """A conversation whose turns n8n leads."""

    bench: Bench
    turns: OrchestratedTurns
    workflow: TurnWorkflow

    def resolve(self, message_id: int) -> LedTurn:
        found = self.turns.resolve(LED_BY_N8N, self.bench.start(message_id).turn_id)
        assert isinstance(found, LedTurn)
        return found

    def reply(self, led: LedTurn, decision: Decision = DECISION) -> Ended:
        return self.turns.reply(LED_BY_N8N, led, decision)

    def lease_ends(self) -> None:
        """The orchestrator does not come back: its turn is given back by those who watch over the workers."""
        self.bench.queue.ask("UPDATE smos.waiting_turns SET worker = 'lease:1:' || turn_id WHERE worker IS NOT NULL")
        with self.bench.queue.connection() as connection:
            gone = names_of_working(connection)
        assert sum(self.bench.queue.give_back(name) for name in gone) == 1

    def claim(self, message_id: int, *, accepted_ago_s: float) -> ClaimedTurn:
        """A worker takes the turn, which was accepted so long ago."""
        turn = self.bench.claim(message_id)
        accepted_at = datetime.now(UTC) - timedelta(seconds=accepted_ago_s)
        return turn.model_copy(update={"start": turn.start.model_copy(update={"received_at": accepted_at})})


@pytest.fixture
def led(bench: Bench) -> Led:
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore())
    parts = replace(
        bench.parts,
        tenants=cast("Any", Tenants()),
        agent=cast("Any", OwnAgent()),
        knowledge=knowledge,
        contracts=CONTRACTS,
        slow_lane=SlowLane(1),
    )
    workflow = TurnWorkflow(parts)
    return Led(bench, OrchestratedTurns(parts, workflow), workflow)


def test_a_led_turn_is_answered_once_and_audited(led: Led) -> None:
    led.bench.receive(1, "hola, buenas tardes", ago_s=60)
    story = led.resolve(1)

    assert agent_request(LED_BY_N8N, story.resolved).message.content == "hola, buenas tardes"
    assert led.reply(story) == Ended(outcome="answered")
    (said,) = led.bench.channel.posted
    assert "Tienda Flujo" in said
    assert led.bench.queue.row(story.turn.start.turn_id) is None
    with led.bench.database.tenant(TENANT.scope) as connection:
        query = sa.text("SELECT event ->> 'intent' FROM smos.audit_events WHERE event_id = :event")
        event_id = f"turn:{story.turn.start.turn_id}"
        assert connection.execute(query, {"event": event_id}).scalar_one() == "greeting"


def test_a_reply_that_is_asked_for_again_is_not_posted_again(led: Led) -> None:
    led.bench.receive(1, "hola, buenas tardes", ago_s=60)
    story = led.resolve(1)
    led.reply(story)

    with pytest.raises(RejectedInputError, match="taken it up") as refused:
        led.reply(story)
    assert (refused.value.code, refused.value.status) == ("turn_taken_up", 409)
    assert len(led.bench.channel.posted) == 1


def test_a_turn_is_led_by_one_orchestrator_only(led: Led) -> None:
    led.bench.receive(1, "hola, buenas tardes", ago_s=60)
    story = led.resolve(1)

    assert led.turns.resolve(LED_BY_N8N, story.turn.start.turn_id) == Ended(reason="leased")
    assert led.bench.queue.claim() == []


def test_the_next_message_waits_for_the_turn_before_it(led: Led) -> None:
    led.bench.receive(1, "hola, buenas tardes", ago_s=60)
    story = led.resolve(1)
    led.bench.receive(2, "¿a qué hora abren?", ago_s=30)
    second = led.bench.start(2).turn_id

    assert isinstance(led.turns.resolve(LED_BY_N8N, second), NotYet)
    led.reply(story)
    assert led.resolve(2).resolved.text == "¿a qué hora abren?"


def test_a_customer_who_goes_on_writing_is_waited_for(led: Led) -> None:
    led.bench.receive(1, "hola")

    early = led.turns.resolve(LED_BY_N8N, led.bench.start(1).turn_id)

    assert isinstance(early, NotYet)
    led.bench.age(10, 1)
    assert isinstance(led.turns.resolve(LED_BY_N8N, led.bench.start(1).turn_id, early.turn), LedTurn)


def test_nothing_is_posted_over_a_person(led: Led) -> None:
    led.bench.receive(1, "hola, buenas tardes", ago_s=60)
    story = led.resolve(1)
    led.bench.person_replies()

    assert led.reply(story).outcome == "muted"
    assert led.bench.channel.posted == []


def test_a_conversation_of_a_person_is_not_decided_at_all(led: Led) -> None:
    led.bench.person_replies()
    led.bench.receive(1, "hola, buenas tardes", ago_s=60)

    assert led.turns.resolve(LED_BY_N8N, led.bench.start(1).turn_id) == Ended(outcome="muted")


def test_a_price_the_orchestrator_made_up_is_not_sent(led: Led) -> None:
    led.bench.receive(1, "¿Cuánto cuesta el despacho?", ago_s=60)
    lie = Decision(intent="faq_shipping", confidence=0.99, route="kb_direct", reply="Cuesta $1.000.")

    led.reply(led.resolve(1), lie)

    assert "1.000" not in "".join(led.bench.channel.posted)


def test_what_an_orchestrator_gives_up_is_answered_at_once(led: Led) -> None:
    led.bench.receive(1, "hola, buenas tardes", ago_s=60)

    assert led.turns.give_up(LED_BY_N8N, led.resolve(1)) == Ended(outcome="answered")
    assert "Gracias" in led.bench.channel.posted[0]


def test_a_turn_whose_orchestrator_vanished_is_answered_by_a_worker_and_only_by_it(led: Led) -> None:
    led.bench.receive(1, "hola, buenas tardes", ago_s=60)
    story = led.resolve(1)
    led.lease_ends()

    with pytest.raises(RejectedInputError, match="taken it up"):
        led.reply(story)
    assert led.workflow.run(led.claim(1, accepted_ago_s=60)) == "answered"
    with pytest.raises(RejectedInputError, match="taken it up"):
        led.reply(story)
    assert len(led.bench.channel.posted) == 1


def test_a_worker_lets_the_orchestrator_begin_first(led: Led) -> None:
    led.bench.receive(1, "hola, buenas tardes", ago_s=60)

    with pytest.raises(PutOffError) as early:
        led.workflow.run(led.claim(1, accepted_ago_s=0))
    assert 0 < early.value.after_s <= HEAD_START_S


def test_a_lease_that_holds_is_nobodys_death(led: Led) -> None:
    led.bench.receive(1, "hola, buenas tardes", ago_s=60)
    led.resolve(1)

    with led.bench.queue.connection() as connection:
        assert names_of_working(connection) == set()
