"""Statements of the hot path, handed to the driver as they are written.

A turn makes some thirty of them. SQLAlchemy's own work on each costs three times what the driver needs, so the few
modules behind every turn write SQL with the driver's placeholders; errors are SQLAlchemy's all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from psycopg.rows import namedtuple_row
from sqlalchemy.exc import DBAPIError


def run(connection: sa.Connection, statement: str, values: Mapping[str, Any]) -> psycopg.Cursor[Any]:
    """Execute a statement with ``%(name)s`` placeholders in the connection's transaction.

    Rows have the names of their columns. Raises what SQLAlchemy's own ``execute`` raises.
    """
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    try:
        return driver.cursor(row_factory=namedtuple_row).execute(statement.encode(), values)
    except psycopg.Error as error:
        if gone := driver.closed:
            give_up(connection, error)
        raise DBAPIError.instance(
            statement, None, error, psycopg.Error, connection_invalidated=gone, dialect=connection.dialect
        ) from error


def give_up(connection: sa.Connection, error: psycopg.Error) -> None:
    """Drop a dead connection, and let those that wait in its pool be made anew: whoever cut one has cut them all.

    It is what SQLAlchemy does after its own statements; there is no public way to it.
    """
    if not connection.invalidated:
        connection.engine.pool._invalidate(connection.connection, error)  # pyright: ignore[reportPrivateUsage]
        connection.invalidate(error)
