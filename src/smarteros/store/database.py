"""Connections. Tenant data is reached only inside ``Database.tenant(scope)``; without a scope there are no rows."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, cast

import psycopg
import sqlalchemy as sa
import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from smarteros.domain.errors import ConfigError, RejectedInputError, TransientError
from smarteros.domain.tenants import TenantScope
from smarteros.store.moved import refusal_of_moved
from smarteros.store.statements import give_up

_log = structlog.get_logger()

# Audit events of senders that could not be believed belong to no tenant.
# Not empty: a pooled connection without a scope has the empty one.
NO_TENANT = "-"
# The server gives up a worker that froze inside a transaction: its locks must not hold up a conversation for good.
_CONNECT_ARGS = {"options": "-c idle_in_transaction_session_timeout=15s"}


# Who waits for a table makes everybody wait who comes after him, and Chatwoot waits 5 s for a webhook's answer.
_LOCK_WITHIN = "SET LOCAL lock_timeout = '2s'"
_TRIES = 10
_PAUSE_S = 3.0


class SchemaRevisions(NamedTuple):
    """The revision of the schema that was found (None: there is none yet), and the newest one this version knows.

    Revisions are four digits, in order.
    """

    found: str | None
    ours: str

    @property
    def is_newer(self) -> bool:
        """Whether a newer version than this one has made the schema."""
        return self.found is not None and self.found > self.ours

    @property
    def is_behind(self) -> bool:
        """Whether migrations of this version are still to be run."""
        return self.found is None or self.found < self.ours


class Database:
    """The pool of one PostgreSQL as the application's role, which owns nothing."""

    def __init__(self, owner_url: str, app_url: str, *, pool_size: int = 10) -> None:
        """``owner_url`` is kept for migrations and the engine."""
        self.owner_url = owner_url
        # Transactions are begun by hand, together with their scope: one round trip instead of two.
        self.app = sa.create_engine(
            app_url,
            pool_size=pool_size,
            max_overflow=4,
            pool_timeout=5,
            isolation_level="AUTOCOMMIT",
            connect_args=_CONNECT_ARGS,
        )

    def dispose(self) -> None:
        """Close all connections."""
        self.app.dispose()

    @contextmanager
    def tenant(self, scope: TenantScope) -> Generator[sa.Connection]:
        """Open a transaction that sees and writes the rows of one tenant only.

        It ends with what ``Tenant.require_at_home`` raises when the tenant has moved away and a row would be changed.
        """
        with self._transaction(f"BEGIN; SET LOCAL smos.tenant_id = {_literal(scope.tenant_id)}") as connection:
            yield connection

    @contextmanager
    def unclaimed(self) -> Generator[sa.Connection]:
        """Open a transaction for the rows that belong to no tenant (refused webhooks in the audit)."""
        with self._transaction(f"BEGIN; SET LOCAL smos.tenant_id = {_literal(NO_TENANT)}") as connection:
            yield connection

    def scoped(self, tenant_id: str) -> AbstractContextManager[sa.Connection]:
        """Open a transaction for a tenant's rows, or with ``NO_TENANT`` for nobody's. ValidationError for no id."""
        return self.unclaimed() if tenant_id == NO_TENANT else self.tenant(TenantScope(tenant_id=tenant_id))

    @contextmanager
    def installation(self) -> Generator[sa.Connection]:
        """Open a transaction for what belongs to the installation: the directory of tenants."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def statement(self) -> Generator[sa.Connection]:
        """Open a connection without transaction and scope, for statements that set the scope themselves."""
        with self.app.connect() as connection:
            driver = driver_of(connection)
            try:
                yield connection
            except SQLAlchemyError as error:
                _give_up_transaction(driver, error)
                raise

    def ping(self) -> bool:
        """Tell whether the database answers."""
        try:
            with self.app.connect() as connection:
                connection.execute(sa.text("SELECT 1"))
        except SQLAlchemyError:
            return False
        return True

    @contextmanager
    def _transaction(self, begin: str) -> Generator[sa.Connection]:
        with self.app.connect() as connection:
            # Not prepared: a prepared statement may not be two. psycopg refuses what a broken connection cannot do.
            driver = driver_of(connection)
            with _translated(connection):
                driver.execute(begin.encode(), prepare=False)
            try:
                yield connection
            except BaseException as error:
                _give_up_transaction(driver, error)
                raise
            with _translated(connection):
                driver.commit()


def driver_of(connection: sa.Connection) -> psycopg.Connection[Any]:
    """Return the driver's own connection, for what SQLAlchemy has no words for (COPY)."""
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)


def _give_up_transaction(driver: psycopg.Connection[Any], error: BaseException) -> None:
    """Roll back. Raises what ``Tenant.require_at_home`` raises when that is why."""
    moved: RejectedInputError | None = None
    with suppress(psycopg.Error):
        driver.rollback()
        moved = refusal_of_moved(driver, error)
    if moved is not None:
        raise moved from error


@contextmanager
def _translated(connection: sa.Connection) -> Generator[None]:
    """Raise the driver's errors as SQLAlchemy's, as every other statement does."""
    try:
        yield
    except psycopg.Error as error:
        give_up(connection, error)
        raise OperationalError("transaction", None, error) from error


def _literal(tenant_id: str) -> str:
    """Quote a tenant id for the one statement that takes no parameters."""
    return sql.quote(tenant_id)


def owner_engine(owner_url: str) -> sa.Engine:
    """Return a small pool as the owner, whose rows are those of all tenants: for workers and commands, not requests."""
    return sa.create_engine(
        owner_url,
        pool_size=2,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 3, "options": "-c idle_in_transaction_session_timeout=60s"},
    )


def migrate(owner_url: str, *, tries: int = _TRIES, pause_s: float = _PAUSE_S) -> SchemaRevisions:
    """Bring schema ``smos`` to the newest version and return what it was before.

    A schema that a newer version has made is left alone: for one release migrations only add, so that the version
    before can be started again (docs/deploy.md). Raises ConfigError when the database cannot be reached, and
    TransientError (``schema_locked``) when others held a table at every one of ``tries``, ``pause_s`` seconds apart.
    """
    for _ in range(tries - 1):
        with suppress(TransientError):
            return _migrate_once(owner_url)
        _log.warning("schema_locked", remedy="waiting for other transactions to end; nothing was changed")
        time.sleep(pause_s)
    return _migrate_once(owner_url)


def _migrate_once(owner_url: str) -> SchemaRevisions:
    config = _migrations()
    with _owner_connection(owner_url) as connection:
        # Several processes may start at once; the second waits, however long it takes, and finds nothing to do.
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(772301)"))
        connection.execute(sa.text(_LOCK_WITHIN))
        connection.execute(sa.text("CREATE SCHEMA IF NOT EXISTS smos"))
        revisions = _revisions(connection)
        if revisions.is_newer:
            _log.warning("schema_is_newer", found=revisions.found, ours=revisions.ours)
            return revisions
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return revisions


def schema_revisions(owner_url: str) -> SchemaRevisions:
    """Look which schema is there; changes nothing. Raises ConfigError when the database cannot be reached."""
    with _owner_connection(owner_url) as connection:
        return _revisions(connection)


@contextmanager
def _owner_connection(owner_url: str) -> Generator[sa.Connection]:
    engine = sa.create_engine(owner_url, poolclass=sa.NullPool)
    try:
        with engine.begin() as connection:
            yield connection
    except OperationalError as error:
        if isinstance(error.orig, psycopg.errors.LockNotAvailable):
            raise TransientError(
                "schema_locked",
                "The tables could not be brought to this version: other transactions hold them. Nothing was changed. "
                "Let a backup or a long query end, or end it (SELECT pid, xact_start, query FROM pg_stat_activity "
                "WHERE xact_start < now() - interval '2s' names it), then try again.",
            ) from error
        raise ConfigError("database_unreachable", f"The database cannot be used: {cause_of(error)}") from error
    finally:
        engine.dispose()


def cause_of(error: SQLAlchemyError) -> str:
    """Return what the database, or the way to it, said, in one line."""
    return " ".join(str(getattr(error, "orig", None) or error).split())


def _revisions(connection: sa.Connection) -> SchemaRevisions:
    found = MigrationContext.configure(connection, opts={"version_table_schema": "smos"}).get_current_revision()
    ours = ScriptDirectory.from_config(_migrations()).get_current_head()
    return SchemaRevisions(found=found, ours=ours or "")


def knows_revision(revision: str) -> bool:
    """Tell whether this version can work with, or bring forward, a schema of a revision."""
    return any(known.revision == revision for known in ScriptDirectory.from_config(_migrations()).walk_revisions())


def _migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
