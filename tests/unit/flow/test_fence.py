"""What makes a reply impossible between its draft and its POST."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.unit.flow.bench import TENANT, Bench

from smarteros.domain.turns import Replied
from smarteros.flow.fence import Fence, FencedError
from smarteros.store.events import waiting_messages
from smarteros.store.turns import confirm_reply, fail_reply, posted_message


def ended(act: Callable[[], None]) -> Replied:
    with pytest.raises(FencedError) as caught:
        act()
    return caught.value.replied


def waiting(bench: Bench, turn: str = "another") -> list[int]:
    with bench.database.tenant(TENANT.scope) as connection:
        found = waiting_messages(connection, TENANT.tenant_id, bench.conversation_id, turn)
    return [entry.message.id for entry in found]


def test_a_reply_nothing_speaks_against_is_posted_and_confirmed(bench: Bench) -> None:
    bench.receive(1)
    fence = bench.fence(1, bench.drafted(1))
    fence.look()
    fence.send("Sí, tenemos")

    assert bench.channel.posted == ["Sí, tenemos"]


def test_a_newer_message_supersedes_the_draft_and_takes_its_messages_along(bench: Bench) -> None:
    bench.receive(1)
    fence = bench.fence(1, bench.drafted(1))
    bench.receive(2, "talla 42")

    replied = ended(lambda: fence.send("Sí, tenemos"))
    assert (replied.outcome, replied.reason) == ("merged", "newer_message")
    assert bench.channel.posted == []
    assert waiting(bench) == [1, 2]


def test_a_customer_who_goes_on_writing_is_answered_after_five_seconds(bench: Bench) -> None:
    bench.receive(1, ago_s=6)
    fence = bench.fence(1, bench.drafted(1))
    bench.receive(2, "y otra cosa")
    fence.send("Sí, tenemos")

    assert bench.channel.posted == ["Sí, tenemos"]
    assert waiting(bench) == [2]


def test_the_five_seconds_count_from_the_first_message_of_the_burst(bench: Bench) -> None:
    bench.receive(1, ago_s=4)
    first = bench.fence(1, bench.drafted(1))
    bench.receive(2, "y otra")
    assert ended(first.look).reason == "newer_message"
    # The burst grows older while the second turn prepares its reply.
    with bench.database.tenant(TENANT.scope) as connection:
        connection.exec_driver_sql(
            "UPDATE smos.received_events SET received_at = received_at - interval '2 seconds'"
            " WHERE conversation_id = %s",
            (bench.conversation_id,),
        )
    second = bench.fence(2, bench.drafted(2))
    bench.receive(3, "y otra más")
    second.send("Todo junto")

    assert bench.channel.posted == ["Todo junto"]


def test_a_person_who_replies_while_the_draft_is_prepared_silences_it(bench: Bench) -> None:
    bench.receive(1)
    fence = bench.fence(1, bench.drafted(1))
    bench.person_replies()

    replied = ended(lambda: fence.send("Sí"))
    assert (replied.outcome, replied.reason) == ("muted", "human_reply")
    assert bench.channel.posted == []


def test_a_person_who_replies_in_the_last_moment_silences_it_too(bench: Bench) -> None:
    bench.receive(1)
    fence = bench.fence(1, bench.drafted(1))
    bench.channel.on_post = bench.person_replies

    assert ended(lambda: fence.send("Sí")).reason == "human_reply"
    assert bench.channel.posted == []


def test_an_assigned_or_opened_conversation_is_left_to_its_person(bench: Bench) -> None:
    bench.receive(1)
    fence = bench.fence(1, bench.drafted(1))
    bench.channel.state = bench.channel.state.model_copy(update={"assigned_to_human": True})
    assert ended(fence.look).reason == "human_assigned"
    bench.channel.state = bench.channel.state.model_copy(update={"assigned_to_human": False, "status": "open"})
    assert ended(fence.look).reason == "conversation_open"


def test_nothing_is_posted_when_the_channel_would_not_deliver_it(bench: Bench) -> None:
    bench.receive(1)
    fence = bench.fence(1, bench.drafted(1))
    bench.channel.state = bench.channel.state.model_copy(update={"can_reply": False})

    replied = ended(fence.look)
    assert (replied.outcome, replied.reason) == ("escalated", "outside_window")


def test_a_worker_that_slept_before_its_post_leaves_the_reply_to_the_one_that_took_over(bench: Bench) -> None:
    bench.receive(1)
    resolved = bench.drafted(1)
    sleeper = bench.fence(1, resolved)

    def another_worker_answers() -> None:
        bench.fence(1, resolved).send("Sí")

    bench.channel.on_post = another_worker_answers
    sleeper.send("Sí")

    assert bench.channel.posted == ["Sí"]


def test_a_worker_that_slept_before_writing_its_reply_down_posts_nothing(bench: Bench) -> None:
    bench.receive(1)
    resolved = bench.drafted(1)
    sleeper = bench.fence(1, resolved)
    bench.fence(1, resolved).send("Sí")
    sleeper.send("Sí")

    assert bench.channel.posted == ["Sí"]


def test_a_worker_whose_turn_is_long_over_posts_nothing(bench: Bench) -> None:
    bench.receive(1)
    sleeper = bench.fence(1, bench.drafted(1))
    bench.receive(2)
    bench.fence(2, bench.drafted(2)).send("Respuesta a la segunda")

    assert ended(lambda: sleeper.send("Respuesta vieja")).reason == "another_worker"
    assert bench.channel.posted == ["Respuesta a la segunda"]


def test_a_worker_goes_on_when_the_one_that_overtook_it_has_died(bench: Bench) -> None:
    bench.receive(1)
    resolved = bench.drafted(1)
    first = bench.fence(1, resolved)
    bench.fence(1, resolved)  # took the token and was never heard of again
    first.send("Sí")

    assert bench.channel.posted == ["Sí"]
    assert sum(bench.pauses) == pytest.approx(30.0)


def test_a_reply_that_was_confirmed_before_the_crash_is_not_posted_again(bench: Bench) -> None:
    bench.receive(1)
    resolved = bench.drafted(1)
    bench.fence(1, resolved).send("Sí")
    again: Fence = bench.fence(1, resolved)
    bench.person_replies()  # the reply is there all the same, and the turn must be able to say so
    again.look()
    again.send("Sí")

    assert bench.channel.posted == ["Sí"]


def test_a_deleted_message_is_not_answered(bench: Bench) -> None:
    bench.receive(1)
    fence = bench.fence(1, bench.drafted(1))
    bench.delete(1)

    replied = ended(fence.look)
    assert (replied.outcome, replied.reason, replied.again) == ("merged", "message_deleted", False)


def test_words_that_change_while_the_draft_is_prepared_are_decided_anew(bench: Bench) -> None:
    bench.receive(1, "¿Tienen zapatillas?")
    bench.receive(2, "talla 42")
    fence = bench.fence(1, bench.drafted(1))
    bench.edit(2, "talla 43")
    assert ended(fence.look).again

    anew = bench.drafted(1, round=2)
    assert [message.text for message in anew.messages] == ["¿Tienen zapatillas?", "talla 43"]
    fence = bench.fence(1, anew)
    bench.delete(2)
    assert ended(fence.look).again

    last = bench.drafted(1, round=3)
    fence = bench.fence(1, last)
    bench.edit(1, "¿Tienen botas?")
    fence.send("La tercera propuesta sale")
    assert bench.channel.posted == ["La tercera propuesta sale"]


def test_a_deletion_that_came_before_its_message_holds(bench: Bench) -> None:
    bench.delete(1)
    bench.receive(1)

    assert bench.drafted(1).messages == ()


def test_the_eleventh_reply_within_a_minute_goes_to_a_person(bench: Bench) -> None:
    for number in range(1, 11):
        bench.receive(number)
        bench.fence(number, bench.drafted(number)).send(f"Respuesta {number}")
    bench.receive(11)
    fence = bench.fence(11, bench.drafted(11))

    replied = ended(lambda: fence.send("Respuesta 11"))
    assert (replied.outcome, replied.reason) == ("escalated", "loop_guard")
    assert len(bench.channel.posted) == 10


def test_a_failed_delivery_is_found_by_its_marker_or_its_message_and_told_once(bench: Bench) -> None:
    bench.receive(1)
    bench.fence(1, bench.drafted(1)).send("Sí")

    def fail(reply_id: str | None, message_id: int | None) -> bool:
        with bench.database.tenant(TENANT.scope) as connection:
            return fail_reply(
                connection,
                TENANT.tenant_id,
                bench.conversation_id,
                reply_id=reply_id,
                message_id=message_id,
                reason="131047",
                at=bench.parts.clock.now(),
            )

    assert not fail(None, None)
    assert not fail("of-nobody", 12345)
    assert fail(None, 901)
    assert not fail(None, 901)


def test_a_reply_is_known_by_its_message_once_it_is_confirmed(bench: Bench) -> None:
    bench.receive(1)
    bench.fence(1, bench.drafted(1)).send("Sí")
    with bench.database.tenant(TENANT.scope) as connection:
        confirm_reply(connection, "of-nobody", 1, bench.parts.clock.now())
        assert posted_message(connection, TENANT.tenant_id, "of-nobody") is None
