"""A worker dies between writing its reply down and recording the turn: the next one goes on from the draft."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.flow.bench import TENANT, Attempt, Bench

from smarteros.contracts.loader import load_contracts
from smarteros.domain.errors import PermanentError, TransientError
from smarteros.domain.turns import ClaimedTurn, Replied, TurnRecord
from smarteros.flow.fence import FencedError
from smarteros.flow.given_back import OvertakenError
from smarteros.flow.reply import ReplyStep
from smarteros.flow.workflow import TurnWorkflow
from smarteros.store.turns import list_turns

CONTRACTS = load_contracts(Path(__file__).parents[3] / "contracts")


class ProcessDied(BaseException):
    """Nothing of ours runs after it."""


def dies(*_: object) -> None:
    raise ProcessDied


def dies_before_its_post(bench: Bench, attempt: Attempt, text: str = "Sí") -> ClaimedTurn:
    bench.channel.on_post = dies
    with pytest.raises(ProcessDied):
        attempt.send(text)
    return bench.take_over(attempt.turn.start.message_id)


def resume(bench: Bench, turn: ClaimedTurn) -> Replied:
    assert turn.draft is not None
    return ReplyStep(bench.parts).resume(turn, turn.draft)


def test_a_reply_that_was_posted_before_the_crash_is_not_posted_again_but_told(bench: Bench) -> None:
    bench.receive(1)
    bench.begin(1).send("Sí")
    taken = bench.take_over(1)
    bench.person_replies()  # the reply is there all the same, and the turn must be able to say so
    replied = resume(bench, taken)

    assert (replied.outcome, replied.text, replied.message_id) == ("answered", "Sí", 901)
    assert bench.channel.posted == ["Sí"]


def test_a_reply_that_was_only_written_down_before_the_crash_is_posted(bench: Bench) -> None:
    bench.receive(1)
    replied = resume(bench, dies_before_its_post(bench, bench.begin(1)))

    assert (replied.outcome, replied.rule, bench.channel.posted) == ("answered", "test", ["Sí"])


def test_a_person_who_came_between_crash_and_resumption_silences_it(bench: Bench) -> None:
    bench.receive(1)
    taken = dies_before_its_post(bench, bench.begin(1))
    bench.person_replies()
    replied = resume(bench, taken)

    assert (replied.outcome, replied.reason, bench.channel.posted) == ("muted", "human_reply", [])


def test_a_conversation_opened_between_crash_and_resumption_is_its_persons(bench: Bench) -> None:
    bench.receive(1)
    taken = dies_before_its_post(bench, bench.begin(1))
    bench.channel.open_conversation(TENANT, bench.conversation_id)

    assert resume(bench, taken).reason == "conversation_open"
    assert bench.channel.posted == []


def test_a_customer_who_goes_on_between_crash_and_resumption_is_answered_once_and_to_everything(bench: Bench) -> None:
    bench.receive(1)
    taken = dies_before_its_post(bench, bench.begin(1))
    bench.receive(2, "talla 42")
    replied = resume(bench, taken)

    assert (replied.outcome, replied.reason, bench.channel.posted) == ("merged", "newer_message", [])
    assert bench.waiting() == [1, 2]


def test_a_customer_who_goes_on_after_five_seconds_gets_the_written_reply_first(bench: Bench) -> None:
    bench.receive(1, ago_s=6)
    taken = dies_before_its_post(bench, bench.begin(1))
    bench.receive(2, "y otra cosa")
    replied = resume(bench, taken)

    assert (replied.outcome, bench.channel.posted, bench.waiting()) == ("answered", ["Sí"], [2])


def test_a_draft_is_finished_by_the_workflow_without_deciding_again(bench: Bench) -> None:
    bench.receive(1)
    taken = dies_before_its_post(bench, bench.begin(1))
    outcome = TurnWorkflow(replace(bench.parts, contracts=CONTRACTS)).run(taken)  # it has no agent to ask

    assert (outcome, bench.channel.posted) == ("answered", ["Sí"])
    assert bench.queue.row(taken.start.turn_id) is None
    assert record(bench).reply_text == "Sí"


def test_an_attempt_that_may_have_posted_is_asked_for_before_another_text_goes_out(bench: Bench) -> None:
    bench.receive(1)
    attempt = bench.begin(1)
    attempt.send("Sí")

    assert attempt.send("Tuve un problema") == "Sí"
    assert bench.channel.posted == ["Sí"]


def test_an_apology_after_a_failed_post_is_not_said_over_a_person_who_has_come_meanwhile(bench: Bench) -> None:
    bench.receive(1)
    attempt = bench.begin(1)

    def refuses() -> None:
        raise PermanentError("refused", "no")

    bench.channel.on_post = refuses
    with pytest.raises(PermanentError):
        attempt.send("Sí")
    bench.person_replies()

    with pytest.raises(FencedError, match="human_reply"):
        attempt.send("Tuve un problema")
    assert bench.channel.posted == []


def test_a_post_that_fails_in_passing_is_tried_again_and_said_once(bench: Bench) -> None:
    bench.receive(1)
    attempt = bench.begin(1)

    def fails() -> None:
        raise TransientError("away", "no answer")

    bench.channel.on_post = fails
    attempt.send("Sí")
    assert (bench.channel.posted, len(bench.pauses)) == (["Sí"], 1)


def test_a_worker_that_was_taken_for_dead_records_nothing(bench: Bench) -> None:
    bench.receive(1)
    bench.begin(1).send("Sí")
    sleeper = bench.take_over(1)
    taken = bench.take_over(1)
    workflow = TurnWorkflow(replace(bench.parts, contracts=CONTRACTS))
    with pytest.raises(OvertakenError):
        workflow.run(sleeper)

    assert records(bench) == []
    assert bench.queue.is_ours(taken)
    assert workflow.run(taken) == "answered"
    assert (len(records(bench)), bench.channel.posted) == (1, ["Sí"])


def records(bench: Bench) -> list[Any]:
    with bench.database.tenant(TENANT.scope) as connection:
        return list(list_turns(connection, TENANT.tenant_id, bench.conversation_id, 10))


def record(bench: Bench) -> TurnRecord:
    (only,) = records(bench)
    return only
