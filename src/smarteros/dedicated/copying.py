"""A tenant's rows in one database made the same as in another: what differs is copied, and found by comparing all.

Done once while the tenant works, it copies the history; done again, what has changed since; done a last time, with the
rows standing still, it finds nothing, which is the proof that every row is there as it was. So it may be interrupted
anywhere. Rows are compared by the MD5 of their text form, made by both servers in the same way.
"""

# ruff: noqa: S608 - the tenant is a parameter of every statement, and names are quoted
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg
import sqlalchemy as sa

from smarteros.domain.errors import ConfigError
from smarteros.domain.model import Model
from smarteros.store.audit_tables import audit_chains
from smarteros.store.database import driver_of
from smarteros.store.kept_tables import kept_webhooks
from smarteros.store.moves import QUEUE
from smarteros.store.tables import outbox, tenants
from smarteros.tenants.held_rows import HeldTable, quoted
from smarteros.tenants.owners_view import OwnersView

# ``tenants``: the directory's row is written when the tenant begins to work there. ``audit_chains``: the database
# writes it along with the events. What waits for the bus, or to be passed on, ends where it is.
_NOT_COPIED = frozenset({tenants.name, audit_chains.name, outbox.name, kept_webhooks.name})
# Both servers must write a row alike.
_ALIKE = "SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'iso_8601'"
_BEGIN_CHAIN = """
INSERT INTO smos.audit_chains (tenant_id, start_position, start_hash, position, hash)
VALUES (%(tenant_id)s, %(start_position)s, %(start_hash)s, %(start_position)s, %(start_hash)s)
ON CONFLICT (tenant_id) DO NOTHING
"""


class Copied(Model):
    """One comparison: rows there were at the source, and of them what had to be copied, or removed at the target."""

    rows: int = 0
    copied: int = 0
    removed: int = 0

    @property
    def changed(self) -> int:
        """Rows that were not alike."""
        return self.copied + self.removed


def moving_tables(view: OwnersView) -> tuple[HeldTable, ...]:
    """List the tables whose rows move with their tenant. ConfigError(code ``no_key``) for one whose rows have none."""
    tables = tuple(table for table in view.tables if table.name not in _NOT_COPIED)
    without = [table.name for table in tables if not table.key]
    if without:
        raise ConfigError("no_key", f"Rows cannot be told apart in {', '.join(without)}.")
    return tables


def make_alike(source: OwnersView, target: OwnersView, *, with_turns: bool) -> Copied:
    """Bring the target's rows of the tenant to what they are at the source at one instant; returns what that took.

    ``with_turns`` only when the turns that wait are parked: the target's workers would begin them otherwise.
    Raises DBAPIError when the target refuses a row, for example an audit event that does not follow its chain's end.
    """
    there = {table.name for table in target.tables}
    found = moving_tables(source)
    if missing := sorted(table.name for table in found if table.name not in there):
        raise ConfigError("schema_differs", f"The target has no table {', '.join(missing)}.")
    done = Copied()
    with source.transaction("REPEATABLE READ") as read:
        _begin_chain(read, source.tenant_id, target)
        for table in found:
            if table.name == QUEUE and not with_turns:
                continue
            with target.transaction() as write:
                one = _Table(read, write, table, source.tenant_id).make_alike()
            done = Copied(
                rows=done.rows + one.rows, copied=done.copied + one.copied, removed=done.removed + one.removed
            )
    return done


def _begin_chain(read: sa.Connection, tenant_id: str, target: OwnersView) -> None:
    """Let the chain begin where it begins at the source: behind the events that were pruned."""
    columns = (audit_chains.c.start_position, audit_chains.c.start_hash)
    start = read.execute(sa.select(*columns).where(audit_chains.c.tenant_id == tenant_id)).mappings().one_or_none()
    if start is not None:
        with target.transaction() as write:
            driver_of(write).execute(_BEGIN_CHAIN, {"tenant_id": tenant_id, **start})


class _Table:
    """One table, in a transaction of either side. Names come from the database itself and are quoted."""

    def __init__(self, read: sa.Connection, write: sa.Connection, table: HeldTable, tenant_id: str) -> None:
        self._read, self._write = driver_of(read), driver_of(write)
        self._own = {"tenant_id": tenant_id}
        self._name = table.qualified
        self._columns = _listed(sorted(table.columns))
        self._keys = _listed(table.key)
        self._held = "(" + " OR ".join(f"t.{quoted(name)} = %(tenant_id)s" for name in table.owners) + ")"
        self._hash = f"md5(ROW({self._columns})::text)"
        self._same = " AND ".join(f"w.{quoted(name)} = t.{quoted(name)}" for name in table.key)

    def make_alike(self) -> Copied:
        if not any(self._has_rows(side) for side in (self._read, self._write)):
            return Copied()
        for side in (self._read, self._write):
            side.execute(_ALIKE)
        rows = self._tell_target_what_there_is()
        removed = self._do(
            f"DELETE FROM {self._name} t WHERE {self._held} AND NOT EXISTS (SELECT FROM wanted w WHERE {self._same})"
        )
        self._do(
            f"DELETE FROM wanted w USING (SELECT {self._keys}, {self._hash} AS hash FROM {self._name} t"
            f" WHERE {self._held}) t WHERE {self._same} AND w.hash = t.hash"
        )
        wanted = self._count_wanted()
        if wanted:
            self._fetch_wanted()
        self._write.execute("DROP TABLE wanted")
        return Copied(rows=rows, copied=wanted, removed=removed)

    def _has_rows(self, side: psycopg.Connection[Any]) -> bool:
        statement = f"SELECT EXISTS (SELECT FROM {self._name} t WHERE {self._held})"
        row = side.execute(statement.encode(), self._own).fetchone()
        return row is not None and bool(row[0])

    def _tell_target_what_there_is(self) -> int:
        """Give the target the keys of the source's rows, each with a hash of the row."""
        self._make(self._write, "wanted", f"{self._keys}, ''::text AS hash")
        told = f"COPY (SELECT {self._keys}, {self._hash} FROM {self._name} t WHERE {self._held}) TO STDOUT"
        _pipe(self._read, told, self._own, self._write, "COPY wanted FROM STDIN")
        self._write.execute("ANALYZE wanted")
        return self._count_wanted()

    def _count_wanted(self) -> int:
        row = self._write.execute("SELECT count(*) FROM wanted").fetchone()
        return 0 if row is None else int(row[0])

    def _fetch_wanted(self) -> None:
        """Copy the rows that are still wanted, in the order of their keys: audit events follow each other."""
        self._make(self._read, "asked", self._keys)
        _pipe(self._write, f"COPY (SELECT {self._keys} FROM wanted) TO STDOUT", {}, self._read, "COPY asked FROM STDIN")
        self._read.execute("ANALYZE asked")
        self._make(self._write, "arriving", self._columns)
        rows = (
            f"COPY (SELECT {self._columns} FROM {self._name} t WHERE {self._held}"
            f" AND EXISTS (SELECT FROM asked w WHERE {self._same})) TO STDOUT"
        )
        _pipe(self._read, rows, self._own, self._write, "COPY arriving FROM STDIN")
        self._do(f"DELETE FROM {self._name} t USING wanted w WHERE {self._held} AND {self._same}")
        self._do(
            f"INSERT INTO {self._name} ({self._columns}) OVERRIDING SYSTEM VALUE"
            f" SELECT {self._columns} FROM arriving ORDER BY {self._keys}"
        )
        self._read.execute("DROP TABLE asked")
        self._write.execute("DROP TABLE arriving")

    def _make(self, side: psycopg.Connection[Any], name: str, columns: str) -> None:
        """Make an empty table for this transaction, with columns as the table has them."""
        statement = f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS SELECT {columns} FROM {self._name} LIMIT 0"
        side.execute(statement.encode())

    def _do(self, statement: str) -> int:
        return self._write.execute(statement.encode(), self._own).rowcount


def _pipe(
    read: psycopg.Connection[Any], out: str, values: dict[str, str], write: psycopg.Connection[Any], into: str
) -> None:
    with (
        read.cursor() as reading,
        write.cursor() as writing,
        reading.copy(out.encode(), values) as rows,
        writing.copy(into.encode()) as copy,
    ):
        for block in rows:
            copy.write(block)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(quoted(name) for name in names)
