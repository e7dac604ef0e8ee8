"""Which rows of the database are a tenant's, told by the database itself.

A table added tomorrow is exported and erased without a word here: what counts are the columns that hold the tenant's
id. That is ``tenant_id``; in a table without one it is any column of type text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from psycopg import sql

SCHEMA = "smos"
TENANT_COLUMN = "tenant_id"
_TABLES = """
SELECT c.relname AS name, c.relrowsecurity AS guarded, c.relforcerowsecurity AS forced,
       array_agg(a.attname::text ORDER BY a.attnum) AS columns,
       array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.atttypid IN ('text'::regtype, 'varchar'::regtype))
         AS texts,
       array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.atttypid = 'bytea'::regtype) AS binaries,
       (SELECT array_agg(k.attname::text ORDER BY array_position(i.indkey::int2[], k.attnum))
          FROM pg_index i JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = ANY(i.indkey)
         WHERE i.indrelid = c.oid AND i.indisprimary) AS key
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'alembic_version'
 GROUP BY c.oid ORDER BY c.relname
"""
_CREDENTIAL = re.compile(r"password|secret|token(?!s)|^tenant_key$")
_REFERENCES = """
SELECT from_table.relname AS holder, to_table.relname AS held
  FROM pg_constraint f JOIN pg_class from_table ON from_table.oid = f.conrelid
  JOIN pg_class to_table ON to_table.oid = f.confrelid JOIN pg_namespace n ON n.oid = from_table.relnamespace
 WHERE f.contype = 'f' AND n.nspname = :schema AND f.conrelid <> f.confrelid
"""


@dataclass(frozen=True)
class HeldTable:
    """A table with rows of tenants. ``owners`` are the columns of which one holds the id, ``key`` its primary key.

    ``credentials`` are those of its ``columns`` that open something: hashes of passwords and tokens, keys.
    """

    name: str
    owners: tuple[str, ...]
    columns: tuple[str, ...]
    credentials: tuple[str, ...]
    key: tuple[str, ...]
    guarded: bool
    forced: bool

    @property
    def is_tenants_own(self) -> bool:
        """Whether every row belongs to a tenant, which row-level security must then see to."""
        return self.owners == (TENANT_COLUMN,)

    @property
    def qualified(self) -> str:
        """The quoted name with its schema, as it is written in a statement."""
        return f"{SCHEMA}.{quoted(self.name)}"

    @property
    def is_held(self) -> str:
        """The condition of a statement that chooses the rows of tenant ``:tenant_id``."""
        return "(" + " OR ".join(f"{quoted(column)} = :tenant_id" for column in self.owners) + ")"


def quoted(name: str) -> str:
    """Quote an identifier of the database for a statement."""
    return sql.Identifier(name).as_string()


def held_tables(connection: sa.Connection) -> tuple[HeldTable, ...]:
    """List the tables with rows of tenants, those that refer to others first: rows can be removed in this order."""
    tables = {table.name: table for table in _described(connection)}
    refers = {name: set[str]() for name in tables}
    for row in connection.execute(sa.text(_REFERENCES), {"schema": SCHEMA}):
        if row.holder in tables and row.held in tables:
            refers[row.held].add(row.holder)
    ordered: list[HeldTable] = []
    while refers:
        free = next((name for name in sorted(refers) if not refers[name]), min(refers))
        ordered.append(tables[free])
        del refers[free]
        for holders in refers.values():
            holders.discard(free)
    # The directory's row comes last: as long as it is there, what was begun can be ended.
    return tuple(sorted(ordered, key=lambda table: table.name == "tenants"))


def _described(connection: sa.Connection) -> Iterator[HeldTable]:
    for row in connection.execute(sa.text(_TABLES), {"schema": SCHEMA}):
        owners = (TENANT_COLUMN,) if TENANT_COLUMN in row.columns else tuple(row.texts or ())
        if owners:
            keys = [name for name in row.binaries or () if "key" in name]
            credentials = tuple(name for name in row.columns if name in keys or _CREDENTIAL.search(name))
            yield HeldTable(
                name=row.name,
                owners=owners,
                columns=tuple(row.columns),
                credentials=credentials,
                key=tuple(row.key or ()),
                guarded=row.guarded,
                forced=row.forced,
            )
