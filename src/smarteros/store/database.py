"""Connections. Tenant data is reached only inside ``Database.tenant(scope)``; without a scope there are no rows."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import TenantScope

# Audit events of senders that could not be believed belong to no tenant.
NO_TENANT = ""


class Database:
    """Pools of one PostgreSQL: ``app`` as the role without ownership, ``owner`` for migrations and the engine."""

    def __init__(self, owner_url: str, app_url: str, *, pool_size: int = 10) -> None:
        options = {"pool_size": pool_size, "max_overflow": 4, "pool_timeout": 5}
        self.owner_url = owner_url
        self.app = sa.create_engine(app_url, **options)

    def dispose(self) -> None:
        """Close all connections."""
        self.app.dispose()

    @contextmanager
    def tenant(self, scope: TenantScope) -> Generator[sa.Connection]:
        """Open a transaction that sees and writes the rows of one tenant only."""
        with self._scoped(scope.tenant_id) as connection:
            yield connection

    @contextmanager
    def unclaimed(self) -> Generator[sa.Connection]:
        """Open a transaction for the rows that belong to no tenant (refused webhooks in the audit)."""
        with self._scoped(NO_TENANT) as connection:
            yield connection

    @contextmanager
    def installation(self) -> Generator[sa.Connection]:
        """Open a transaction for what belongs to the installation: the directory of tenants."""
        with self.app.begin() as connection:
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
    def _scoped(self, tenant_id: str) -> Generator[sa.Connection]:
        with self.app.begin() as connection:
            connection.execute(_SET_SCOPE, {"tenant_id": tenant_id})
            yield connection


_SET_SCOPE = sa.text("SELECT set_config('smos.tenant_id', :tenant_id, true)")


def migrate(owner_url: str) -> None:
    """Bring schema ``smos`` to the newest version. Raises ConfigError when the database cannot be reached."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    engine = sa.create_engine(owner_url, poolclass=sa.NullPool)
    try:
        with engine.begin() as connection:
            # Several processes may start at once; the second waits and finds nothing to do.
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(772301)"))
            connection.execute(sa.text("CREATE SCHEMA IF NOT EXISTS smos"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except OperationalError as error:
        raise ConfigError("database_unreachable", f"The database cannot be used: {error.orig}") from error
    finally:
        engine.dispose()


def grant_engine_tables(owner_url: str) -> None:
    """Let the application's role enqueue turns in the same transaction as it stores an event."""
    engine = sa.create_engine(owner_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        # Two processes that start at once would update the same row of the catalogue, which PostgreSQL refuses.
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(772301)"))
        connection.execute(sa.text("GRANT USAGE ON SCHEMA dbos TO smos_app"))
        connection.execute(sa.text("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA dbos TO smos_app"))
        connection.execute(sa.text("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA dbos TO smos_app"))
    engine.dispose()
