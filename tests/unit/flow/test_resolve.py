"""Gathering a burst: who waits, who wakes whom, and who is not to be answered."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.flow.bench import TENANT, Bench

from smarteros.domain.turns import ResolvedTurn
from smarteros.flow.resolve import ResolveStep
from smarteros.flow.step_aside import StepAsideStep
from smarteros.store.turns import leadership


def resolve(bench: Bench, message_id: int = 1) -> ResolvedTurn:
    return ResolveStep(bench.parts)(bench.start(message_id))


def texts(resolved: ResolvedTurn) -> list[str]:
    return [message.text for message in resolved.messages]


def test_a_complete_question_is_taken_without_waiting(bench: Bench) -> None:
    bench.receive(1, "¿Tienen zapatillas?")
    resolved = resolve(bench)

    assert texts(resolved) == ["¿Tienen zapatillas?"]
    assert (bench.pauses, resolved.waited_ms) == ([], 0)


def test_the_question_that_follows_a_greeting_ends_the_wait_and_is_taken_with_it(bench: Bench) -> None:
    bench.receive(1, "hola")

    def customer_goes_on() -> None:
        if len(bench.pauses) == 3:
            bench.receive(2, "¿Tienen zapatillas?")

    bench.on_pause = customer_goes_on
    assert texts(resolve(bench)) == ["hola", "¿Tienen zapatillas?"]
    assert len(bench.pauses) == 3


def test_a_lone_greeting_is_taken_when_the_wait_is_over(bench: Bench) -> None:
    bench.receive(1, "hola", ago_s=2.4)

    assert texts(resolve(bench)) == ["hola"]


def test_nobody_waits_when_the_waiting_room_is_full(bench: Bench) -> None:
    bench.receive(1, "hola")
    parts = bench.parts
    while parts.waiting_room.acquire(blocking=False):
        pass

    assert texts(ResolveStep(parts)(bench.start(1))) == ["hola"]
    assert bench.pauses == []


def test_a_message_deleted_while_waiting_is_not_answered(bench: Bench) -> None:
    bench.receive(1, "hola")
    bench.on_pause = lambda: bench.delete(1)
    resolved = resolve(bench)

    assert (resolved.stop, resolved.reason) == ("merged", "message_deleted")


def test_of_a_burst_only_the_deleted_message_is_left_out(bench: Bench) -> None:
    bench.receive(1, "¿Tienen zapatillas?")
    bench.receive(2, "¿Abren hoy?")
    bench.delete(1)

    assert texts(resolve(bench, 2)) == ["¿Abren hoy?"]


def test_the_later_message_of_a_burst_has_nothing_left_to_answer(bench: Bench) -> None:
    bench.receive(1)
    bench.receive(2)
    resolve(bench, 1)
    resolved = resolve(bench, 2)

    assert (resolved.stop, resolved.reason) == ("merged", None)


def test_after_a_persons_reply_the_bot_is_silent_though_the_conversation_is_pending(bench: Bench) -> None:
    bench.person_replies()
    bench.receive(1)
    resolved = resolve(bench)

    assert (resolved.stop, resolved.reason) == ("muted", "human_reply")


@pytest.mark.parametrize("reason", ["conversation_open", "human_assigned"])
def test_a_conversation_given_back_unheard_is_the_bots_again(bench: Bench, reason: str) -> None:
    bench.person_replies(reason)
    bench.receive(1)

    assert resolve(bench).stop is None
    with bench.database.tenant(TENANT.scope) as connection:
        assert leadership(connection, TENANT.tenant_id, bench.conversation_id).muted_reason is None


def test_a_person_who_answers_just_when_the_mute_is_checked_keeps_the_conversation(bench: Bench) -> None:
    bench.person_replies("conversation_open")
    bench.receive(1)
    channel, read = bench.channel, bench.channel.conversation

    def read_and_be_late(*given: Any, **named: Any) -> Any:
        now = read(*given, **named)
        bench.person_replies()
        return now

    channel.conversation = read_and_be_late
    assert resolve(bench).stop == "muted"


def test_a_person_who_still_leads_keeps_the_conversation(bench: Bench) -> None:
    bench.person_replies("human_assigned")
    bench.channel.state = bench.channel.state.model_copy(update={"assigned_to_human": True})
    bench.receive(1)

    assert resolve(bench).stop == "muted"


def test_a_persons_reply_opens_a_pending_conversation(bench: Bench) -> None:
    replied = StepAsideStep(bench.parts)(bench.start(7, cause="human_reply"))

    assert (replied.outcome, replied.reason) == ("muted", "human_reply")
    assert bench.channel.state.status == "open"


def test_a_reply_that_was_not_delivered_goes_to_a_person_with_its_words(bench: Bench) -> None:
    bench.receive(1)
    bench.fence(1, bench.drafted(1)).send("Sí, en negro")
    with bench.database.tenant(TENANT.scope) as connection:
        connection.exec_driver_sql(
            "UPDATE smos.replies SET failed_at = now(), failed_reason = '131047' WHERE conversation_id = %s",
            (bench.conversation_id,),
        )
    replied = StepAsideStep(bench.parts)(bench.start(1, cause="delivery_failed"))

    assert (replied.outcome, replied.reason) == ("escalated", "delivery_failed")
    (note,) = bench.channel.notes
    assert "131047" in note
    assert "Sí, en negro" in note
