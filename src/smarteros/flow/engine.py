"""The durable engine: accept a turn, run its steps, recover after a crash. The only module that knows DBOS.

One workflow per turn. The queue is partitioned by conversation with one turn at a time per partition, so turns of a
conversation run strictly one after the other (turn ids sort in message order) and others in parallel. A finished step
is never repeated: its result is read from the checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog
from dbos import DBOS, DBOSClient

from smarteros.domain.errors import PermanentError, SmosError
from smarteros.domain.ids import conversation_key
from smarteros.domain.turns import StepName, TurnStart

T = TypeVar("T")

_log = structlog.get_logger()

QUEUE = "turns"
WORKFLOW = "turn"
# Set by hand: a turn that is waiting or half done survives a deployment; a change of the order of steps raises it.
ENGINE_VERSION = "1"


class Engine:
    """Runs ``run_turn`` once for every accepted turn, on ``worker_threads`` threads of this process."""

    def __init__(
        self,
        owner_url: str,
        run_turn: Callable[[TurnStart], str],
        *,
        executor_id: str = "local",
        poll_ms: int = 50,
        worker_threads: int = 16,
    ) -> None:
        self._owner_url = owner_url
        self._poll_s = poll_ms / 1000
        self._worker_threads = worker_threads
        DBOS(
            config={
                "name": "smarteros",
                "system_database_url": owner_url,
                "application_version": ENGINE_VERSION,
                "executor_id": executor_id,
                "log_level": "ERROR",
                "max_executor_threads": worker_threads,
                "enable_otlp": False,
            }
        )

        def turn(start: TurnStart) -> str:  # the engine marks the function, which a bound method does not allow
            return run_turn(start)

        DBOS.workflow(name=WORKFLOW)(turn)
        self._client: DBOSClient | None = None

    def start(self) -> None:
        """Create the engine's tables when needed, take up unfinished turns and begin to work."""
        DBOS.launch()
        DBOS.register_queue(
            QUEUE,
            partition_concurrency=1,
            worker_concurrency=self._worker_threads,
            polling_interval_sec=self._poll_s,
            on_conflict="always_update",
        )
        self._client = DBOSClient(
            system_database_url=self._owner_url, application_name="smarteros", system_database_pool_size=2
        )

    @property
    def running(self) -> bool:
        """Whether the engine has been started."""
        return self._client is not None

    def stop(self) -> None:
        """Stop working; turns that are running are taken up at the next start."""
        if self._client is not None:
            self._client.destroy()
            self._client = None
        DBOS.destroy(workflow_completion_timeout_sec=1)

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


def step(name: StepName, work: Callable[..., T], *arguments: Any) -> T:
    """Run one named step of the current turn: done once, its result kept.

    Whatever goes wrong in it is a SmosError; a fault nobody foresaw is a PermanentError, logged with its trace.
    """

    def guarded() -> T:
        try:
            return work(*arguments)
        except SmosError:
            raise
        except Exception as error:
            _log.exception("step_failed", step=name)
            raise PermanentError("unforeseen_error", f"{name}: {type(error).__name__}") from error

    return DBOS.run_step({"name": name}, guarded)
