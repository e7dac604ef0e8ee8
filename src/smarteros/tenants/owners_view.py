"""The rows of one tenant as the database's owner sees them: for what is done to a tenant as a whole."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from smarteros.tenants.held_rows import HeldTable, held_tables

_BYPASSES = sa.text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
_SCOPE = sa.text("SELECT set_config('smos.tenant_id', :tenant_id, true)")


@dataclass(frozen=True)
class OwnersView:
    """Tables with rows of tenants, and transactions in which those of one of them are seen."""

    engine: sa.Engine
    tenant_id: str
    tables: tuple[HeldTable, ...]

    @contextmanager
    def transaction(self, isolation_level: str = "READ COMMITTED") -> Generator[sa.Connection]:
        """Open a transaction of the owner in the tenant's scope."""
        with self.engine.execution_options(isolation_level=isolation_level).begin() as connection:
            connection.execute(_SCOPE, {"tenant_id": self.tenant_id})
            yield connection


@contextmanager
def owners_view(owner_url: str, tenant_id: str, policy: str) -> Generator[OwnersView]:
    """Connect as the owner, who for this time may see and change the tenant's rows in guarded tables too.

    A superuser sees everything; any other owner is under the row-level security of most tables too, and gets a policy
    of this name for the time. Two views with one name must not be open at once.
    """
    engine = sa.create_engine(owner_url, pool_size=1, max_overflow=1)
    try:
        with engine.begin() as connection:
            tables = held_tables(connection)
            bypasses = connection.execute(_BYPASSES).scalar_one()
        guarded = [] if bypasses else [table for table in tables if table.guarded]
        _let_see(engine, guarded, policy)
        try:
            yield OwnersView(engine, tenant_id, tables)
        finally:
            _end_seeing(engine, guarded, policy)
    finally:
        engine.dispose()


def _let_see(engine: sa.Engine, tables: Iterable[HeldTable], policy: str) -> None:
    _end_seeing(engine, tables, policy)  # of a command that was interrupted
    for table in tables:
        with engine.begin() as connection:
            connection.exec_driver_sql(
                f"CREATE POLICY {policy} ON {table.qualified} TO CURRENT_USER"
                " USING (tenant_id = current_setting('smos.tenant_id', true))"
            )


def _end_seeing(engine: sa.Engine, tables: Iterable[HeldTable], policy: str) -> None:
    for table in tables:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP POLICY IF EXISTS {policy} ON {table.qualified}")
