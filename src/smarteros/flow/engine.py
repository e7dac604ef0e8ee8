"""The durable engine: accept a turn, run its steps, recover after a crash. The only module that knows DBOS.

One workflow per turn. The queue is partitioned by conversation with one turn at a time per partition, so turns of a
conversation run strictly one after the other (turn ids sort in message order) and others in parallel, over any number
of worker processes on one PostgreSQL. A finished durable step is never repeated: its result is read from the
checkpoint. The turns of a worker that died are taken over by the others (``takeover``).
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog
from dbos import DBOS, DBOSClient
from dbos._dbos import _get_dbos_instance  # pyright: ignore[reportPrivateUsage]
from dbos._recovery import recover_pending_workflows
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from smarteros.domain.errors import PermanentError, SmosError
from smarteros.domain.ids import conversation_key
from smarteros.domain.turns import StepName, TurnStart
from smarteros.flow.backlog import Backlog
from smarteros.flow.takeover import Presence

T = TypeVar("T")

_log = structlog.get_logger()

QUEUE = "turns"
WORKFLOW = "turn"
APPLICATION = "smarteros"
# Set by hand: a turn that is waiting or half done survives a deployment; a change of the order of steps raises it.
ENGINE_VERSION = "2"
# The steps whose results are kept (docs/decisions/0008): what the turn is about, and what became of its reply. The
# others only read, or write under an id of their own, and are simply done again after a crash.
DURABLE_STEPS: frozenset[StepName] = frozenset({"resolve", "reply"})
# A step that met a dead database waits for it: there is nothing else it could do, not even hand over.
_STORE_PATIENCE_S = 600.0
_STORE_RETRY_S = 0.2

_WORKING = sa.text(
    "SELECT DISTINCT executor_id FROM dbos.workflow_status"
    " WHERE status = 'PENDING' AND executor_id IS NOT NULL AND application_version = :version"
)
_BACKLOG = sa.text(
    "SELECT count(*), coalesce(extract(epoch FROM now()) - min(created_at) / 1000.0, 0) FROM dbos.workflow_status"
    " WHERE queue_name = :queue AND status = 'ENQUEUED'"
)


class Engine:
    """Accepts turns; with ``run_turn`` it also runs them, on ``worker_threads`` threads of this process.

    Without ``run_turn`` the process only accepts (the edge role): workers elsewhere run the turns.
    """

    def __init__(
        self,
        owner_url: str,
        run_turn: Callable[[TurnStart], str] | None,
        *,
        poll_ms: int = 50,
        worker_threads: int = 16,
        drain_s: int = 1,
    ) -> None:
        """``drain_s`` is how long ``stop`` waits for running turns; what is not finished is taken up elsewhere."""
        self._owner_url = owner_url
        self._poll_s = poll_ms / 1000
        self._worker_threads = worker_threads
        self._drain_s = drain_s
        # New for every process: under a lasting name a restarted worker could not be told from its dead predecessor.
        self._worker_name = uuid.uuid4().hex
        self._client: DBOSClient | None = None
        self._presence: Presence | None = None
        self._running_turns = _Counter()
        self._works = run_turn is not None
        if run_turn is not None:
            self._register(run_turn)

    def _register(self, run_turn: Callable[[TurnStart], str]) -> None:
        DBOS(
            config={
                "name": APPLICATION,
                "system_database_url": self._owner_url,
                "application_version": ENGINE_VERSION,
                "executor_id": self._worker_name,
                "log_level": "ERROR",
                "max_executor_threads": self._worker_threads,
                "sys_db_pool_size": max(4, self._worker_threads // 2),
                # A ping before every transaction doubles the round trips; a dead connection is noticed and retried.
                "db_engine_kwargs": {"pool_pre_ping": False},
                "enable_otlp": False,
                "run_migrations": False,
            }
        )

        def turn(start: TurnStart) -> str:  # the engine marks the function, which a bound method does not allow
            with self._running_turns:
                return run_turn(start)

        DBOS.workflow(name=WORKFLOW)(turn)

    def start(self) -> None:
        """Create the engine's tables when needed and begin to accept, and to work when this process is a worker."""
        DBOS.migrate(self._owner_url)  # serialised by a lock of its own when several processes start at once
        self._client = DBOSClient(
            system_database_url=self._owner_url,
            application_name=APPLICATION,
            system_database_pool_size=2,
            # The sender of a webhook gets its 500 and tries again; it must not wait for a dead database.
            retry_connection_errors=False,
        )
        if self._works:
            self._start_working()

    def _start_working(self) -> None:
        presence = Presence(self._owner_url, self._worker_name, working=_names_of_working, recover=_recover_turns_of)
        presence.start()  # before the first turn: whoever owns a turn must be seen alive
        self._presence = presence
        _alive.current = presence.alive
        DBOS.launch()
        DBOS.register_queue(
            QUEUE,
            partition_concurrency=1,
            worker_concurrency=self._worker_threads,
            polling_interval_sec=self._poll_s,
            on_conflict="always_update",
        )

    @property
    def running(self) -> bool:
        """Whether the engine has been started and, in a worker, proves its life."""
        return self._client is not None and (self._presence is None or self._presence.alive.is_set())

    @property
    def running_turns(self) -> int:
        """Turns this process is working on."""
        return self._running_turns.value

    def backlog(self) -> Backlog | None:
        """Count the turns that wait, of all processes; None when the database does not answer."""
        if self._client is None:
            return None
        try:
            with self._client._sys_db.engine.connect() as connection:  # pyright: ignore[reportPrivateUsage]
                waiting, oldest_s = connection.execute(_BACKLOG, {"queue": QUEUE}).one()
        except SQLAlchemyError:
            return None
        return Backlog(waiting=waiting, oldest_s=max(0.0, round(float(oldest_s), 3)))

    def stop(self) -> None:
        """Take no more turns, let running ones finish for the bounded time, stop.

        Turns that are still running then keep this worker's lock until the process ends: nobody else may begin them
        while they could still post.
        """
        if self._presence is not None:
            self._presence.stop_watching()
        if self._works:
            DBOS.destroy(workflow_completion_timeout_sec=self._drain_s)
        if self._presence is not None and self._running_turns.value == 0:
            self._presence.end()
            self._presence = None
        if self._client is not None:
            self._client.destroy()
            self._client = None

    def accept(self, connection: sa.Connection, start: TurnStart) -> None:
        """Enqueue a turn inside the caller's transaction: it exists exactly when the caller's rows do."""
        if self._client is None:
            raise RuntimeError("The engine has not been started.")
        self._client.enqueue_in_transaction(
            connection,
            {
                "workflow_name": WORKFLOW,
                "queue_name": QUEUE,
                "workflow_id": start.turn_id,
                "queue_partition_key": conversation_key(start.tenant_id, start.conversation_id),
                "app_version": ENGINE_VERSION,
            },
            start,
        )


class _Counter:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.value = 0

    def __enter__(self) -> None:
        with self._lock:
            self.value += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.value -= 1


class _Alive:
    """The proof of life of this process's one worker; outside a worker there is nothing to prove."""

    current: threading.Event | None = None


_alive = _Alive()


def _names_of_working(connection: sa.Connection) -> set[str]:
    return {row.executor_id for row in connection.execute(_WORKING, {"version": ENGINE_VERSION})}


def _recover_turns_of(worker_name: str) -> int:
    """Put a dead worker's turns back into the queue. The library's own call for it is private: test on upgrades.

    Each turn stays in its partition, so the order of its conversation holds.
    """
    return len(recover_pending_workflows(_get_dbos_instance(), [worker_name]))


def step(name: StepName, work: Callable[..., T], *arguments: Any) -> T:
    """Run one named step of the current turn: done once and its result kept, if it is one of DURABLE_STEPS.

    Whatever goes wrong in it is a SmosError; a fault nobody foresaw is a PermanentError, logged with its trace. A
    database that is away is no fault of the turn: the step is repeated when it is back.
    """

    def guarded() -> T:
        try:
            return _with_store(name, work, *arguments)
        except SmosError:
            raise
        except Exception as error:
            _log.exception("step_failed", step=name)
            raise PermanentError("unforeseen_error", f"{name}: {type(error).__name__}") from error

    if name not in DURABLE_STEPS:
        return guarded()
    return DBOS.run_step({"name": name}, guarded)


def _with_store(name: StepName, work: Callable[..., T], *arguments: Any) -> T:
    deadline = time.monotonic() + _STORE_PATIENCE_S
    while True:
        # A worker that has lost its lock may have been taken for dead: it begins nothing until it has it again.
        if _alive.current is not None:
            _alive.current.wait(_STORE_PATIENCE_S)
        try:
            return work(*arguments)
        except (OperationalError, InterfaceError, PoolTimeoutError, DBAPIError) as error:
            if not _is_store_away(error) or time.monotonic() > deadline:
                raise
            _log.warning("store_away", step=name, detail=type(error).__name__)
            time.sleep(_STORE_RETRY_S)


def _is_store_away(error: SQLAlchemyError) -> bool:
    if isinstance(error, DBAPIError) and not isinstance(error, (OperationalError, InterfaceError)):
        return error.connection_invalidated
    return True
