"""Locks by name: PostgreSQL gives them back by itself when the process that holds them dies."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

_KEY = "hashtextextended(:name, 0)"


def try_lock(connection: sa.Connection, name: str) -> bool:
    """Take a lock for this connection until ``unlock``; False when another one has it."""
    return bool(connection.execute(sa.text(f"SELECT pg_try_advisory_lock({_KEY})"), {"name": name}).scalar_one())


def lock_transaction(connection: sa.Connection, name: str) -> None:
    """Take a lock until the transaction ends, as soon as nobody else has it."""
    connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_KEY})"), {"name": name})


def try_lock_transaction(connection: sa.Connection, name: str) -> bool:
    """Take a lock until the transaction ends; False when another one has it."""
    return bool(connection.execute(sa.text(f"SELECT pg_try_advisory_xact_lock({_KEY})"), {"name": name}).scalar_one())


def unlock(connection: sa.Connection, name: str) -> None:
    """Give a lock of this connection back."""
    connection.execute(sa.text(f"SELECT pg_advisory_unlock({_KEY})"), {"name": name})


class OneProcess:
    """What one of all processes on this PostgreSQL does at a time: the one that has got hold of a lock.

    When it dies or loses its connection, another one gets the lock within the time after which it asks again.
    """

    def __init__(self, owner: sa.Engine, name: str) -> None:
        """``owner`` is this object's own: ``close`` disposes of it."""
        self._owner = owner.execution_options(isolation_level="AUTOCOMMIT")
        self._name = name
        self._holding: sa.Connection | None = None

    def is_this(self) -> bool:
        """Take the lock, or see that it is still ours; False when another process has it.

        Raises SQLAlchemyError when the database is away; the lock is then ours no more.
        """
        try:
            if self._holding is not None:
                self._holding.execute(sa.text("SELECT 1"))  # the lock is gone with its connection
                return True
            connection = self._owner.connect()
            if try_lock(connection, self._name):
                self._holding = connection
            else:
                connection.close()
        except SQLAlchemyError:
            self.let_another()
            raise
        return self._holding is not None

    def let_another(self) -> None:
        """Give the lock back, if it is ours."""
        connection, self._holding = self._holding, None
        if connection is None:
            return
        try:
            unlock(connection, self._name)
        except SQLAlchemyError:
            connection.invalidate()  # closed for good: back in the pool it would keep the lock
        finally:
            connection.close()

    def close(self) -> None:
        """Give the lock and all connections back."""
        self.let_another()
        self._owner.dispose()
