"""The queue of turns: who is taken when, and in whose hands a turn is."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.unit.store.queued import TurnQueue, a_start

from smarteros.domain.turns import ClaimedTurn, ResolvedTurn, ToolsCalled, TurnStory
from smarteros.flow.given_back import PutOffError
from smarteros.flow.lanes import PLACES
from smarteros.store import queue
from smarteros.store.queue import backlog, end_turn, keep_draft, names_of_working

SHOP, NEIGHBOUR = "QUEUE_SHOP", "QUEUE_NEIGHBOUR"


def messages(turns: list[ClaimedTurn]) -> list[tuple[int, int]]:
    return [(turn.start.conversation_id, turn.start.message_id) for turn in turns]


def a_draft() -> TurnStory:
    replied = {"outcome": "answered", "text": "Sí, «talla 42» 👟"}
    story = {"resolved": ResolvedTurn(), "decided": None, "called": ToolsCalled(), "replied": replied}
    return TurnStory.model_validate(story)


def test_the_turn_whose_reply_is_due_first_is_taken_first(turn_queue: TurnQueue) -> None:
    turn_queue.enqueue(a_start(SHOP, 1), "slow")
    turn_queue.enqueue(a_start(SHOP, 2))
    turn_queue.enqueue(a_start(SHOP, 3))

    assert [turn_queue.claim_one().start.conversation_id for _ in range(3)] == [2, 3, 1]


def test_turns_taken_together_come_in_the_order_they_are_due(turn_queue: TurnQueue) -> None:
    for conversation_id in range(1, 41):
        turn_queue.enqueue(a_start(SHOP, conversation_id))
    order = random.Random(7).sample(range(1, 41), 40)
    for place, conversation_id in enumerate(order):
        turn_queue.ask(
            "UPDATE smos.waiting_turns SET due_at = now() + make_interval(secs => %s) WHERE conversation_id = %s",
            place,
            conversation_id,
        )

    assert [turn.start.conversation_id for turn in turn_queue.claim(most=30)] == order[:30]


def test_a_shop_with_two_hundred_waiting_turns_does_not_hold_up_its_neighbour(turn_queue: TurnQueue) -> None:
    for conversation_id in range(1, 201):
        turn_queue.enqueue(a_start(SHOP, conversation_id))
    # As if all of them had come in this instant, however long that took here.
    turn_queue.ask(
        "UPDATE smos.waiting_turns SET due_at = due_at + (SELECT clock_timestamp() + interval '2 seconds' - min(due_at)"
        " FROM smos.waiting_turns)"
    )
    turn_queue.enqueue(a_start(NEIGHBOUR, 1))
    taken = [turn_queue.claim_one().start.tenant_id for _ in range(20)]

    assert taken.index(NEIGHBOUR) < 10
    assert taken.count(SHOP) == 19


def test_a_shops_own_turns_are_taken_in_the_order_they_came(turn_queue: TurnQueue) -> None:
    for conversation_id in (5, 3, 9, 1):
        turn_queue.enqueue(a_start(SHOP, conversation_id))

    assert [turn_queue.claim_one().start.conversation_id for _ in range(4)] == [5, 3, 9, 1]


def test_a_turn_waits_in_one_lane_and_has_no_share_of_the_other(turn_queue: TurnQueue) -> None:
    for conversation_id in range(1, 101):
        turn_queue.enqueue(a_start(SHOP, conversation_id), "slow")
    question = turn_queue.enqueue(a_start(SHOP, 500))

    assert turn_queue.row(question).due_s < 3.0


def test_of_a_conversation_one_turn_runs_at_a_time(turn_queue: TurnQueue) -> None:
    for message_id in (1, 2):
        turn_queue.enqueue(a_start(SHOP, 1, message_id))
        turn_queue.enqueue(a_start(NEIGHBOUR, 1, message_id))
    first = turn_queue.claim()
    assert sorted(turn.start.turn_id for turn in first) == sorted(a_start(t, 1).turn_id for t in (SHOP, NEIGHBOUR))
    assert turn_queue.claim() == []

    for turn in first:
        end(turn_queue, turn)
    assert messages(turn_queue.claim()) == [(1, 2), (1, 2)]


def test_turns_of_tenants_that_have_their_share_wait_in_both_lanes(turn_queue: TurnQueue) -> None:
    turn_queue.enqueue(a_start(SHOP, 1))
    turn_queue.enqueue(a_start(SHOP, 2), "slow")
    turn_queue.enqueue(a_start(NEIGHBOUR, 3))
    turn_queue.enqueue(a_start(NEIGHBOUR, 4), "slow")

    assert messages(turn_queue.claim(without=[SHOP])) == [(3, 1), (4, 1)]
    assert turn_queue.claim(without=[SHOP]) == []
    assert messages(turn_queue.claim()) == [(1, 1), (2, 1)]


def test_two_workers_that_claim_at_once_never_share_a_conversation(turn_queue: TurnQueue) -> None:
    for conversation_id in range(1, 31):
        for message_id in (1, 2, 3):
            turn_queue.enqueue(a_start(SHOP, conversation_id, message_id))
    start = threading.Barrier(2)

    def worker(name: str) -> list[ClaimedTurn]:
        start.wait(timeout=20)
        return [turn for _ in range(10) for turn in turn_queue.claim(name, most=3)]

    with ThreadPoolExecutor(2) as pool:
        taken = [turn for turns in pool.map(worker, ("a", "b")) for turn in turns]

    assert sorted(messages(taken)) == [(conversation_id, 1) for conversation_id in range(1, 31)]


def test_the_turn_of_an_earlier_message_that_arrives_late_waits_for_the_one_that_runs(turn_queue: TurnQueue) -> None:
    turn_queue.enqueue(a_start(SHOP, 1, 12))
    running = turn_queue.claim_one()
    turn_queue.enqueue(a_start(SHOP, 1, 9))
    assert turn_queue.claim() == []

    end(turn_queue, running)
    assert messages(turn_queue.claim()) == [(1, 9)]


def test_turns_of_a_conversation_are_taken_in_the_order_of_its_messages(turn_queue: TurnQueue) -> None:
    turn_queue.enqueue(a_start(SHOP, 1, 10))
    turn_queue.enqueue(a_start(SHOP, 1, 9), "slow")

    assert messages(turn_queue.claim()) == [(1, 9)]


def test_slow_turns_take_no_more_places_than_they_are_given(turn_queue: TurnQueue) -> None:
    for conversation_id in range(1, 6):
        turn_queue.enqueue(a_start(SHOP, conversation_id), "slow")
    for conversation_id in range(11, 14):
        turn_queue.enqueue(a_start(SHOP, conversation_id))
    taken = turn_queue.claim(most=10, most_slow=2)

    assert [turn.lane for turn in taken] == ["quick", "quick", "quick", "slow", "slow"]
    assert turn_queue.claim(most=10, most_slow=0) == []
    assert [turn.start.conversation_id for turn in turn_queue.claim(most=10, most_slow=1)] == [3]


def test_slow_turns_that_are_due_do_not_exceed_the_free_threads(turn_queue: TurnQueue) -> None:
    for conversation_id in range(1, 6):
        turn_queue.enqueue(a_start(SHOP, conversation_id), "slow")
        turn_queue.enqueue(a_start(SHOP, conversation_id + 10))

    assert len(turn_queue.claim(most=6, most_slow=6)) == 6


def test_a_turn_somebody_is_changing_is_left_for_the_next_claim(turn_queue: TurnQueue) -> None:
    turn_queue.enqueue(a_start(SHOP, 1))
    turn_queue.enqueue(a_start(SHOP, 2))
    with turn_queue.connection() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("UPDATE smos.waiting_turns SET news = news + 1 WHERE conversation_id = 1")
        assert messages(turn_queue.claim()) == [(2, 1)]
        connection.exec_driver_sql("COMMIT")

    assert messages(turn_queue.claim()) == [(1, 1)]


def test_a_turn_that_is_enqueued_again_stays_as_it_is(turn_queue: TurnQueue) -> None:
    turn_queue.enqueue(a_start(SHOP, 1))
    turn = turn_queue.claim_one()
    turn_queue.enqueue(a_start(SHOP, 1))

    assert turn_queue.claim() == []
    assert turn_queue.is_ours(turn)


def test_a_turn_that_is_put_off_is_taken_when_its_time_has_come(turn_queue: TurnQueue) -> None:
    turn_id = turn_queue.enqueue(a_start(SHOP, 1))
    turn_queue.put_off(turn_queue.claim_one(), 60.0)
    assert turn_queue.claim() == []
    assert 50 < turn_queue.row(turn_id).ahead_s <= 60

    turn_queue.time_has_come()
    again = turn_queue.claim_one()
    assert (again.claims, again.tries) == (2, 1)


def test_the_next_message_of_its_conversation_brings_a_put_off_turn_back_at_once(turn_queue: TurnQueue) -> None:
    turn_queue.enqueue(a_start(SHOP, 1, 1))
    turn_queue.put_off(turn_queue.claim_one(), 60.0)
    turn_queue.enqueue(a_start(NEIGHBOUR, 1, 2))
    turn_queue.enqueue(a_start(SHOP, 2, 2))
    assert (1, 1) not in messages(turn_queue.claim())

    turn_queue.enqueue(a_start(SHOP, 1, 2))
    again = turn_queue.claim_one()
    assert (again.start.message_id, again.news) == (1, 1)


def test_a_turn_that_is_put_off_while_there_is_news_is_looked_at_at_once(turn_queue: TurnQueue) -> None:
    turn_queue.enqueue(a_start(SHOP, 1, 1))
    turn = turn_queue.claim_one()
    turn_queue.enqueue(a_start(SHOP, 1, 2))
    turn_queue.put_off(turn, 60.0)

    again = turn_queue.claim_one()
    assert (again.start.message_id, again.news, again.tries) == (1, 1, 1)
    turn_queue.put_off(again, 60.0)  # the news is known now
    assert turn_queue.claim() == []


def test_a_turn_that_changes_over_to_the_slow_lane_is_due_by_that_lane(turn_queue: TurnQueue) -> None:
    turn_id = turn_queue.enqueue(a_start(SHOP, 1))
    off = PutOffError(lane="slow", due_within_s=PLACES["slow"].due_within_s)
    turn_queue.put_off(turn_queue.claim_one(), off.after_s, lane=off.lane, due_within_s=off.due_within_s)
    row = turn_queue.row(turn_id)

    assert (row.lane, round(row.due_s), row.worker) == ("slow", 8, None)
    assert turn_queue.claim(most_slow=0) == []
    assert turn_queue.claim_one().lane == "slow"


def test_a_try_that_failed_counts_and_one_that_was_put_off_does_not(turn_queue: TurnQueue) -> None:
    turn_queue.enqueue(a_start(SHOP, 1))
    counted: list[tuple[int, int]] = []
    for failed in (False, True, False, True):
        turn = turn_queue.claim_one()
        counted.append((turn.claims, turn.tries))
        turn_queue.put_off(turn, 0.0, failed=failed)

    assert counted == [(1, 1), (2, 1), (3, 2), (4, 2)]


def test_the_turns_of_a_dead_worker_are_given_back_and_count_as_tried(turn_queue: TurnQueue) -> None:
    for conversation_id in (1, 2, 3):
        turn_queue.enqueue(a_start(SHOP, conversation_id))
    turn_queue.claim("alive", most=1)
    dead = turn_queue.claim("dead")
    assert turn_queue.give_back("dead") == 2
    assert turn_queue.give_back("dead") == 0

    again = turn_queue.claim("heir")
    assert [turn.start for turn in again] == [turn.start for turn in dead]
    assert {(turn.claims, turn.tries) for turn in again} == {(2, 2)}


def test_a_worker_that_gives_back_keeps_what_it_runs(turn_queue: TurnQueue) -> None:
    for conversation_id in (1, 2):
        turn_queue.enqueue(a_start(SHOP, conversation_id))
    lost, running = turn_queue.claim()
    assert turn_queue.give_back(running=(running.start.turn_id,)) == 1

    assert turn_queue.is_ours(running)
    assert messages(turn_queue.claim()) == messages([lost])


@pytest.fixture
def overtaken(turn_queue: TurnQueue) -> tuple[ClaimedTurn, ClaimedTurn]:
    """A turn in the hands of a worker that was taken for dead, and in those of its heir."""
    turn_queue.enqueue(a_start(SHOP, 1))
    stale = turn_queue.claim_one("sleeper")
    turn_queue.give_back("sleeper")
    return stale, turn_queue.claim_one("heir")


def test_only_the_newest_claim_may_end_a_turn(
    turn_queue: TurnQueue, overtaken: tuple[ClaimedTurn, ClaimedTurn]
) -> None:
    stale, newest = overtaken
    with turn_queue.connection() as connection:
        assert not end_turn(connection, stale)
        assert end_turn(connection, newest)
        assert not end_turn(connection, newest)


def test_only_the_newest_claim_may_keep_a_draft(
    turn_queue: TurnQueue, overtaken: tuple[ClaimedTurn, ClaimedTurn]
) -> None:
    stale, newest = overtaken
    with turn_queue.connection() as connection:
        assert not keep_draft(connection, stale, a_draft())
        assert turn_queue.row(stale.start.turn_id).draft is None
        assert keep_draft(connection, newest, a_draft())
    assert (turn_queue.is_ours(stale), turn_queue.is_ours(newest)) == (False, True)


def test_an_overtaken_worker_cannot_put_the_turn_off(
    turn_queue: TurnQueue, overtaken: tuple[ClaimedTurn, ClaimedTurn]
) -> None:
    stale, newest = overtaken
    turn_queue.put_off(stale, 60.0, failed=True)

    assert turn_queue.is_ours(newest)
    assert turn_queue.row(newest.start.turn_id).worker == "heir"
    assert turn_queue.claim() == []


def test_a_turn_that_was_only_given_back_is_nobodys_to_claim_twice(turn_queue: TurnQueue) -> None:
    turn_queue.enqueue(a_start(SHOP, 1))
    turn = turn_queue.claim_one()
    turn_queue.give_back()

    assert turn_queue.is_ours(turn)  # nobody else has begun: its draft may still be kept
    turn_queue.claim_one("heir")
    assert not turn_queue.is_ours(turn)


def test_a_draft_is_handed_to_whoever_takes_the_turn_up(turn_queue: TurnQueue) -> None:
    turn_queue.enqueue(a_start(SHOP, 1))
    turn = turn_queue.claim_one()
    assert turn.draft is None
    with turn_queue.connection() as connection:
        keep_draft(connection, turn, a_draft())
    turn_queue.give_back()

    assert turn_queue.claim_one().draft == a_draft()


def test_the_backlog_counts_what_could_run_now(turn_queue: TurnQueue) -> None:
    with turn_queue.connection() as connection:
        assert backlog(connection) == queue.Backlog(waiting=0, oldest_s=0.0)
        for conversation_id in (1, 2, 3, 4):
            turn_queue.enqueue(a_start(SHOP, conversation_id))
        turn_queue.claim_one()
        turn_queue.put_off(turn_queue.claim_one(), 60.0)
        turn_queue.ask("UPDATE smos.waiting_turns SET enqueued_at = enqueued_at - interval '1 hour'")
        found = backlog(connection)
    assert found.waiting == 2
    assert found.oldest_s >= 3600


def test_workers_are_known_as_long_as_they_hold_turns(turn_queue: TurnQueue) -> None:
    turn_queue.enqueue(a_start(SHOP, 1))
    turn_queue.enqueue(a_start(SHOP, 2))
    with turn_queue.connection() as connection:
        assert names_of_working(connection) == set()
        turn_queue.claim_one("a")
        turn = turn_queue.claim_one("b")
        assert names_of_working(connection) == {"a", "b"}
        end(turn_queue, turn)
        assert names_of_working(connection) == {"a"}


def end(turn_queue: TurnQueue, turn: ClaimedTurn) -> None:
    with turn_queue.connection() as connection:
        assert end_turn(connection, turn)
