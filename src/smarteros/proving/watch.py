"""Sees from PostgreSQL where the turns are, so that a process can be killed at a named step. Only reads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from smarteros.proving.plan import Moment

_LOOK_S = 0.004
_CHECKPOINTED = sa.text(
    "SELECT w.workflow_uuid AS turn_id, w.executor_id FROM dbos.workflow_status w"
    " JOIN dbos.operation_outputs o ON o.workflow_uuid = w.workflow_uuid"
    " WHERE w.status = 'PENDING' AND o.function_name = :step"
    " AND o.function_id = (SELECT max(function_id) FROM dbos.operation_outputs x"
    "                      WHERE x.workflow_uuid = w.workflow_uuid) LIMIT 1"
)
_INTENDED = sa.text(
    "SELECT w.workflow_uuid AS turn_id, w.executor_id, r.reply_id, r.tenant_id, r.conversation_id FROM smos.replies r"
    " JOIN dbos.workflow_status w ON w.workflow_uuid = r.turn_id"
    " WHERE r.posted_at IS NULL AND w.status = 'PENDING' ORDER BY r.intended_at DESC LIMIT 1"
)
_RUNNING = sa.text(
    "SELECT workflow_uuid AS turn_id, executor_id FROM dbos.workflow_status WHERE status = 'PENDING' LIMIT 1"
)
_RECEIVED = sa.text("SELECT coalesce(max(event_id), 0) FROM smos.received_events")
_UNFINISHED = sa.text("SELECT count(*) FROM dbos.workflow_status WHERE status IN ('PENDING', 'ENQUEUED')")
_HELD = sa.text(
    "SELECT workflow_uuid FROM dbos.workflow_status"
    " WHERE status = 'PENDING' AND hashtextextended('smos-worker:' || executor_id, 0) = :key"
)
_STILL = sa.text(
    "SELECT count(*) FROM dbos.workflow_status WHERE workflow_uuid = ANY(:turns) AND status = 'PENDING'"
    " AND hashtextextended('smos-worker:' || executor_id, 0) = :key"
)
# A worker's lock on its own name; a 64-bit key is shown in two halves.
_KEYS = sa.text(
    "SELECT (l.classid::bigint << 32) | l.objid::bigint FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
    " WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted AND a.application_name = 'smos-worker-lock'"
)
_KEY_OF = sa.text("SELECT hashtextextended('smos-worker:' || :name, 0)")


@dataclass(frozen=True)
class Caught:
    """A turn met at the wanted moment, and the key of the worker that runs it."""

    turn_id: str
    worker_key: int | None


class Watch:
    """Looks at the tables of the engine and of the store. ``posted(tenant, conversation, marker)`` asks Chatwoot."""

    def __init__(self, url: str, posted: Callable[[str, int, str], bool]) -> None:
        self._engine = sa.create_engine(url, pool_size=2, isolation_level="AUTOCOMMIT")
        self._posted = posted

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def catch(self, moment: Moment, within_s: float, stop: threading.Event) -> Caught | None:
        """Wait for a turn at a moment; None when there was none in time, or the database went away."""
        deadline = time.monotonic() + within_s
        received = self._number(_RECEIVED) if moment == "receive" else 0
        while time.monotonic() < deadline and not stop.is_set():
            with suppress(SQLAlchemyError):
                if moment == "receive":
                    if self._number(_RECEIVED) > received:
                        return Caught("", None)
                elif (caught := self._look(moment)) is not None:
                    return caught
            time.sleep(_LOOK_S)
        return None

    def unfinished(self) -> int | None:
        """Count the turns that wait or run; None while the database is away."""
        with suppress(SQLAlchemyError):
            return self._number(_UNFINISHED)
        return None

    def answers(self) -> bool:
        """Whether the database does."""
        return self.unfinished() is not None

    def worker_keys(self) -> set[int]:
        """The keys of all workers that prove their life just now; empty while the database is away."""
        with suppress(SQLAlchemyError), self._engine.connect() as connection:
            return {_signed(int(row[0])) for row in connection.execute(_KEYS)}
        return set()

    def turns_of(self, key: int) -> list[str]:
        """The turns a worker runs just now."""
        with suppress(SQLAlchemyError), self._engine.connect() as connection:
            return [str(row[0]) for row in connection.execute(_HELD, {"key": key})]
        return []

    def still_held(self, key: int, turns: list[str]) -> bool:
        """Whether some of the turns are still waiting for this (dead) worker. A database that is away holds them."""
        with suppress(SQLAlchemyError), self._engine.connect() as connection:
            return bool(connection.execute(_STILL, {"key": key, "turns": turns}).scalar_one())
        return True

    def _look(self, moment: Moment) -> Caught | None:
        if moment == "random":
            row = self._row(_RUNNING)
        elif moment in ("reply_intended", "reply_posted"):
            row = self._row(_INTENDED)
            if row is not None and moment == "reply_posted" and not self._is_posted(row):
                return None
        else:
            row = self._row(_CHECKPOINTED, step=moment)
        if row is None:
            return None
        return Caught(str(row["turn_id"]), self._key(row["executor_id"]))

    def _is_posted(self, row: dict[str, Any]) -> bool:
        return self._posted(str(row["tenant_id"]), int(row["conversation_id"]), str(row["reply_id"]))

    def _key(self, executor_id: object) -> int | None:
        if executor_id is None:
            return None
        with self._engine.connect() as connection:
            return int(connection.execute(_KEY_OF, {"name": str(executor_id)}).scalar_one())

    def _row(self, statement: sa.TextClause, **values: str) -> dict[str, Any] | None:
        with self._engine.connect() as connection:
            row = connection.execute(statement, values).mappings().first()
        return None if row is None else dict(row)

    def _number(self, statement: sa.TextClause) -> int:
        with self._engine.connect() as connection:
            return int(connection.execute(statement).scalar_one())


def _signed(key: int) -> int:
    """PostgreSQL's halves are unsigned, its function's result is not."""
    return key - 2**64 if key >= 2**63 else key
