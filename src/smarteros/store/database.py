"""Connections. Tenant data is reached only inside ``Database.tenant(scope)``; without a scope there are no rows."""

from __future__ import annotations

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

from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import TenantScope
from smarteros.store.statements import give_up

_log = structlog.get_logger()

# Audit events of senders that could not be believed belong to no tenant.
# Not empty: a pooled connection without a scope has the empty one.
NO_TENANT = "-"
# The server gives up a worker that froze inside a transaction: its locks must not hold up a conversation for good.
_CONNECT_ARGS = {"options": "-c idle_in_transaction_session_timeout=15s"}


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
        """Open a transaction that sees and writes the rows of one tenant only."""
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
            yield connection

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
            driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
            with _translated(connection):
                driver.execute(begin.encode(), prepare=False)
            try:
                yield connection
            except BaseException:
                with suppress(psycopg.Error):
                    driver.rollback()
                raise
            with _translated(connection):
                driver.commit()


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


def migrate(owner_url: str) -> SchemaRevisions:
    """Bring schema ``smos`` to the newest version and return what it was before.

    A schema that a newer version has made is left alone: for one release migrations only add, so that the version
    before can be started again (docs/deploy.md). Raises ConfigError when the database cannot be reached.
    """
    config = _migrations()
    with _owner_connection(owner_url) as connection:
        # Several processes may start at once; the second waits and finds nothing to do.
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(772301)"))
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
        raise ConfigError("database_unreachable", f"The database cannot be used: {error.orig}") from error
    finally:
        engine.dispose()


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
