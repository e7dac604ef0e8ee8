"""A turn that fails for good has an end all the same: a person, a record, a number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from tests.unit.flow.bench import TENANT, Bench

from smarteros.contracts.loader import load_contracts
from smarteros.domain.errors import PermanentError, TransientError
from smarteros.domain.turns import TurnRecord
from smarteros.flow import workflow
from smarteros.flow.workflow import TurnWorkflow
from smarteros.observability.metrics import REGISTRY
from smarteros.store.turns import list_turns

CONTRACTS = load_contracts(Path(__file__).parents[3] / "contracts")


class BrokenAgent:
    """Fails in a way nobody foresaw; counts how often it was asked."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.asked = 0

    def decide(self, request: object) -> Any:
        self.asked += 1
        raise self.error


@pytest.fixture(autouse=True)
def steps_without_checkpoints(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Steps run as they do in the engine, whose checkpoints are not the point here."""

    def step(name: str, work: Any, *arguments: Any) -> Any:
        try:
            return work(*arguments)
        except (PermanentError, TransientError):
            raise
        except Exception as error:
            raise PermanentError("unforeseen_error", f"{name}: {type(error).__name__}") from error

    monkeypatch.setattr(workflow, "step", step)
    yield


def ends(bench: Bench, agent: BrokenAgent, **parts: Any) -> TurnRecord:
    bench.receive(1)
    broken = replace(bench.parts, agent=cast("Any", agent), contracts=CONTRACTS, **parts)
    outcome = TurnWorkflow(broken).run(bench.start(1))
    with bench.database.tenant(TENANT.scope) as connection:
        (record,) = list_turns(connection, TENANT.tenant_id, bench.conversation_id, 10)
    assert record.outcome == outcome
    return record


def test_a_fault_nobody_foresaw_goes_to_a_person_with_an_apology(bench: Bench) -> None:
    labels = {"tenant": TENANT.tenant_id, "outcome": "escalated", "reason": "unforeseen_error"}
    before = REGISTRY.get_sample_value("smos_turn_ends_total", labels) or 0.0
    agent = BrokenAgent(ZeroDivisionError())
    record = ends(bench, agent)

    assert (record.outcome, record.reason, agent.asked) == ("escalated", "unforeseen_error", 1)
    assert len(bench.channel.posted) == len(bench.channel.notes) == 1
    assert bench.channel.state.status == "open"
    assert REGISTRY.get_sample_value("smos_turn_ends_total", labels) == before + 1


def test_a_fault_that_should_pass_is_tried_again_only_so_often(bench: Bench) -> None:
    agent = BrokenAgent(TransientError("agent_away", "no answer"))
    record = ends(bench, agent)

    assert (record.outcome, record.reason, agent.asked) == ("escalated", "agent_away", 6)
    assert sum(bench.pauses) < 8.0


def test_when_even_the_apology_fails_the_turn_ends_failed_and_recorded(bench: Bench) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise ZeroDivisionError

    bench.channel.conversation = refuse
    record = ends(bench, BrokenAgent(ZeroDivisionError()))

    assert (record.outcome, record.reason) == ("failed", "unforeseen_error; unforeseen_error")
    assert bench.channel.posted == []


def test_a_turn_for_people_that_fails_is_recorded_too(bench: Bench) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise ZeroDivisionError

    bench.channel.conversation = refuse
    parts = replace(bench.parts, contracts=CONTRACTS)
    assert TurnWorkflow(parts).run(bench.start(7, cause="human_reply")) == "failed"
    with bench.database.tenant(TENANT.scope) as connection:
        (record,) = list_turns(connection, TENANT.tenant_id, bench.conversation_id, 10)
    assert record.reason == "unforeseen_error"


def test_the_words_of_the_draft_go_to_the_person_when_the_channel_would_not_deliver_them(bench: Bench) -> None:
    bench.channel.state = bench.channel.state.model_copy(update={"can_reply": False})
    record = ends(bench, BrokenAgent(ZeroDivisionError()))

    assert (record.outcome, record.reason, record.reply_text) == ("escalated", "outside_window", None)
    (note,) = bench.channel.notes
    assert "24 horas" in note
    assert bench.channel.posted == []
