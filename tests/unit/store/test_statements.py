"""Statements that go to the driver as they are: rows by name, and the errors everybody expects."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, ProgrammingError

from smarteros.domain.tenants import TenantScope
from smarteros.store.database import Database
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.store.statements import run

SCOPE = TenantScope(tenant_id="STATEMENTS_SHOP")
NUMBER = "SELECT CAST(%(number)s AS integer) AS number, 'ñandú %%' AS words"
_REVISION = "INSERT INTO smos.kb_revisions (tenant_id, revision) VALUES ('STATEMENTS_SHOP', 1)"


@pytest.fixture
def single(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """A pool of one connection: the next user gets what the last one left."""
    opened = Database(postgres.url(), postgres.url("smos_app"), pool_size=1)
    yield opened
    opened.dispose()


@pytest.fixture
def kill(postgres: EmbeddedPostgres) -> Iterator[Callable[[int], None]]:
    """Ends a server process as an operator or a crash does."""
    owner = sa.create_engine(postgres.url(), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")

    def terminate(pid: int) -> None:
        with owner.connect() as connection:
            gone = connection.exec_driver_sql("SELECT pg_terminate_backend(%s, 5000)", (pid,)).scalar_one()
        assert gone

    yield terminate
    owner.dispose()


def pid_of(connection: sa.Connection) -> int:
    return int(run(connection, "SELECT pg_backend_pid() AS pid", {}).fetchone().pid)  # pyright: ignore[reportOptionalMemberAccess]


def works(database: Database) -> bool:
    with database.tenant(SCOPE) as connection:
        return run(connection, NUMBER, {"number": 7}).fetchone() == (7, "ñandú %")


def test_rows_have_the_names_of_their_columns(database: Database) -> None:
    with database.tenant(SCOPE) as connection:
        (row,) = run(connection, NUMBER, {"number": "7"})
    assert (row.number, row.words) == (7, "ñandú %")


def test_values_are_values_whatever_they_contain(database: Database) -> None:
    nasty = "'; DROP TABLE smos.tenants; -- \\ %s %(x)s"
    with database.tenant(SCOPE) as connection:
        (row,) = run(connection, "SELECT CAST(%(text)s AS text) AS text", {"text": nasty})
    assert row.text == nasty


@pytest.mark.parametrize(
    ("statement", "values", "error"),
    [
        (NUMBER, {"number": "seven"}, DataError),
        (NUMBER, {"number": 2**31}, DataError),
        ("SELECT * FROM smos.nowhere", {}, ProgrammingError),
        ("UPDATE smos.audit_events SET hash = '0'", {}, ProgrammingError),
        (f"{_REVISION}; {_REVISION}", {}, IntegrityError),
    ],
)
def test_errors_are_those_of_every_other_statement_and_leave_the_connection_usable(
    single: Database, statement: str, values: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error) as caught, single.tenant(SCOPE) as connection:
        run(connection, statement, values)

    assert isinstance(caught.value.__cause__, psycopg.Error)
    assert not getattr(caught.value, "connection_invalidated", None)
    assert works(single)


def test_a_connection_that_dies_in_a_transaction_is_an_operational_error_and_the_pool_recovers(
    single: Database, kill: Callable[[int], None]
) -> None:
    with pytest.raises(OperationalError) as caught, single.tenant(SCOPE) as connection:
        kill(pid_of(connection))
        run(connection, NUMBER, {"number": 7})

    assert caught.value.connection_invalidated
    assert works(single)


def test_a_connection_that_died_in_the_pool_fails_once_and_is_replaced(
    single: Database, kill: Callable[[int], None]
) -> None:
    with single.tenant(SCOPE) as connection:
        pid = pid_of(connection)
    kill(pid)
    with pytest.raises(OperationalError), single.tenant(SCOPE):
        raise AssertionError("there is no transaction to work in")

    assert works(single)


def test_a_transaction_whose_end_is_not_heard_is_an_operational_error(
    single: Database, kill: Callable[[int], None]
) -> None:
    with pytest.raises(OperationalError), single.tenant(SCOPE) as connection:
        kill(pid_of(connection))

    assert works(single)


def test_a_statement_without_transaction_that_loses_its_connection_is_an_operational_error(
    single: Database, kill: Callable[[int], None]
) -> None:
    with pytest.raises(OperationalError) as caught, single.statement() as connection:
        kill(pid_of(connection))
        run(connection, NUMBER, {"number": 7})

    assert caught.value.connection_invalidated
    assert works(single)


def test_an_error_of_ones_own_in_a_dead_transaction_is_still_ones_own(
    single: Database, kill: Callable[[int], None]
) -> None:
    with pytest.raises(ZeroDivisionError), single.tenant(SCOPE) as connection:
        kill(pid_of(connection))
        raise ZeroDivisionError

    assert works(single)


@pytest.mark.parametrize("opens", ["tenant", "statement"])
def test_when_the_server_has_cut_all_connections_only_the_first_user_notices(
    database: Database, kill: Callable[[int], None], opens: str
) -> None:
    with database.tenant(SCOPE) as one, database.tenant(SCOPE) as two, database.tenant(SCOPE) as three:
        pids = [pid_of(connection) for connection in (one, two, three)]
    for pid in pids:
        kill(pid)
    with pytest.raises(OperationalError):
        if opens == "tenant":
            works(database)
        else:
            with database.statement() as connection:
                run(connection, NUMBER, {"number": 7})

    assert all(works(database) for _ in pids)
