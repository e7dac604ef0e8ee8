"""Removing a tenant for good: its rows in every table, its secrets, our bot in its Chatwoot.

What stays is one event in the installation's own audit chain: that it was done, when, and how much there was. The end
is a scan of all tables for the tenant's id.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from smarteros.channels.chatwoot.registration import withdraw
from smarteros.domain.errors import SmosError, TransientError
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.kit.http import HttpClient
from smarteros.secrets.protocol import SecretKeeper
from smarteros.store.audit import erase_chain
from smarteros.store.database import Database
from smarteros.tenants.directory import FRESH_FOR_S, TenantDirectory
from smarteros.tenants.enrolment import webhook_end
from smarteros.tenants.held_rows import HeldTable
from smarteros.tenants.life import suspend
from smarteros.tenants.noting import note_change
from smarteros.tenants.owners_view import OwnersView, owners_view

TOMBSTONE: Final = "tenant_erased"
_AT_ONCE = 5_000
_ROUNDS = 3
_LOOKS_FOR_RUNNING_TURNS = 50
_LOOK_EVERY_S = 0.2
_POLICY = "erased_rows"
_RUNNING = sa.text("SELECT count(*) FROM smos.waiting_turns WHERE tenant_id = :tenant_id AND worker IS NOT NULL")
_CHAIN_END = sa.text("SELECT position, hash FROM smos.audit_chains WHERE tenant_id = :tenant_id")


class Erasure(Model):
    """What was removed: rows by table, secrets, and what Chatwoot had of us. ``left`` is what must be done by hand."""

    tenant_id: str
    rows: dict[str, int]
    secrets: int
    withdrawn: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(frozen=True)
class Eraser:
    """Removes tenants. ``sleep`` gives other processes time to see that a tenant is suspended."""

    database: Database
    tenants: TenantDirectory
    secrets: SecretKeeper
    http: HttpClient
    sleep: Callable[[float], None] = time.sleep

    def erase(self, tenant: Tenant) -> Erasure:
        """Remove a tenant; what fails half-way is ended by erasing again.

        TransientError(code ``erasure_incomplete``) names the tables that still have rows of the tenant in the end.
        RejectedInputError(code ``tenant_moved``) when it is another installation's.
        """
        if suspend(self.tenants, self.database, tenant, "erasure"):
            self.sleep(FRESH_FOR_S)
        withdrawn, by_hand = self._withdraw(tenant)
        return self._erase(tenant, withdrawn, by_hand)

    def erase_moved(self, tenant: Tenant) -> Erasure:
        """Remove what is left of a tenant that works in another installation; our bot in its Chatwoot is that one's.

        Raises TransientError as ``erase`` does.
        """
        return self._erase(tenant, (), ())

    def _erase(self, tenant: Tenant, withdrawn: tuple[str, ...], by_hand: tuple[str, ...]) -> Erasure:
        remains: list[str] = []
        with owners_view(self.database.owner_url, tenant.tenant_id, _POLICY) as view:
            rows_of_tenant = _RowsOfTenant(view)
            self._wait_for_running_turns(rows_of_tenant)
            chain = rows_of_tenant.end_of_chain()
            rows_of_tenant.remove(but="tenants")
            erased = self.secrets.erase(tenant.scope)
            told = {"erased": tenant.tenant_id, "rows": rows_of_tenant.removed, "secrets": erased, "chain": chain}
            note_change(self.database, None, TOMBSTONE, **told)
            for _ in range(_ROUNDS):  # a process that was slow to hear of it may have written meanwhile
                rows_of_tenant.remove()
                if not (remains := rows_of_tenant.remaining()):
                    break
            mentions = rows_of_tenant.mentions()
        self.tenants.forget()
        if remains:
            raise TransientError(
                "erasure_incomplete", f"Rows of {tenant.tenant_id} are left in {', '.join(remains)}; erase it again."
            )
        return Erasure(
            tenant_id=tenant.tenant_id,
            rows={name: count for name, count in rows_of_tenant.removed.items() if count},
            secrets=erased,
            withdrawn=withdrawn,
            left=(*by_hand, *(f"Table {name} still mentions {tenant.tenant_id}." for name in mentions)),
        )

    def _withdraw(self, tenant: Tenant) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Leave the tenant's Chatwoot. One that does not let us keeps nobody from being erased here."""
        done: list[str] = []
        by_hand: list[str] = []
        for account_id in tenant.chatwoot_account_ids:
            try:
                done += withdraw(
                    self.http,
                    chatwoot_url=tenant.chatwoot_url,
                    account_id=account_id,
                    user_token=self.secrets.read(tenant.scope, "chatwoot/user_token"),
                    webhook_url=webhook_end(tenant),
                )
            except SmosError as error:
                where = f"{tenant.chatwoot_url}, account {account_id}"
                by_hand.append(f"Remove our bot and webhook from {where} by hand ({error.code}).")
        return tuple(done), tuple(by_hand)

    def _wait_for_running_turns(self, rows_of_tenant: _RowsOfTenant) -> None:
        """Let turns that are running end; those that do not find their claim gone, and write nothing."""
        for _ in range(_LOOKS_FOR_RUNNING_TURNS):
            if not rows_of_tenant.running_turns():
                return
            self.sleep(_LOOK_EVERY_S)


class _RowsOfTenant:
    """The rows of one tenant, seen with the owner's rights and no other tenant's among them."""

    def __init__(self, view: OwnersView) -> None:
        self._transaction = view.transaction
        self._own = {"tenant_id": view.tenant_id}
        self._tables = view.tables
        self.removed: dict[str, int] = {}

    def running_turns(self) -> int:
        with self._transaction() as connection:
            return connection.execute(_RUNNING, self._own).scalar_one()

    def end_of_chain(self) -> dict[str, Any] | None:
        with self._transaction() as connection:
            row = connection.execute(_CHAIN_END, self._own).one_or_none()
        return None if row is None else {"position": row.position, "hash": row.hash}

    def remove(self, *, but: str | None = None) -> None:
        """Remove the rows, a bounded number at a time so that no table is held up for long, and count them."""
        with self._transaction() as connection:
            self._count("audit_events", erase_chain(connection, self._own["tenant_id"]))
        for table in self._tables:
            if table.name == but:
                continue
            # Names come from the database itself and are quoted; the tenant is a parameter.
            statement = sa.text(
                f"DELETE FROM {table.qualified} WHERE ctid = ANY(ARRAY("  # noqa: S608
                f"SELECT ctid FROM {table.qualified} WHERE {table.is_held} LIMIT {_AT_ONCE}))"
            )
            count = _AT_ONCE
            while count == _AT_ONCE:
                with self._transaction() as connection:
                    count = connection.execute(statement, self._own).rowcount
                self._count(table.name, count)

    def remaining(self) -> list[str]:
        """Name the tables in which rows of the tenant are."""
        return self._tables_where(lambda table: table.is_held, self._own)

    def mentions(self) -> list[str]:
        """Name the tables of the installation in whose rows the tenant's id stands anywhere."""
        word = {"word": rf"\m{self._own['tenant_id']}\M"}
        shared = [table for table in self._tables if not table.is_tenants_own]
        return self._tables_where(lambda _: "held::text ~ :word", word, shared)

    def _tables_where(
        self, condition: Callable[[HeldTable], str], values: dict[str, str], tables: Iterable[HeldTable] | None = None
    ) -> list[str]:
        found: list[str] = []
        with self._transaction() as connection:
            for table in self._tables if tables is None else tables:
                statement = f"SELECT EXISTS (SELECT FROM {table.qualified} AS held WHERE {condition(table)})"  # noqa: S608
                if connection.execute(sa.text(statement), values).scalar_one():
                    found.append(table.name)
        return found

    def _count(self, table: str, rows: int) -> None:
        self.removed[table] = self.removed.get(table, 0) + rows
