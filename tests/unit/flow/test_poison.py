"""A turn that fails for good has an end all the same: a person, a record, a number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from tests.unit.flow.bench import TENANT, Bench

from smarteros.contracts.loader import load_contracts
from smarteros.domain.errors import PermanentError, TransientError
from smarteros.domain.turns import ClaimedTurn, TurnCause, TurnRecord
from smarteros.flow import audit
from smarteros.flow.workflow import MOST_TRIES, TurnWorkflow
from smarteros.observability.metrics import REGISTRY
from smarteros.store.events import burst, claim_burst
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


def ends(bench: Bench, agent: BrokenAgent, **parts: Any) -> TurnRecord:
    bench.receive(1)
    return run(bench, bench.claim(1), agent=cast("Any", agent), **parts)


def run(bench: Bench, turn: ClaimedTurn, **parts: Any) -> TurnRecord:
    """Run a turn to its end: it leaves one record and nothing in the queue."""
    outcome = TurnWorkflow(replace(bench.parts, contracts=CONTRACTS, **parts)).run(turn)
    with bench.database.tenant(TENANT.scope) as connection:
        (record,) = list_turns(connection, TENANT.tenant_id, bench.conversation_id, 10)
    assert record.outcome == outcome
    assert bench.queue.row(turn.start.turn_id) is None
    return record


def tried(bench: Bench, times: int) -> ClaimedTurn:
    """The turn after so many tries that broke off."""
    bench.queue.ask("UPDATE smos.waiting_turns SET tries = %s", times)
    return bench.claim(1)


def refuse(*_: object, **__: object) -> Any:
    raise ZeroDivisionError


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
    bench.channel.conversation = refuse
    record = ends(bench, BrokenAgent(ZeroDivisionError()))

    assert (record.outcome, record.reason) == ("failed", "unforeseen_error; unforeseen_error")
    assert bench.channel.posted == []


def for_people(bench: Bench, cause: TurnCause) -> ClaimedTurn:
    bench.queue.enqueue(bench.start(7, cause=cause))
    return bench.claim(7)


@pytest.mark.parametrize("cause", ["human_reply", "delivery_failed"])
def test_a_turn_for_people_that_fails_is_recorded_too_and_says_nothing_to_the_customer(
    bench: Bench, cause: TurnCause
) -> None:
    bench.person_replies()
    bench.channel.conversation = bench.channel.hand_over = refuse
    record = run(bench, for_people(bench, cause))

    assert (record.outcome, record.reason) == ("failed", "unforeseen_error")
    assert bench.channel.posted == []


def test_the_words_of_the_draft_go_to_the_person_when_the_channel_would_not_deliver_them(bench: Bench) -> None:
    bench.channel.state = bench.channel.state.model_copy(update={"can_reply": False})
    record = ends(bench, BrokenAgent(ZeroDivisionError()))

    assert (record.outcome, record.reason, record.reply_text) == ("escalated", "outside_window", None)
    (note,) = bench.channel.notes
    assert "24 horas" in note
    assert bench.channel.posted == []


def test_a_turn_that_broke_off_six_times_goes_to_a_person_without_being_tried_again(bench: Bench) -> None:
    bench.receive(1, "¿Hasta qué hora atienden?")
    agent = BrokenAgent(ZeroDivisionError())
    record = run(bench, tried(bench, MOST_TRIES), agent=cast("Any", agent))

    assert (record.outcome, record.reason, agent.asked) == ("escalated", "turn_poisoned", 0)
    assert len(bench.channel.posted) == len(bench.channel.notes) == 1
    assert "¿Hasta qué hora atienden?" in bench.channel.notes[0]


def test_who_changes_his_words_while_his_turn_breaks_is_not_left_without_a_word(bench: Bench) -> None:
    class Breaks(BrokenAgent):
        def decide(self, request: object) -> Any:
            bench.edit(1, "¿Y los domingos?")
            return super().decide(request)

    record = ends(bench, Breaks(ZeroDivisionError()))

    assert record.outcome == "escalated"
    assert len(bench.channel.posted) == len(bench.channel.notes) == 1


def test_a_turn_given_up_whose_message_was_answered_with_an_earlier_one_ends_in_silence(bench: Bench) -> None:
    bench.receive(1)
    bench.receive(2)
    with bench.database.tenant(TENANT.scope) as connection:
        found = burst(connection, TENANT.tenant_id, bench.conversation_id, bench.start(1).turn_id)
        claim_burst(connection, TENANT.tenant_id, bench.start(1).turn_id, found)
    bench.queue.ask("DELETE FROM smos.waiting_turns WHERE turn_id = %s", bench.start(1).turn_id)
    bench.queue.ask("UPDATE smos.waiting_turns SET tries = %s", MOST_TRIES)
    record = run(bench, bench.claim(2))

    assert (record.outcome, bench.channel.posted, bench.channel.notes) == ("merged", [], [])


def test_the_sixth_try_is_still_one(bench: Bench) -> None:
    bench.receive(1)
    agent = BrokenAgent(ZeroDivisionError())
    record = run(bench, tried(bench, MOST_TRIES - 1), agent=cast("Any", agent))

    assert (record.reason, agent.asked) == ("unforeseen_error", 1)


def test_a_reply_that_is_in_the_channel_is_not_followed_by_another_when_its_turn_is_given_up(bench: Bench) -> None:
    bench.receive(1)
    bench.begin(1).send("Sí")
    assert bench.queue.give_back() == 1
    record = run(bench, tried(bench, MOST_TRIES))

    assert (record.outcome, record.reason, record.reply_text) == ("escalated", "turn_poisoned", "Sí")
    assert bench.channel.posted == ["Sí"]


def test_a_poisoned_turn_for_people_says_nothing_to_the_customer(bench: Bench) -> None:
    bench.queue.enqueue(bench.start(1, cause="human_reply"))
    record = run(bench, tried(bench, MOST_TRIES))

    assert (record.outcome, record.reason, bench.channel.posted) == ("failed", "turn_poisoned", [])


def test_a_turn_whose_record_cannot_be_written_stays_until_its_tries_are_over(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "save_turn", refuse)
    bench.receive(1)
    parts = replace(bench.parts, contracts=CONTRACTS, agent=cast("Any", BrokenAgent(ZeroDivisionError())))
    turn = bench.claim(1)
    with pytest.raises(PermanentError):
        TurnWorkflow(parts).run(turn)
    assert bench.queue.is_ours(turn)

    bench.queue.give_back()
    assert TurnWorkflow(parts).run(tried(bench, MOST_TRIES)) == "escalated"
    assert bench.queue.row(turn.start.turn_id) is None
    assert len(bench.channel.posted) == 1
