"""What makes a reply impossible between its draft and its POST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.flow.bench import TENANT, Bench

from smarteros.domain.ids import reply_id
from smarteros.domain.turns import Replied
from smarteros.flow import fence
from smarteros.flow.fence import FencedError
from smarteros.flow.given_back import OvertakenError
from smarteros.store.turns import fail_reply


def ended(act: Callable[[], object]) -> Replied:
    with pytest.raises(FencedError) as caught:
        act()
    return caught.value.replied


@pytest.fixture
def sleepy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker is stopped right before its post, for longer than a look at its right is good."""
    monkeypatch.setattr(fence, "_LOOK_IS_GOOD_FOR_S", 0.0)


def test_a_reply_nothing_speaks_against_is_posted_and_its_draft_was_kept(bench: Bench) -> None:
    bench.receive(1)
    attempt = bench.begin(1)

    assert attempt.send("Sí, tenemos") == "Sí, tenemos"
    assert bench.channel.posted == ["Sí, tenemos"]
    assert bench.queue.row(attempt.turn.start.turn_id).draft["replied"]["text"] == "Sí, tenemos"


def test_a_newer_message_supersedes_the_draft_and_takes_its_messages_along(bench: Bench) -> None:
    bench.receive(1)
    attempt = bench.begin(1)
    bench.receive(2, "talla 42")

    replied = ended(lambda: attempt.send("Sí, tenemos"))
    assert (replied.outcome, replied.reason) == ("merged", "newer_message")
    assert bench.channel.posted == []
    assert bench.waiting() == [1, 2]
    assert bench.queue.row(attempt.turn.start.turn_id).draft is None


def test_a_customer_who_goes_on_writing_is_answered_after_five_seconds(bench: Bench) -> None:
    bench.receive(1, ago_s=6)
    attempt = bench.begin(1)
    bench.receive(2, "y otra cosa")
    attempt.send("Sí, tenemos")

    assert bench.channel.posted == ["Sí, tenemos"]
    assert bench.waiting() == [2]


def test_a_message_whose_webhook_came_late_is_not_answered_after_the_one_behind_it(bench: Bench) -> None:
    bench.receive(1, ago_s=6)
    bench.receive(3, "y otra cosa")
    attempt = bench.begin(1)
    bench.receive(2, "talla 42")

    replied = ended(lambda: attempt.send("Sí, tenemos"))
    assert (replied.reason, replied.again, bench.channel.posted) == ("late_message", True, [])
    attempt = bench.attempt(attempt.turn, round=2)
    assert [message.id for message in attempt.resolved.messages] == [1, 2, 3]
    attempt.send("Todo junto")
    assert (bench.channel.posted, bench.waiting()) == (["Todo junto"], [])


def test_the_five_seconds_count_from_the_first_message_of_the_burst(bench: Bench) -> None:
    bench.receive(1, ago_s=4)
    first = bench.begin(1)
    bench.receive(2, "y otra")
    assert ended(lambda: first.send("Sí")).reason == "newer_message"
    bench.end(first.turn)
    # The burst grows older while the second turn prepares its reply.
    bench.age(2, 1, 2)
    second = bench.begin(2)
    bench.receive(3, "y otra más")
    second.send("Todo junto")

    assert bench.channel.posted == ["Todo junto"]


def test_a_person_who_replies_while_the_draft_is_prepared_silences_it(bench: Bench) -> None:
    bench.receive(1)
    attempt = bench.begin(1)
    bench.person_replies()

    replied = ended(lambda: attempt.send("Sí"))
    assert (replied.outcome, replied.reason) == ("muted", "human_reply")
    assert bench.channel.posted == []


def test_a_person_who_replies_and_gives_the_conversation_back_meanwhile_has_answered(bench: Bench) -> None:
    bench.receive(1)
    attempt = bench.begin(1)
    bench.person_writes(2)

    replied = ended(lambda: attempt.send("Sí"))
    assert (replied.outcome, replied.reason) == ("muted", "human_reply")
    assert bench.channel.posted == []


@pytest.mark.usefixtures("sleepy")
def test_a_person_who_replies_in_the_last_moment_silences_it_too(bench: Bench) -> None:
    bench.receive(1)
    attempt = bench.begin(1)
    bench.channel.on_post = bench.person_replies

    assert ended(lambda: attempt.send("Sí")).reason == "human_reply"
    assert bench.channel.posted == []


def test_a_person_whose_webhook_is_lost_is_seen_though_the_customer_wrote_after_him(bench: Bench) -> None:
    bench.receive(1)
    attempt = bench.begin(1)
    bench.channel.state = bench.channel.state.model_copy(update={"person_replied": True})

    assert ended(lambda: attempt.send("Sí")).reason == "human_reply"
    assert bench.channel.posted == []


def test_a_conversation_that_was_a_persons_long_ago_is_answered(bench: Bench) -> None:
    bench.receive(1, after_person=True)
    attempt = bench.begin(1)
    bench.channel.state = bench.channel.state.model_copy(update={"person_replied": True})
    attempt.send("Sí")

    assert bench.channel.posted == ["Sí"]


def test_an_assigned_or_opened_conversation_is_left_to_its_person(bench: Bench) -> None:
    bench.receive(1)
    attempt = bench.begin(1)
    bench.channel.state = bench.channel.state.model_copy(update={"assigned_to_human": True})
    assert ended(lambda: attempt.send("Sí")).reason == "human_assigned"
    bench.channel.state = bench.channel.state.model_copy(update={"assigned_to_human": False, "status": "open"})
    assert ended(lambda: attempt.send("Sí")).reason == "conversation_open"
    assert bench.channel.posted == []


@pytest.mark.parametrize("reason", ["conversation_open", "human_assigned"])
def test_the_late_webhook_of_a_person_who_has_given_the_conversation_back_silences_nobody(
    bench: Bench, reason: str
) -> None:
    bench.receive(1)
    attempt = bench.begin(1)
    bench.person_replies(reason)

    assert attempt.send("Sí") == "Sí"
    assert bench.channel.posted == ["Sí"]


@pytest.mark.usefixtures("sleepy")
def test_such_a_webhook_right_before_the_post_silences_nobody_either(bench: Bench) -> None:
    bench.receive(1)
    attempt = bench.begin(1)
    bench.channel.on_post = lambda: bench.person_replies("human_assigned")
    attempt.send("Sí")

    assert bench.channel.posted == ["Sí"]


def test_a_person_who_takes_the_conversation_while_the_reply_is_written_down_has_it(bench: Bench) -> None:
    bench.receive(1)
    attempt = bench.begin(1)
    channel, read = bench.channel, bench.channel.conversation

    def read_and_be_late(*given: Any, **named: Any) -> Any:
        before = read(*given, **named)
        bench.person_replies("human_assigned")
        channel.state = channel.state.model_copy(update={"assigned_to_human": True})
        return before

    channel.conversation = read_and_be_late
    assert ended(lambda: attempt.send("Sí")).reason == "human_assigned"
    assert bench.channel.posted == []


def test_nothing_is_posted_when_the_channel_would_not_deliver_it(bench: Bench) -> None:
    bench.receive(1)
    attempt = bench.begin(1)
    bench.channel.state = bench.channel.state.model_copy(update={"can_reply": False})

    replied = ended(lambda: attempt.send("Sí"))
    assert (replied.outcome, replied.reason) == ("escalated", "outside_window")
    assert bench.channel.posted == []


@pytest.mark.usefixtures("sleepy")
def test_a_worker_that_slept_before_its_post_leaves_the_reply_to_the_one_that_took_over(bench: Bench) -> None:
    bench.receive(1)
    sleeper = bench.begin(1)
    bench.channel.on_post = lambda: _answered_by_another(bench)

    with pytest.raises(OvertakenError):
        sleeper.send("Sí, del que durmió")
    assert bench.channel.posted == ["Sí"]


def _answered_by_another(bench: Bench) -> None:
    bench.attempt(bench.take_over(1)).send("Sí")


def test_a_worker_that_slept_before_writing_its_reply_down_posts_nothing(bench: Bench) -> None:
    bench.receive(1)
    sleeper = bench.begin(1)
    taken = bench.take_over(1)
    with pytest.raises(OvertakenError):
        sleeper.send("Sí, del que durmió")
    assert bench.queue.row(taken.start.turn_id).draft is None

    bench.attempt(taken).send("Sí")
    assert bench.channel.posted == ["Sí"]


def test_a_worker_whose_turn_is_long_over_posts_nothing(bench: Bench) -> None:
    bench.receive(1)
    sleeper = bench.begin(1)
    taken = bench.attempt(bench.take_over(1))
    taken.send("Respuesta a la primera")
    bench.end(taken.turn)
    bench.receive(2)
    bench.answer(2, "Respuesta a la segunda")

    with pytest.raises(OvertakenError):
        sleeper.send("Respuesta vieja")
    assert bench.channel.posted == ["Respuesta a la primera", "Respuesta a la segunda"]


def test_an_overtaken_worker_does_not_give_the_messages_away(bench: Bench) -> None:
    bench.receive(1)
    sleeper = bench.begin(1)
    bench.attempt(bench.take_over(1))
    bench.receive(2, "y otra")
    with pytest.raises(OvertakenError):
        sleeper.send("Sí")

    assert bench.waiting() == [2]


def test_what_a_dead_worker_held_is_answered_with_an_earlier_message_whose_webhook_came_late(bench: Bench) -> None:
    bench.receive(2, "zapatillas?")
    bench.begin(2)
    bench.receive(1, "tienen")
    bench.queue.give_back("worker")

    assert [message.id for message in bench.begin(1).resolved.messages] == [1, 2]


def test_when_the_worker_that_took_over_dies_too_a_third_one_answers(bench: Bench) -> None:
    bench.receive(1)
    first = bench.begin(1)
    bench.take_over(1)  # was never heard of again
    third = bench.attempt(bench.take_over(1))
    with pytest.raises(OvertakenError):
        first.send("Sí")
    third.send("Sí")

    assert (bench.channel.posted, third.turn.claims) == (["Sí"], 3)


def test_a_deleted_message_is_not_answered(bench: Bench) -> None:
    bench.receive(1)
    attempt = bench.begin(1)
    bench.delete(1)

    replied = ended(lambda: attempt.send("Sí"))
    assert (replied.outcome, replied.reason, replied.again) == ("merged", "message_deleted", False)
    assert bench.channel.posted == []


def test_words_that_change_while_the_draft_is_prepared_are_decided_anew(bench: Bench) -> None:
    bench.receive(1, "¿Tienen zapatillas?")
    bench.receive(2, "talla 42")
    attempt = bench.begin(1)
    bench.edit(2, "talla 43")
    assert ended(lambda: attempt.send("La primera propuesta")).again

    anew = bench.attempt(attempt.turn, round=2)
    assert [message.text for message in anew.resolved.messages] == ["¿Tienen zapatillas?", "talla 43"]
    bench.delete(2)
    assert ended(lambda: anew.send("La segunda propuesta")).again

    last = bench.attempt(attempt.turn, round=3)
    bench.edit(1, "¿Tienen botas?")
    last.send("La tercera propuesta sale")
    assert bench.channel.posted == ["La tercera propuesta sale"]


def test_a_deletion_that_came_before_its_message_holds(bench: Bench) -> None:
    bench.delete(1)
    bench.receive(1)

    assert bench.held(1) == ()


def test_the_eleventh_reply_within_a_minute_goes_to_a_person(bench: Bench) -> None:
    for number in range(1, 11):
        bench.receive(number)
        bench.answer(number, f"Respuesta {number}")
    bench.receive(11)
    attempt = bench.begin(11)

    replied = ended(lambda: attempt.send("Respuesta 11"))
    assert (replied.outcome, replied.reason) == ("escalated", "loop_guard")
    assert len(bench.channel.posted) == 10


def _fail(bench: Bench, *, reply: str | None = None, message_id: int | None = None) -> bool:
    with bench.database.tenant(TENANT.scope) as connection:
        return fail_reply(
            connection,
            TENANT.tenant_id,
            bench.conversation_id,
            reply_id=reply,
            message_id=message_id,
            reason="131047",
            at=bench.parts.clock.now(),
        )


def test_a_failed_delivery_is_found_by_its_message_and_told_once(bench: Bench) -> None:
    bench.receive(1)
    bench.answer(1, "Sí")

    assert not _fail(bench)
    assert not _fail(bench, reply="of-nobody", message_id=12345)
    assert _fail(bench, message_id=901)
    assert not _fail(bench, message_id=901)


def test_a_failed_delivery_is_found_by_its_marker_before_the_reply_is_confirmed(bench: Bench) -> None:
    bench.receive(1)
    attempt = bench.begin(1)
    attempt.send("Sí")

    assert not _fail(bench, message_id=901)
    assert _fail(bench, reply=reply_id(attempt.turn.start.turn_id))
    assert not _fail(bench, reply=reply_id(attempt.turn.start.turn_id))
