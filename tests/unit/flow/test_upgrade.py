"""An installation of any earlier version is brought to today's tables, and turns run in it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import ProgrammingError
from structlog.testing import capture_logs
from structlog.typing import EventDict
from tests.unit.store.queued import TurnQueue, a_start

from smarteros.domain.errors import TransientError
from smarteros.domain.tenants import TenantScope
from smarteros.flow.lanes import PLACES
from smarteros.store import migrations
from smarteros.store.database import Database, migrate, schema_revisions
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.store.queue import end_turn, enqueue_turn
from smarteros.store.turns import mute, muted_reason

SHOP, OTHER = TenantScope(tenant_id="UPGRADED_SHOP"), TenantScope(tenant_id="ANOTHER_SHOP")
_numbers = itertools.count(1)

# The first migration makes the tables of today: what came after it is taken away again.
_BACK_TO_THE_FIRST = (
    "ALTER TABLE smos.conversations DROP COLUMN muted_reason, DROP COLUMN led_at",
    "ALTER TABLE smos.replies DROP COLUMN failed_at, DROP COLUMN failed_reason",
    "DROP INDEX smos.replies_by_conversation",
)
# The engine of those versions kept its tables beside ours.
_ENGINE_BEFORE = (
    "CREATE SCHEMA dbos",
    "CREATE TABLE dbos.workflow_status (workflow_uuid text PRIMARY KEY, status text)",
    "INSERT INTO dbos.workflow_status VALUES ('old-turn', 'SUCCESS')",
)
_A_CONVERSATION = (
    "INSERT INTO smos.conversations (tenant_id, conversation_id, state, history)"
    " VALUES ('UPGRADED_SHOP', 1, '{}', '[\"hola\"]')"
)


def make_version(connection: sa.Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    connection.execute(sa.text("CREATE SCHEMA smos"))
    command.upgrade(config, "0001")
    for statement in (*_BACK_TO_THE_FIRST, *_ENGINE_BEFORE, _A_CONVERSATION):
        connection.execute(sa.text(statement))
    command.upgrade(config, revision)


@contextmanager
def a_database(postgres: EmbeddedPostgres, owner: str = "postgres") -> Generator[tuple[str, str]]:
    """A database of its own on the server of the tests; its owner's and the application's URL."""
    name = f"upgraded_{next(_numbers)}"
    server = sa.create_engine(postgres.url(), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} OWNER {owner}"))
    urls = [sa.make_url(postgres.url(user)).set(database=name) for user in (owner, "smos_app")]
    yield urls[0].render_as_string(hide_password=False), urls[1].render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def opened(owner_url: str, app_url: str) -> Generator[tuple[Database, TurnQueue]]:
    database, queue = Database(owner_url, app_url), TurnQueue(owner_url)
    try:
        yield database, queue
    finally:
        database.dispose()
        queue.engine.dispose()


def plays_a_turn(database: Database, queue: TurnQueue) -> None:
    """The application accepts a turn, the owner's claim takes it, the application ends it; nobody else sees it."""
    start = a_start(SHOP.tenant_id, 1)
    with database.tenant(SHOP) as connection:
        enqueue_turn(connection, start, PLACES["quick"])
    with database.tenant(OTHER) as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM smos.waiting_turns")).scalar_one() == 0
    turn = queue.claim_one()
    assert (turn.start, turn.claims, queue.claim()) == (start, 1, [])
    with database.tenant(OTHER) as connection:
        assert not end_turn(connection, turn)
    with database.tenant(SHOP) as connection:
        assert end_turn(connection, turn)


@pytest.fixture
def held(postgres: EmbeddedPostgres) -> Iterator[tuple[str, sa.Connection]]:
    """An empty database, and somebody who holds what its migrations need until he rolls back."""
    with a_database(postgres) as (owner_url, _):
        somebody = sa.create_engine(owner_url, poolclass=sa.NullPool)
        with somebody.connect() as connection:
            connection.execute(sa.text("CREATE SCHEMA smos"))
            yield owner_url, connection


def test_a_migration_whose_tables_are_held_keeps_nobody_waiting_and_says_what_to_do(
    held: tuple[str, sa.Connection],
) -> None:
    with pytest.raises(TransientError, match=r"Nothing was changed.*pg_stat_activity") as refused:
        migrate(held[0], tries=1)

    assert refused.value.code == "schema_locked"


def test_a_migration_is_tried_again_until_the_others_have_ended(held: tuple[str, sa.Connection]) -> None:
    owner_url, somebody = held
    waits = threading.Event()

    def seen(_logger: Any, _method: str, line: EventDict) -> EventDict:
        waits.set()
        return line

    with capture_logs(processors=[seen]) as lines, ThreadPoolExecutor() as pool:
        migrating = pool.submit(migrate, owner_url, tries=30, pause_s=0)
        assert waits.wait(60)
        somebody.rollback()
        assert migrating.result().is_behind

    assert not schema_revisions(owner_url).is_behind
    assert {line["event"] for line in lines} == {"schema_locked"}


@pytest.mark.parametrize("version", ["0001", "0002", "0003"])
def test_turns_run_in_a_database_that_was_made_by_an_earlier_version(postgres: EmbeddedPostgres, version: str) -> None:
    with a_database(postgres) as (owner_url, app_url):
        owner = sa.create_engine(owner_url, poolclass=sa.NullPool)
        with owner.begin() as connection:
            make_version(connection, version)
        assert migrate(owner_url).found == version
        assert not migrate(owner_url).is_behind  # changes nothing more
        with opened(owner_url, app_url) as (database, queue):
            plays_a_turn(database, queue)
            with database.tenant(SHOP) as connection:
                assert mute(connection, SHOP.tenant_id, 1, "human_reply", a_start("X", 1).received_at)
                assert muted_reason(connection, SHOP.tenant_id, 1) == "human_reply"
                kept = connection.execute(sa.text("SELECT history FROM smos.conversations")).scalar_one()
            inspector = sa.inspect(owner)
            columns = {column["name"] for column in inspector.get_columns("conversations", schema="smos")}
            schemas = inspector.get_schema_names()

    assert kept == ["hola"]
    assert "dbos" not in schemas
    assert not columns & {"fence", "fence_turn"}


def test_an_owner_who_is_no_superuser_takes_the_turns_of_all_tenants(postgres: EmbeddedPostgres) -> None:
    server = sa.create_engine(postgres.url(), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text("CREATE ROLE smos_owner LOGIN NOSUPERUSER NOBYPASSRLS CREATEROLE"))
        # What it would have, had its own migration made the role.
        connection.execute(sa.text("GRANT smos_app TO smos_owner WITH ADMIN TRUE, INHERIT FALSE, SET FALSE"))
    with a_database(postgres, "smos_owner") as (owner_url, app_url):
        migrate(owner_url)
        with opened(owner_url, app_url) as (database, queue):
            plays_a_turn(database, queue)
            for scope in (SHOP, OTHER):
                with database.tenant(scope) as connection:
                    enqueue_turn(connection, a_start(scope.tenant_id, 7), PLACES["quick"])
            assert {turn.start.tenant_id for turn in queue.claim()} == {SHOP.tenant_id, OTHER.tenant_id}
            assert queue.give_back() == 2
            with pytest.raises(ProgrammingError, match="permission denied"), database.statement() as connection:
                connection.execute(sa.text("SELECT smos.claim_turns('thief', 10, 10)"))
    with server.connect() as connection:
        connection.execute(sa.text("DROP ROLE smos_owner"))


def test_a_version_works_on_with_the_tables_of_the_one_after_it_and_leaves_them_alone(
    postgres: EmbeddedPostgres,
) -> None:
    with a_database(postgres) as (owner_url, app_url):
        migrate(owner_url)
        owner = sa.create_engine(owner_url, poolclass=sa.NullPool)
        with owner.begin() as connection:  # what a migration of the next version may do: add
            connection.execute(sa.text("ALTER TABLE smos.conversations ADD COLUMN of_tomorrow text"))
            connection.execute(sa.text("UPDATE smos.alembic_version SET version_num = '9999'"))
        seen = migrate(owner_url)
        with opened(owner_url, app_url) as (database, queue):
            plays_a_turn(database, queue)

        assert (seen.found, seen.is_newer, schema_revisions(owner_url).found) == ("9999", True, "9999")
