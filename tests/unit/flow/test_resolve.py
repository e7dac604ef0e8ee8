"""Gathering a burst: who waits, who wakes whom, and who is not to be answered."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.flow.bench import TENANT, Bench

from smarteros.domain.turns import Replied, ResolvedTurn, TurnCause
from smarteros.flow.given_back import OvertakenError, PutOffError
from smarteros.flow.resolve import ResolveStep
from smarteros.flow.step_aside import StepAsideStep
from smarteros.store.turns import muted_reason


def resolve(bench: Bench, message_id: int = 1, *, ends: bool = False) -> ResolvedTurn:
    turn = bench.claim(message_id)
    resolved = ResolveStep(bench.parts)(turn)
    if ends:
        bench.end(turn)
    return resolved


def waits(bench: Bench, message_id: int = 1) -> float:
    """The turn is put off, as its worker does it; returns for how many seconds."""
    turn = bench.claim(message_id)
    with pytest.raises(PutOffError) as caught:
        ResolveStep(bench.parts)(turn)
    bench.queue.put_off(turn, caught.value.after_s)
    return caught.value.after_s


def texts(resolved: ResolvedTurn) -> list[str]:
    return [message.text for message in resolved.messages]


def test_a_complete_question_is_taken_without_waiting(bench: Bench) -> None:
    bench.receive(1, "¿Tienen zapatillas?")
    resolved = resolve(bench)

    assert texts(resolved) == ["¿Tienen zapatillas?"]
    assert (bench.pauses, resolved.waited_ms) == ([], 0)


def test_a_worker_that_was_taken_for_dead_takes_no_messages(bench: Bench) -> None:
    bench.receive(1, "¿Tienen zapatillas?")
    stale = bench.claim(1)
    bench.end(bench.take_over(1))

    with pytest.raises(OvertakenError):
        ResolveStep(bench.parts)(stale)
    assert bench.waiting() == [1]


def test_a_greeting_is_given_time_without_holding_its_worker_or_its_message(bench: Bench) -> None:
    bench.receive(1, "hola")

    assert 1.0 < waits(bench) <= 1.5
    assert bench.pauses == []
    assert bench.waiting() == [1]
    assert bench.queue.claim() == []


def test_the_question_that_follows_a_greeting_ends_the_wait_and_is_taken_with_it(bench: Bench) -> None:
    bench.receive(1, "hola")
    waits(bench)
    bench.receive(2, "¿Tienen zapatillas?")

    assert texts(resolve(bench, ends=True)) == ["hola", "¿Tienen zapatillas?"]
    assert resolve(bench, 2).stop == "merged"


def test_a_question_that_comes_just_when_the_turn_is_put_off_is_looked_at_at_once(bench: Bench) -> None:
    bench.receive(1, "hola")
    turn = bench.claim(1)
    with pytest.raises(PutOffError) as caught:
        ResolveStep(bench.parts)(turn)
    bench.receive(2, "¿Tienen zapatillas?")
    bench.queue.put_off(turn, caught.value.after_s)

    assert texts(resolve(bench)) == ["hola", "¿Tienen zapatillas?"]


def test_a_fragment_that_follows_extends_the_wait(bench: Bench) -> None:
    bench.receive(1, "hola", ago_s=1.4)
    waits(bench)
    bench.receive(2, "una consulta")

    assert waits(bench) > 1.5


def test_a_lone_greeting_is_taken_when_the_wait_is_over(bench: Bench) -> None:
    bench.receive(1, "hola")
    waits(bench)
    bench.age(2.4, 1)
    bench.queue.time_has_come()
    resolved = resolve(bench)

    assert texts(resolved) == ["hola"]
    assert resolved.waited_ms >= 2400


def test_a_greeting_nobody_had_time_for_is_taken_without_waiting_more(bench: Bench) -> None:
    bench.receive(1, "hola", ago_s=2.4)
    resolved = resolve(bench)

    assert (texts(resolved), resolved.waited_ms) == (["hola"], 0)


def test_a_message_deleted_while_waiting_is_not_answered(bench: Bench) -> None:
    bench.receive(1, "hola")
    waits(bench)
    bench.delete(1)
    bench.queue.time_has_come()
    resolved = resolve(bench)

    assert (resolved.stop, resolved.reason) == ("merged", "message_deleted")


def test_of_a_burst_only_the_deleted_message_is_left_out(bench: Bench) -> None:
    bench.receive(1, "¿Tienen zapatillas?")
    bench.receive(2, "¿Abren hoy?")
    bench.delete(1)

    assert texts(resolve(bench, 1)) == ["¿Abren hoy?"]


def test_the_later_message_of_a_burst_has_nothing_left_to_answer(bench: Bench) -> None:
    bench.receive(1)
    bench.receive(2)
    resolve(bench, 1, ends=True)
    resolved = resolve(bench, 2)

    assert (resolved.stop, resolved.reason) == ("merged", None)


def test_a_greeting_that_comes_after_the_answer_to_what_followed_it_is_not_answered(bench: Bench) -> None:
    bench.receive(2, "¿Tienen zapatillas?")
    resolve(bench, 2, ends=True)
    bench.receive(1, "hola, buenas tardes", ago_s=2.4)
    resolved = resolve(bench, 1)

    assert (resolved.stop, resolved.reason) == ("merged", "late_greeting")


def test_a_question_that_comes_after_the_answer_to_what_followed_it_is_answered(bench: Bench) -> None:
    bench.receive(2, "¿Tienen zapatillas?")
    resolve(bench, 2, ends=True)
    bench.receive(1, "hola, ¿abren hoy?")

    assert resolve(bench, 1).stop is None


def test_after_a_persons_reply_the_bot_is_silent_though_the_conversation_is_pending(bench: Bench) -> None:
    bench.person_replies()
    bench.receive(1)
    resolved = resolve(bench)

    assert (resolved.stop, resolved.reason) == ("muted", "human_reply")


def test_a_question_a_person_has_replied_to_is_left_to_him_though_the_bot_leads_again(bench: Bench) -> None:
    bench.receive(1)
    bench.person_writes(2)
    resolved = resolve(bench, ends=True)

    assert (resolved.stop, resolved.reason) == ("muted", "human_reply")
    assert bench.waiting() == []


def test_what_the_customer_writes_after_a_persons_reply_is_answered_alone(bench: Bench) -> None:
    bench.receive(1)
    bench.person_writes(2)
    bench.receive(3, "¿Abren hoy?")

    assert texts(resolve(bench)) == ["¿Abren hoy?"]


@pytest.mark.parametrize("reason", ["conversation_open", "human_assigned"])
def test_a_conversation_given_back_unheard_is_the_bots_again(bench: Bench, reason: str) -> None:
    bench.person_replies(reason)
    bench.receive(1)

    assert resolve(bench).stop is None
    with bench.database.tenant(TENANT.scope) as connection:
        assert muted_reason(connection, TENANT.tenant_id, bench.conversation_id) is None


def test_a_conversation_a_person_answered_and_gave_back_unheard_is_the_bots_again(bench: Bench) -> None:
    bench.person_replies("human_reply")
    bench.channel.back = True
    bench.receive(1)

    assert resolve(bench).stop is None
    with bench.database.tenant(TENANT.scope) as connection:
        assert muted_reason(connection, TENANT.tenant_id, bench.conversation_id) is None


def test_a_conversation_a_person_answered_and_did_not_give_back_stays_his(bench: Bench) -> None:
    bench.person_replies("human_reply")
    bench.receive(1)

    assert resolve(bench).stop == "muted"


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


def test_a_conversation_given_back_just_when_the_mute_is_checked_is_the_bots(bench: Bench) -> None:
    bench.person_replies("human_assigned")
    bench.receive(1)
    channel, read = bench.channel, bench.channel.conversation

    def read_and_be_late(*given: Any, **named: Any) -> Any:
        bench.given_back()
        return read(*given, **named)

    channel.conversation = read_and_be_late
    assert resolve(bench).stop is None


def test_a_person_who_still_leads_keeps_the_conversation(bench: Bench) -> None:
    bench.person_replies("human_assigned")
    bench.channel.state = bench.channel.state.model_copy(update={"assigned_to_human": True})
    bench.receive(1)

    assert resolve(bench).stop == "muted"


def step_aside(bench: Bench, cause: TurnCause) -> Replied:
    bench.queue.enqueue(bench.start(7, cause=cause))
    return StepAsideStep(bench.parts)(bench.claim(7))


def test_a_persons_reply_opens_a_pending_conversation(bench: Bench) -> None:
    bench.person_replies()
    replied = step_aside(bench, "human_reply")

    assert (replied.outcome, replied.reason) == ("muted", "human_reply")
    assert bench.channel.state.status == "open"


def test_a_conversation_that_was_given_back_meanwhile_is_not_opened(bench: Bench) -> None:
    step_aside(bench, "human_reply")

    assert bench.channel.state.status == "pending"


def test_a_reply_that_was_not_delivered_goes_to_a_person_with_its_words(bench: Bench) -> None:
    bench.receive(1)
    bench.answer(1, "Sí, en negro")
    with bench.database.tenant(TENANT.scope) as connection:
        connection.exec_driver_sql(
            "UPDATE smos.replies SET failed_at = now(), failed_reason = '131047' WHERE conversation_id = %s",
            (bench.conversation_id,),
        )
    replied = step_aside(bench, "delivery_failed")

    assert (replied.outcome, replied.reason) == ("escalated", "delivery_failed")
    (note,) = bench.channel.notes
    assert "131047" in note
    assert "Sí, en negro" in note
