"""Taking over the turns of dead workers, without anything beside PostgreSQL.

Every worker process holds a session advisory lock on its own name. PostgreSQL gives the lock back when the process
dies. Each worker looks for names that still own running turns while nobody holds their lock, and takes those turns.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from smarteros.store.locks import try_lock, unlock

_log = structlog.get_logger()

# A lock must be seen free for this long, and ours held for this long: when PostgreSQL itself was restarted, every
# living worker has time to take its lock again before anybody takes it for dead.
GRACE_S = 1.5
_LOOK_EVERY_S = 0.4
_RECONNECT_EVERY_S = 0.1
# The server gives up a silent peer within seconds (only TCP; a Unix socket ignores it).
_KEEPALIVE = "SET tcp_keepalives_idle = 2; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 3"
_CONNECT_ARGS = {
    "connect_timeout": 3,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
    "application_name": "smos-worker-lock",
}


class Presence:
    """This worker's proof of life, and its watch over the others. ``recover(name)`` takes a dead one's turns."""

    def __init__(
        self,
        owner_url: str,
        name: str,
        *,
        working: Callable[[sa.Connection], set[str]],
        recover: Callable[[str], int],
    ) -> None:
        """``working`` lists the names that own running turns, by the connection that holds the lock."""
        self._engine = sa.create_engine(
            owner_url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT", connect_args=_CONNECT_ARGS
        )
        self._name = name
        self._working = working
        self._recover = recover
        self._connection: sa.Connection | None = None
        self._held_since = 0.0
        self._free_since: dict[str, float] = {}
        self._stopping = threading.Event()
        self.alive = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        """Take the lock, then go on in a thread. Raises SQLAlchemyError when the database is away."""
        self._take_own_lock()
        self._thread.start()

    def stop_watching(self) -> None:
        """Take over no more turns; the lock is still held, because turns of this process may be running."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def end(self) -> None:
        """Give the lock back: whatever this process still had is taken over by the others."""
        self.stop_watching()
        self._drop()
        self._engine.dispose()
        self.alive.set()  # a step that waited sees that the store is closed, instead of waiting forever

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_S if self.alive.is_set() else _RECONNECT_EVERY_S):
            try:
                if self._connection is None:
                    self._take_own_lock()
                else:
                    self._look(self._connection)
            except SQLAlchemyError as error:
                if self.alive.is_set():
                    _log.warning("worker_lock_lost", detail=type(error).__name__)
                self._drop()
            except Exception:
                _log.exception("takeover_failed")  # the watch goes on: without it nobody's turns are taken over

    def _take_own_lock(self) -> None:
        if self._connection is None:
            self._connection = self._engine.connect()
            self._connection.exec_driver_sql(_KEEPALIVE)
        if not try_lock(self._connection, _lock_of(self._name)):
            self._drop()  # the server has not noticed yet that the last connection is gone, or another worker looks
            return
        self._held_since = time.monotonic()
        self._free_since.clear()
        self.alive.set()

    def _drop(self) -> None:
        self.alive.clear()
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.invalidate()
            with suppress(SQLAlchemyError):
                connection.close()

    def _look(self, connection: sa.Connection) -> None:
        names = self._working(connection) - {self._name}
        self._free_since = {name: since for name, since in self._free_since.items() if name in names}
        for name in names:
            if self._stopping.is_set():
                return
            if not try_lock(connection, _lock_of(name)):
                self._free_since.pop(name, None)
                continue
            try:
                self._judge(name)
            finally:
                unlock(connection, _lock_of(name))

    def _judge(self, name: str) -> None:
        """Take the turns of ``name``, whose lock we have just got, when it has been free for long enough."""
        now = time.monotonic()
        since = self._free_since.setdefault(name, now)
        if now - max(since, self._held_since) < GRACE_S:
            return
        taken = self._recover(name)
        _log.warning("turns_taken_over", worker=name, turns=taken)
        self._free_since.pop(name, None)


def _lock_of(name: str) -> str:
    """Name a worker's lock; the proof asks PostgreSQL for it by the same name."""
    return f"smos-worker:{name}"
