"""The engine: what was accepted is run, by whoever is there, when its time has come."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.unit.flow.bench import TENANT, Bench
from tests.unit.store.queued import TurnQueue, a_start

from smarteros.contracts.loader import load_contracts
from smarteros.domain.turns import ClaimedTurn, Lane
from smarteros.flow import engine as engine_module
from smarteros.flow import takeover
from smarteros.flow.engine import Engine
from smarteros.flow.given_back import OvertakenError, PutOffError
from smarteros.flow.workflow import MOST_TRIES, TurnWorkflow
from smarteros.store.database import Database
from smarteros.store.queue import end_turn
from smarteros.store.turns import list_turns

SHOP = "ENGINE_SHOP"
PATIENCE_S = 20.0  # for what must happen; nothing waits so long when all is well
# Who holds a turn by a lease is at work until the lease ends, however long this test takes.
HEIR = "lease:99999999999:heir"
CONTRACTS = load_contracts(Path(__file__).parents[3] / "contracts")


_OPTIONS: dict[str, Any] = {"poll_ms": 60_000, "worker_threads": 4}
Does = Callable[[ClaimedTurn], object]


class Worker:
    """A worker that tells what it runs. ``does`` is the work; a turn that has gone well leaves the queue."""

    def __init__(
        self, turn_queue: TurnQueue, owner_url: str, does: Callable[[ClaimedTurn], object], **how: Any
    ) -> None:
        self._queue = turn_queue
        self._does = does
        self._ran: queue.SimpleQueue[ClaimedTurn] = queue.SimpleQueue()
        # It looks by itself after a minute only: whatever happens earlier was told.
        self.engine = Engine(owner_url, self._run, **(_OPTIONS | how))

    def _run(self, turn: ClaimedTurn) -> None:
        self._ran.put(turn)
        self._does(turn)
        with self._queue.connection() as connection:
            end_turn(connection, turn)

    def runs(self) -> ClaimedTurn:
        """Wait for the next turn that is begun."""
        return self._ran.get(timeout=PATIENCE_S)

    def has_begun_nothing_more(self) -> bool:
        return self._ran.empty()


Hire = Callable[..., Worker]


@pytest.fixture
def hire(turn_queue: TurnQueue, database: Database) -> Iterator[Hire]:
    """Make a worker; all of them are stopped in the end."""
    workers: list[Worker] = []

    def make(does: Does = lambda _: None, *, starts: bool = True, **how: Any) -> Worker:
        workers.append(Worker(turn_queue, database.owner_url, does, **how))
        if starts:
            workers[-1].engine.start()
        return workers[-1]

    yield make
    for worker in workers:
        worker.engine.stop()


@pytest.fixture
def edge(database: Database) -> Iterator[Engine]:
    """A process that accepts and runs nothing."""
    engine = Engine(database.owner_url, None)
    engine.start()
    yield engine
    engine.stop()


def until(holds: Callable[[], bool]) -> bool:
    """Look again and again, until it holds or patience ends."""
    never = threading.Event()
    return any(holds() or never.wait(0.01) for _ in range(int(PATIENCE_S / 0.01)))


def test_turns_accepted_while_no_worker_runs_are_run_when_one_starts(
    edge: Engine, database: Database, hire: Hire, turn_queue: TurnQueue
) -> None:
    starts = [a_start(TENANT.tenant_id, number) for number in (1, 2, 3)]
    for start in starts:
        with database.tenant(TENANT.scope) as connection:
            edge.accept(connection, start)
    worker = hire()

    assert sorted(worker.runs().start.turn_id for _ in starts) == [start.turn_id for start in starts]
    assert until(lambda: turn_queue.starts() == [])


def test_a_worker_is_woken_when_a_turn_is_accepted(hire: Hire, turn_queue: TurnQueue) -> None:
    worker = hire()
    for number in range(1, 8):
        turn_queue.enqueue(a_start(SHOP, number))
        assert worker.runs().start.conversation_id == number
        assert until(lambda: worker.engine.running_turns == 0)


def test_a_process_that_only_accepts_runs_nothing(edge: Engine, turn_queue: TurnQueue) -> None:
    turn_queue.enqueue(a_start(SHOP, 1))

    assert edge.running
    backlog = edge.backlog()
    assert backlog is not None
    assert backlog.waiting == 1


def test_a_worker_whose_connections_were_cut_goes_on(hire: Hire, turn_queue: TurnQueue) -> None:
    worker = hire(poll_ms=100)  # its lock is lost too: until it has it again, it takes nothing
    turn_queue.enqueue(a_start(SHOP, 1))
    worker.runs()
    assert until(lambda: turn_queue.starts() == [])
    turn_queue.ask(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND usename = 'postgres' AND pid <> pg_backend_pid()"
    )
    turn_queue.enqueue(a_start(SHOP, 2))

    assert worker.runs().start.conversation_id == 2
    assert until(lambda: worker.engine.running)


def test_a_turn_that_breaks_off_is_tried_again_later_each_time_and_goes_to_a_person_in_the_end(
    bench: Bench, hire: Hire, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = TurnWorkflow(replace(bench.parts, contracts=CONTRACTS))
    put_off, pauses = engine_module.put_off, list[float]()

    def at_once(connection: sa.Connection, turn: ClaimedTurn, after_s: float, **how: Any) -> None:
        pauses.append(after_s)
        put_off(connection, turn, 0.0, **how)

    def breaks(turn: ClaimedTurn) -> object:
        if turn.tries <= MOST_TRIES:
            raise ZeroDivisionError
        return workflow.run(turn)

    monkeypatch.setattr(engine_module, "put_off", at_once)
    bench.receive(1)
    worker = hire(breaks, poll_ms=20)
    assert [worker.runs().tries for _ in range(MOST_TRIES + 1)] == [1, 2, 3, 4, 5, 6, 7]
    assert until(lambda: bench.queue.starts() == [])

    assert pauses == sorted(set(pauses))
    assert 0 < pauses[0] < pauses[-1] <= 60
    with bench.database.tenant(TENANT.scope) as connection:
        (record,) = list_turns(connection, TENANT.tenant_id, bench.conversation_id, 10)
    assert (record.outcome, record.reason) == ("escalated", "turn_poisoned")
    assert len(bench.channel.posted) == len(bench.channel.notes) == 1


def test_a_turn_that_breaks_off_does_not_hold_up_the_others(
    hire: Hire, turn_queue: TurnQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_AFTER_FAILURE_S", 60.0)  # its second try does not come before our look

    def breaks(turn: ClaimedTurn) -> None:
        if turn.start.conversation_id == 1:
            raise ZeroDivisionError

    worker = hire(breaks, worker_threads=1)
    broken = turn_queue.enqueue(a_start(SHOP, 1))
    worker.runs()
    turn_queue.enqueue(a_start(SHOP, 2))

    assert worker.runs().start.conversation_id == 2
    assert turn_queue.row(broken).ahead_s > 0


def test_a_turn_that_was_put_off_is_run_again_when_its_time_has_come(hire: Hire, turn_queue: TurnQueue) -> None:
    def puts_off(turn: ClaimedTurn) -> None:
        if turn.claims == 1:
            raise PutOffError(0.05)

    worker = hire(puts_off)
    turn_queue.enqueue(a_start(SHOP, 1))

    assert [(turn.claims, turn.tries) for turn in (worker.runs(), worker.runs())] == [(1, 1), (2, 1)]


def test_the_next_message_wakes_a_turn_that_was_put_off_for_long(hire: Hire, turn_queue: TurnQueue) -> None:
    def puts_off(turn: ClaimedTurn) -> None:
        if turn.news == 0 and turn.start.message_id == 1:
            raise PutOffError(3600)

    worker = hire(puts_off)
    turn_id = turn_queue.enqueue(a_start(SHOP, 1, 1))
    worker.runs()
    assert until(lambda: turn_queue.row(turn_id).worker is None)
    turn_queue.enqueue(a_start(SHOP, 1, 2))

    assert [worker.runs().start.message_id for _ in range(2)] == [1, 2]


def test_a_turn_that_changes_lanes_is_run_in_the_other_one(hire: Hire, turn_queue: TurnQueue) -> None:
    def changes(turn: ClaimedTurn) -> None:
        if turn.lane == "quick":
            raise PutOffError(lane="slow", due_within_s=8.0)

    worker = hire(changes)
    turn_queue.enqueue(a_start(SHOP, 1))

    assert [worker.runs().lane for _ in range(2)] == ["quick", "slow"]


def test_an_overtaken_worker_drops_its_turn(hire: Hire, turn_queue: TurnQueue) -> None:
    heirs: list[ClaimedTurn] = []

    def is_overtaken(turn: ClaimedTurn) -> None:
        heirs.extend(turn_queue.wrest(HEIR))
        raise OvertakenError(turn.start.turn_id)

    worker = hire(is_overtaken)
    turn_queue.enqueue(a_start(SHOP, 1))
    worker.runs()
    assert until(lambda: worker.engine.running_turns == 0)

    assert turn_queue.is_ours(heirs[0])
    assert turn_queue.row(heirs[0].start.turn_id).worker == HEIR


def test_turns_of_one_conversation_run_one_after_the_other(hire: Hire, turn_queue: TurnQueue) -> None:
    go_on = threading.Event()

    def first_takes_long(turn: ClaimedTurn) -> None:
        if turn.start.message_id == 1:
            go_on.wait(PATIENCE_S)

    worker = hire(first_takes_long)
    for message_id in (1, 2):
        turn_queue.enqueue(a_start(SHOP, 1, message_id))
    turn_queue.enqueue(a_start(SHOP, 2, 9))

    assert sorted(worker.runs().start.message_id for _ in range(2)) == [1, 9]
    assert worker.has_begun_nothing_more()
    go_on.set()
    assert worker.runs().start.message_id == 2


def test_slow_turns_leave_a_place_for_a_question(hire: Hire, turn_queue: TurnQueue) -> None:
    go_on = threading.Event()

    def slow_takes_long(turn: ClaimedTurn) -> None:
        if turn.lane == "slow":
            go_on.wait(PATIENCE_S)

    worker = hire(slow_takes_long)
    for number in range(1, 7):
        turn_queue.enqueue(a_start(SHOP, number), "slow")
    assert {worker.runs().lane for _ in range(3)} == {"slow"}
    lanes: list[Lane] = []
    for number in (11, 12, 13):
        turn_queue.enqueue(a_start(SHOP, number))
        lanes.append(worker.runs().lane)

    assert lanes == ["quick", "quick", "quick"]
    go_on.set()
    assert {worker.runs().lane for _ in range(3)} == {"slow"}


def test_among_other_shops_one_shop_leaves_threads_free(hire: Hire, turn_queue: TurnQueue) -> None:
    go_on = threading.Event()

    def flood_takes_long(turn: ClaimedTurn) -> None:
        if turn.start.tenant_id == SHOP:
            go_on.wait(PATIENCE_S)

    worker = hire(flood_takes_long)
    turn_queue.enqueue(a_start(TENANT.tenant_id, 1))
    assert worker.runs().start.tenant_id == TENANT.tenant_id
    turn_queue.enqueue(a_start(SHOP, 1))
    assert worker.runs().start.conversation_id == 1  # of four threads, one
    for number in range(2, 6):
        turn_queue.enqueue(a_start(SHOP, number))
    for number in range(2, 6):
        turn_queue.enqueue(a_start(TENANT.tenant_id, number))
        assert worker.runs().start.tenant_id == TENANT.tenant_id

    go_on.set()
    assert sorted(worker.runs().start.conversation_id for _ in range(4)) == [2, 3, 4, 5]


def test_the_turns_of_a_worker_that_died_are_taken_over(
    hire: Hire, turn_queue: TurnQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeover, "GRACE_S", 0.0)
    turn_queue.enqueue(a_start(SHOP, 1))
    turn_queue.claim("dead")  # a name nobody holds the lock of
    turn = hire().runs()

    assert (turn.start.conversation_id, turn.claims, turn.tries) == (1, 2, 2)


def test_a_worker_that_stops_finishes_what_it_runs_and_takes_nothing_more(hire: Hire, turn_queue: TurnQueue) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def works(_turn: ClaimedTurn) -> None:
        begun.set()
        go_on.wait(PATIENCE_S)

    worker = hire(works, worker_threads=1, drain_s=int(PATIENCE_S))
    running = turn_queue.enqueue(a_start(SHOP, 1))
    assert begun.wait(PATIENCE_S)
    stopping = threading.Thread(target=worker.engine.stop)
    stopping.start()
    assert until(lambda: not worker.engine.running)
    waiting = turn_queue.enqueue(a_start(SHOP, 2))
    go_on.set()
    stopping.join(PATIENCE_S)

    assert not stopping.is_alive()
    assert turn_queue.row(running) is None
    assert turn_queue.row(waiting).worker is None


def test_without_a_database_the_backlog_is_unknown() -> None:
    engine = Engine("postgresql+psycopg://postgres@/postgres?host=/nowhere", None)

    assert engine.backlog() is None
    engine.stop()
