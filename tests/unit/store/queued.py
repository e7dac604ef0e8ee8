"""The queue of turns as its owner has it: emptied before a test, and claimed from like a worker does."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
import structlog

from smarteros.domain.ids import turn_id
from smarteros.domain.turns import ClaimedTurn, Lane, TurnStart
from smarteros.flow.lanes import PLACES
from smarteros.store import queue
from smarteros.store.embedded import EmbeddedPostgres


class TurnQueue:
    """All turns that wait or run, of all tenants. Every statement is a transaction of its own."""

    def __init__(self, owner_url: str) -> None:
        self.engine = sa.create_engine(owner_url, isolation_level="AUTOCOMMIT", pool_pre_ping=True)
        self.ask("DELETE FROM smos.waiting_turns")

    @contextmanager
    def connection(self) -> Generator[sa.Connection]:
        with self.engine.connect() as connection:
            yield connection

    def ask(self, statement: str, *values: object) -> None:
        with self.connection() as connection:
            connection.exec_driver_sql(statement, values)

    def enqueue(self, start: TurnStart, lane: Lane = "quick") -> str:
        with self.connection() as connection:
            queue.enqueue_turn(connection, start, PLACES[lane])
        return start.turn_id

    def claim(
        self, worker: str = "worker", *, most: int = 1000, most_slow: int = 1000, without: Collection[str] = ()
    ) -> list[ClaimedTurn]:
        with self.connection() as connection:
            return queue.claim_turns(connection, worker, most, most_slow, without)

    def wrest(self, worker: str) -> list[ClaimedTurn]:
        """Give every turn to this worker, whoever had it; one transaction, so that nobody comes between."""
        with self.connection() as connection:
            connection.execution_options(isolation_level="READ COMMITTED")
            with connection.begin():
                connection.exec_driver_sql("UPDATE smos.waiting_turns SET worker = NULL")
                return queue.claim_turns(connection, worker, 1000, 1000)

    def claim_one(self, worker: str = "worker") -> ClaimedTurn:
        (turn,) = self.claim(worker, most=1)
        return turn

    def put_off(self, turn: ClaimedTurn, after_s: float, **how: Any) -> None:
        with self.connection() as connection:
            queue.put_off(connection, turn, after_s, **how)

    def give_back(self, worker: str = "worker", running: tuple[str, ...] = ()) -> int:
        with self.connection() as connection:
            return queue.give_back(connection, worker, running)

    def is_ours(self, turn: ClaimedTurn) -> bool:
        with self.connection() as connection:
            return queue.is_ours(connection, turn)

    def row(self, turn: str) -> Any:
        """The row of a turn, with how many seconds ``not_before`` is ahead; None when the turn has ended."""
        with self.connection() as connection:
            return connection.exec_driver_sql(
                "SELECT *, extract(epoch FROM not_before - clock_timestamp())::float8 AS ahead_s,"
                " extract(epoch FROM due_at - enqueued_at)::float8 AS due_s FROM smos.waiting_turns WHERE turn_id = %s",
                (turn,),
            ).one_or_none()

    def starts(self) -> list[TurnStart]:
        """What waits or runs, in the order of its acceptance."""
        with self.connection() as connection:
            rows = connection.exec_driver_sql("SELECT start FROM smos.waiting_turns ORDER BY enqueued_at").all()
        return [TurnStart.model_validate(row.start) for row in rows]

    def time_has_come(self) -> None:
        """Let every wait be over, without waiting."""
        self.ask("UPDATE smos.waiting_turns SET not_before = clock_timestamp() - interval '1 second'")


def a_start(tenant_id: str, conversation_id: int, message_id: int = 1, **changes: Any) -> TurnStart:
    fields: dict[str, Any] = {
        "turn_id": turn_id(tenant_id, conversation_id, message_id),
        "tenant_id": tenant_id,
        "account_id": 31,
        "conversation_id": conversation_id,
        "message_id": message_id,
        "received_at": datetime.now(UTC),
    }
    return TurnStart(**(fields | changes))


@pytest.fixture
def turn_queue(postgres: EmbeddedPostgres) -> Iterator[TurnQueue]:
    """The queue, empty: tests run one after the other on one PostgreSQL."""
    opened = TurnQueue(postgres.url())
    yield opened
    opened.ask("DELETE FROM smos.waiting_turns")
    opened.engine.dispose()


@pytest.fixture(autouse=True)
def plain_traces() -> Iterator[None]:
    """Log exceptions in one plain piece: drawing every variable of every frame takes seconds."""
    structlog.configure(processors=[structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)])
    yield
    structlog.reset_defaults()
