"""A tenant's rows are made to stand still while it moves. All of it needs a connection of the owner."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import sqlalchemy as sa
from psycopg import sql

from smarteros.store.queue import give_back
from smarteros.store.statements import run

QUEUE = "waiting_turns"
# A lease that nobody renews and that never ends: workers and orchestrators leave such a turn alone (``store.leases``).
_NEVER = 9_999_999_999
# The claim counts like any other, so that a worker which was taken for dead finds that the turn is not its own.
_PARK = (
    "UPDATE smos.waiting_turns SET worker = %(parked)s, claims = claims + 1"
    " WHERE tenant_id = %(tenant_id)s AND worker IS NULL"
)
_RUNNING = (
    "SELECT count(*) AS turns FROM smos.waiting_turns"
    " WHERE tenant_id = %(tenant_id)s AND worker IS DISTINCT FROM %(parked)s"
)
_REFUSE_NEW = sql.SQL(
    "CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON smos.{table} FOR EACH ROW"
    " WHEN (NEW.tenant_id = {tenant}) EXECUTE FUNCTION smos.refuse_change_of_moved({tenant})"
)
_REFUSE_OLD = sql.SQL(
    "CREATE TRIGGER {name} BEFORE DELETE ON smos.{table} FOR EACH ROW"
    " WHEN (OLD.tenant_id = {tenant}) EXECUTE FUNCTION smos.refuse_change_of_moved({tenant})"
)
_FROZEN = """
SELECT DISTINCT c.relname AS name FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'smos' AND t.tgname = ANY(%(names)s)
"""
_LOCK_WITHIN = "SET LOCAL lock_timeout = '5s'"


def park_turns(owner: sa.Connection, tenant_id: str) -> int:
    """Take the tenant's waiting turns out of everybody's reach; returns how many turns still run."""
    run(owner, _PARK, _values(tenant_id))
    row = run(owner, _RUNNING, _values(tenant_id)).fetchone()
    return 0 if row is None else int(row.turns)


def lock_queue(owner: sa.Connection) -> None:
    """Keep everybody from changing the queue until the transaction ends; five seconds at most are waited for it."""
    owner.exec_driver_sql(_LOCK_WITHIN)
    owner.exec_driver_sql(f"LOCK TABLE smos.{QUEUE} IN SHARE ROW EXCLUSIVE MODE")


def release_turns(owner: sa.Connection, tenant_id: str) -> int:
    """Let workers have the parked turns; returns how many."""
    return give_back(owner, _parked(tenant_id))


def freeze(owner: sa.Connection, table: str, tenant_id: str) -> None:
    """Refuse every change of the tenant's rows of a table of schema ``smos``, whoever makes it.

    It must not be frozen yet. Changes that are under way are waited for, five seconds at most (OperationalError then).
    """
    owner.exec_driver_sql(_LOCK_WITHIN)
    named = {"table": sql.Identifier(table), "tenant": sql.Literal(tenant_id)}
    for refusal, row in ((_REFUSE_NEW, "NEW"), (_REFUSE_OLD, "OLD")):
        owner.exec_driver_sql(refusal.format(name=_trigger(tenant_id, row), **named).as_string())


def thaw(owner: sa.Connection, table: str, tenant_id: str) -> None:
    """Allow changes of the tenant's rows again."""
    for row in ("NEW", "OLD"):
        statement = sql.SQL("DROP TRIGGER IF EXISTS {name} ON smos.{table}")
        owner.exec_driver_sql(statement.format(name=_trigger(tenant_id, row), table=sql.Identifier(table)).as_string())


def frozen_tables(owner: sa.Connection, tenant_id: str) -> tuple[str, ...]:
    """Return the tables of schema ``smos`` in which the tenant's rows are frozen."""
    names = [_trigger_name(tenant_id, row) for row in ("NEW", "OLD")]
    return tuple(row.name for row in run(owner, _FROZEN, {"names": names}))


def begin_ids_at(owner: sa.Connection, first: int, columns: Iterable[tuple[str, str]], *, unless_above: int) -> None:
    """Let the numbers the database gives in columns of tables begin at ``first``, once."""
    for table, column in columns:
        place = {"table": f"smos.{sql.Identifier(table).as_string()}", "column": column}
        found = run(owner, "SELECT pg_get_serial_sequence(%(table)s, %(column)s) AS name", place).fetchone()
        if found is None or found.name is None:
            continue
        given = run(owner, f"SELECT last_value FROM {found.name}", {}).fetchone()  # noqa: S608 - the database's own name
        if given is not None and given.last_value < unless_above:
            run(owner, "SELECT setval(CAST(%(name)s AS regclass), %(first)s)", {"name": found.name, "first": first})


def _parked(tenant_id: str) -> str:
    return f"lease:{_NEVER}:move:{tenant_id}"


def _values(tenant_id: str) -> dict[str, str]:
    return {"tenant_id": tenant_id, "parked": _parked(tenant_id)}


def _trigger(tenant_id: str, row: str) -> sql.Identifier:
    return sql.Identifier(_trigger_name(tenant_id, row))


def _trigger_name(tenant_id: str, row: str) -> str:
    """Name a trigger: short, whatever the id is."""
    return f"moved_{row.lower()}_{hashlib.sha256(tenant_id.encode()).hexdigest()[:16]}"
