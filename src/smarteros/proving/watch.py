"""Sees from PostgreSQL where the turns are, so that a process can be killed at a named moment. Only reads."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from smarteros.domain.ids import reply_id
from smarteros.domain.model import Model
from smarteros.store.statements import run

# Workers are told apart by the key of the lock with which they prove their life.
_HELD = """
SELECT w.turn_id, w.tenant_id, w.conversation_id, hashtextextended('smos-worker:' || w.worker, 0) AS worker_key,
       w.draft IS NOT NULL AS drafted, coalesce(w.draft->'replied'->>'outcome' = 'escalated', false) AS escalates,
       EXISTS (SELECT FROM smos.received_events e
                WHERE e.tenant_id = w.tenant_id AND e.conversation_id = w.conversation_id
                  AND e.turn_id = w.turn_id) AS taken
  FROM smos.waiting_turns w WHERE w.worker IS NOT NULL
"""
_ENDED = "SELECT turn_id FROM smos.turns WHERE turn_id = ANY(%(turns)s)"
_NEWEST = "SELECT coalesce(max(event_id), 0) AS newest FROM smos.received_events"
_UNFINISHED = "SELECT count(*) AS unfinished FROM smos.waiting_turns"
_STILL = (
    "SELECT count(*) AS held FROM smos.waiting_turns WHERE turn_id = ANY(%(turns)s)"
    " AND hashtextextended('smos-worker:' || worker, 0) = %(key)s"
)
# A worker's lock on its own name; a 64-bit key is shown in two halves.
_KEYS = (
    "SELECT (l.classid::bigint << 32) | l.objid::bigint AS key FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
    " WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted AND a.application_name = 'smos-worker-lock'"
)


class Held(Model):
    """A turn in the hands of a worker, as its rows show it.

    ``taken``: it has the customer's messages. ``drafted``: its reply is written down; ``escalates``: and a person is to
    be called behind it.
    """

    turn_id: str
    tenant_id: str
    conversation_id: int
    worker_key: int
    taken: bool
    drafted: bool
    escalates: bool

    @property
    def marker(self) -> str:
        """What its reply carries in Chatwoot."""
        return reply_id(self.turn_id)


class Watch:
    """Looks at the queue of turns. While the database is away there is nothing to be seen."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url, pool_size=2, isolation_level="AUTOCOMMIT")

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def held(self) -> list[Held] | None:
        """All turns that workers have, those of dead ones too; None while the database is away."""
        rows = self._rows(_HELD)
        return None if rows is None else [Held.model_validate(row._asdict()) for row in rows]

    def ended(self, turns: Collection[str]) -> set[str]:
        """Those of the turns whose record is written."""
        return {str(row.turn_id) for row in self._rows(_ENDED, turns=list(turns)) or []}

    def newest_event(self) -> int | None:
        """The number of the last event that was stored; None while the database is away."""
        return self._number(_NEWEST)

    def unfinished(self) -> int | None:
        """Count the turns that wait or run; None while the database is away."""
        return self._number(_UNFINISHED)

    def answers(self) -> bool:
        """Whether the database does."""
        return self.unfinished() is not None

    def worker_keys(self) -> set[int]:
        """The keys of all workers that prove their life just now; empty while the database is away."""
        return {_signed(int(row.key)) for row in self._rows(_KEYS) or []}

    def turns_of(self, key: int) -> list[str]:
        """The turns a worker has just now."""
        return [turn.turn_id for turn in self.held() or [] if turn.worker_key == key]

    def still_held(self, key: int, turns: list[str]) -> bool:
        """Whether some of the turns are still waiting for this (dead) worker. A database that is away holds them."""
        return self._number(_STILL, key=key, turns=turns) != 0

    def _number(self, statement: str, **values: Any) -> int | None:
        rows = self._rows(statement, **values)
        return None if rows is None else int(rows[0][0])

    def _rows(self, statement: str, **values: Any) -> list[Any] | None:
        with suppress(SQLAlchemyError), self._engine.connect() as connection:
            return run(connection, statement, values).fetchall()
        return None


def _signed(key: int) -> int:
    """PostgreSQL's halves are unsigned, its function's result is not."""
    return key - 2**64 if key >= 2**63 else key
