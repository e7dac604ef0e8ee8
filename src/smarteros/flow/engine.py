"""The durable engine: accept a turn, run it, take it up again after a crash.

A turn is a row of the queue (``store.queue``) from the transaction that stored its message until the transaction that
wrote its record. Workers claim rows; turns of one conversation run strictly one after the other (turn ids sort in
message order) and others in parallel, over any number of processes on one PostgreSQL. The turns of a worker that died
are given back by the others (``takeover``). See docs/decisions/0009.
"""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, cast

import psycopg
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from smarteros.domain.turns import ClaimedTurn, Lane, TurnStart
from smarteros.flow.given_back import GivenBackError, PutOffError
from smarteros.flow.guard import with_store
from smarteros.flow.lanes import PLACES, SlowLane, slow_places
from smarteros.flow.shares import Shares
from smarteros.flow.takeover import Presence
from smarteros.store.database import Database
from smarteros.store.events import ReceivedEvent
from smarteros.store.queue import (
    WAKE_CHANNEL,
    Backlog,
    accept_message,
    backlog,
    claim_turns,
    enqueue_turn,
    give_back,
    names_of_working,
    put_off,
)

_log = structlog.get_logger()

_RECONNECT_S = 0.1
# A turn that broke is tried again after so long, twice as long each time.
_AFTER_FAILURE_S = 0.5
_LONGEST_PAUSE_S = 60.0
# The server gives up a worker that froze inside a transaction, so that its locks do not hold up the others.
_CONNECT_ARGS = {"connect_timeout": 3, "keepalives_idle": 2, "keepalives_interval": 1, "keepalives_count": 3}


class Engine:
    """Accepts turns; with ``run_turn`` it also runs them, on ``worker_threads`` threads of this process.

    Without ``run_turn`` the process only accepts (the edge role): workers elsewhere run the turns.
    """

    def __init__(
        self,
        owner_url: str,
        run_turn: Callable[[ClaimedTurn], object] | None,
        *,
        poll_ms: int = 500,
        worker_threads: int = 16,
        slow_lane: SlowLane | None = None,
        drain_s: int = 1,
    ) -> None:
        """``drain_s`` is how long ``stop`` waits for running turns; what is not finished is taken up elsewhere.

        Workers are woken when a turn is accepted; every ``poll_ms`` they look all the same.
        """
        self._owner = sa.create_engine(
            owner_url,
            pool_size=2,
            max_overflow=worker_threads,
            isolation_level="AUTOCOMMIT",
            connect_args=_CONNECT_ARGS,
        )
        self._owner_url = owner_url
        self._works = run_turn is not None
        self._run_turn: Callable[[ClaimedTurn], object] = run_turn or (lambda _: None)
        self._poll_s = poll_ms / 1000
        self._worker_threads = worker_threads
        self._slow_lane = slow_lane or SlowLane(slow_places(worker_threads))
        self._shares = Shares(worker_threads, self._slow_lane)
        self._slow_lane.on_change = self._wake_for_places
        self._drain_s = drain_s
        # New for every process: under a lasting name a restarted worker could not be told from its dead predecessor.
        self._worker_name = uuid.uuid4().hex
        self._started = False
        self._presence: Presence | None = None
        self._hands: queue.SimpleQueue[ClaimedTurn | None] = queue.SimpleQueue()
        self._running: dict[str, float] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._looks: list[float] = []
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to accept, and to work when this process is a worker. The store's tables must be there."""
        if self._works:
            self._presence = Presence(
                self._owner_url, self._worker_name, working=names_of_working, recover=self._give_back_turns_of
            )
            self._presence.start()  # before the first turn: whoever owns a turn must be seen alive
            self._begin("listen", self._listen)
            self._begin("claim", self._claim)
            for number in range(self._worker_threads):
                self._begin(f"turns-{number}", self._work)
        self._started = True

    @property
    def running(self) -> bool:
        """Whether the engine has been started and, in a worker, proves its life."""
        return self._started and (self._presence is None or self._presence.alive.is_set())

    @property
    def running_turns(self) -> int:
        """Turns this process is working on."""
        return len(self._running)

    def backlog(self) -> Backlog | None:
        """Count the turns that wait, of all processes; None when the database does not answer."""
        try:
            with self._owner.connect() as connection:
                return backlog(connection)
        except SQLAlchemyError:
            return None

    def accept(self, connection: sa.Connection, start: TurnStart) -> None:
        """Enqueue a turn inside the caller's transaction: it exists exactly when the caller's rows do."""
        enqueue_turn(connection, start, PLACES["quick"])

    def accept_message(self, database: Database, event: ReceivedEvent, start: TurnStart, lane: Lane) -> bool:
        """Store a customer's message and enqueue its turn, both or neither; False when it was stored before."""
        with database.statement() as connection:
            return accept_message(connection, event, start, PLACES[lane])

    def stop(self) -> None:
        """Take no more turns, let running ones finish for the bounded time, stop.

        Turns that are still running then keep this worker's lock until the process ends: nobody else needs to begin
        them while they could still post.
        """
        self._started = False
        self._stopping.set()
        self._wake.set()
        if self._presence is not None:
            self._presence.stop_watching()
        for thread in self._threads:
            if thread.name in ("listen", "claim"):
                thread.join(timeout=5)
        deadline = time.monotonic() + self._drain_s
        while self._running and time.monotonic() < deadline:
            self._wake.wait(0.02)
            self._wake.clear()
        for _ in range(self._worker_threads):
            self._hands.put(None)
        if self._presence is not None and not self._running:
            self._presence.end()
            self._presence = None
        self._owner.dispose()

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        """Wake the claiming thread when PostgreSQL says that there is something to do."""
        while not self._stopping.is_set():
            try:
                with self._owner.connect() as connection:
                    connection.exec_driver_sql(f"LISTEN {WAKE_CHANNEL}")
                    self._wake.set()  # what was said before we listened
                    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
                    while not self._stopping.is_set():
                        for _ in driver.notifies(timeout=0.2, stop_after=1):
                            self._wake.set()
            except (SQLAlchemyError, psycopg.Error):
                self._stopping.wait(_RECONNECT_S)

    def _claim(self) -> None:
        """Take turns while threads are free for them; the only thread that does."""
        while not self._stopping.is_set():
            try:
                with self._owner.connect() as connection:
                    # A claim whose answer was lost may have been heard.
                    give_back(connection, self._worker_name, self._running_ids())
                    while not self._stopping.is_set():
                        self._claim_once(connection)
                        self._wake.wait(self._next_look_s())
                        self._wake.clear()
            except (SQLAlchemyError, psycopg.Error) as error:
                _log.warning("claim_failed", detail=type(error).__name__)
                self._stopping.wait(_RECONNECT_S)
            except Exception:
                _log.exception("claim_failed")
                self._stopping.wait(_LONGEST_PAUSE_S)

    def _next_look_s(self) -> float:
        """Seconds until a turn this worker has put off may be due again, or until the next regular look."""
        now = time.monotonic()
        with self._lock:
            self._looks = [at for at in self._looks if at > now]
            return min([self._poll_s, *(at - now for at in self._looks)])

    def _look_again(self, after_s: float) -> None:
        with self._lock:
            self._looks.append(time.monotonic() + after_s)

    def _claim_once(self, connection: sa.Connection) -> None:
        if self._presence is not None and not self._presence.alive.is_set():
            self._look_again(_RECONNECT_S)
            return
        pauses: list[float] = []
        while (free := self._worker_threads - len(self._running)) > 0:
            waits = self._shares.waits()
            pauses = [pause_s for pause_s in waits.values() if pause_s]
            most = min(free, self._shares.most)
            turns = claim_turns(connection, self._worker_name, most, self._slow_lane.free, waits)
            for turn in turns:
                self._hand_out(turn)
            if len(turns) < most:
                break
        if pauses:
            self._look_again(min(pauses))

    def _hand_out(self, turn: ClaimedTurn) -> None:
        self._slow_lane.admit(turn)
        self._shares.begin(turn)
        with self._lock:
            self._running[turn.start.turn_id] = time.monotonic()
        self._hands.put(turn)

    def _wake_for_places(self) -> None:
        if self._shares.shared:
            self._wake.set()

    def _running_ids(self) -> list[str]:
        with self._lock:
            return list(self._running)

    def _work(self) -> None:
        while (turn := self._hands.get()) is not None:
            began = time.thread_time()
            try:
                self._run(turn)
            finally:
                self._slow_lane.leave(turn)
                self._shares.end(turn, time.thread_time() - began)
                with self._lock:
                    self._running.pop(turn.start.turn_id, None)
                self._wake.set()

    def _run(self, turn: ClaimedTurn) -> None:
        try:
            self._run_turn(turn)
        except PutOffError as off:
            self._return(turn, off.after_s, lane=off.lane, due_within_s=off.due_within_s)
        except GivenBackError:
            _log.warning("turn_overtaken", turn=turn.start.turn_id)
        except Exception:
            # Not even its record could be written. It waits longer each time, and its next tries end it (workflow).
            _log.exception("turn_failed", turn=turn.start.turn_id, tries=turn.tries)
            self._return(turn, min(_LONGEST_PAUSE_S, _AFTER_FAILURE_S * 2**turn.tries), failed=True)

    def _return(self, turn: ClaimedTurn, after_s: float, **how: Any) -> None:
        def do() -> None:
            with self._owner.connect() as connection:
                put_off(connection, turn, after_s, **how)

        try:
            with_store("put_off", do)
        except Exception:
            _log.exception("turn_not_returned", turn=turn.start.turn_id)  # it is taken up when this process has ended
        self._look_again(after_s)

    def _give_back_turns_of(self, worker_name: str) -> int:
        with self._owner.connect() as connection:
            return give_back(connection, worker_name)
