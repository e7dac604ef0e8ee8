"""A tenant stands still at one side: no turn begins, no row changes, its webhooks are kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from smarteros.dedicated.copying import moving_tables
from smarteros.dedicated.sides import Side
from smarteros.domain.errors import TransientError
from smarteros.domain.tenants import Move, Tenant
from smarteros.store.moves import QUEUE, freeze, frozen_tables, lock_queue, park_turns, release_turns, thaw
from smarteros.store.tables import tenants
from smarteros.tenants.directory import FRESH_FOR_S
from smarteros.tenants.noting import note_change
from smarteros.tenants.owners_view import OwnersView

# Longer than the longest turn, and than the lease of an orchestrator that has gone away.
_ENDS_WITHIN_S = 120.0
_LOOK_EVERY_S = 0.1
_CHANGED_S_AGO = sa.text(
    "SELECT extract(epoch FROM clock_timestamp() - updated_at) FROM smos.tenants WHERE tenant_id = :tenant_id"
)


@dataclass(frozen=True)
class StandingStill:
    """Brings a tenant of one side to a stand, and back to work. Everything may be done again."""

    side: Side
    view: OwnersView
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def hold(self, tenant: Tenant, to: str) -> Tenant:
        """Let webhooks be kept, in all processes when this returns; turns go on."""
        if tenant.move is None:
            note_change(self.side.database, tenant.scope, "tenant_leaves", to=to)
            tenant = tenant.model_copy(update={"move": Move(to=to)})
            self.side.tenants.save(tenant, moving=True)
        self._until_known(tenant.tenant_id)
        return tenant

    def drain(self, tenant: Tenant) -> None:
        """Let running turns end and no other one begin. TransientError(code ``turns_still_running``)."""
        began = self.monotonic()
        while QUEUE not in self._frozen_tables():
            with self.view.transaction() as connection:
                running = park_turns(connection, tenant.tenant_id)
            if not running and self._queue_stands():
                return
            if self.monotonic() - began > _ENDS_WITHIN_S:
                raise TransientError(
                    "turns_still_running",
                    f"{running} turns of {tenant.tenant_id} have not ended: is a worker of {self.side.place} at work?"
                    " Ask again when they have, or with --back.",
                )
            self.sleep(_LOOK_EVERY_S)

    def _queue_stands(self) -> bool:
        """Freeze the queue as soon as all that waits in it is parked: no worker may come across a frozen turn."""
        try:
            with self.view.transaction() as connection:
                lock_queue(connection)
                if park_turns(connection, self.view.tenant_id):
                    return False
                freeze(connection, QUEUE, self.view.tenant_id)
        except OperationalError:  # somebody holds the queue up
            return False
        return True

    def freeze(self, tenant: Tenant) -> Tenant:
        """Refuse every change of the tenant's rows. TransientError(code ``rows_busy``) when one goes on for long."""
        if tenant.active:
            tenant = tenant.model_copy(update={"active": False})
            self.side.tenants.save(tenant, moving=True)
        frozen = self._frozen_tables()
        for table in moving_tables(self.view):
            if table.name in frozen or not table.is_tenants_own:
                continue
            try:
                with self.view.transaction() as connection:
                    freeze(connection, table.name, tenant.tenant_id)
            except OperationalError as error:
                said = f"Table {table.name} is being changed for a long time; ask again, or with --back."
                raise TransientError("rows_busy", said) from error
        return tenant

    def thaw(self, tenant_id: str) -> None:
        """Allow changes again."""
        for name in self._frozen_tables():
            with self.view.transaction() as connection:
                thaw(connection, name, tenant_id)

    def work_again(self, tenant: Tenant) -> None:
        """Let the tenant work at this side: its rows may change, its webhooks are taken, its turns begin."""
        self.thaw(tenant.tenant_id)
        tenant = tenant.model_copy(update={"active": True, "move": None})
        with self.view.transaction() as connection:
            values = {"settings": tenant.model_dump(mode="json"), "updated_at": sa.func.now()}
            connection.execute(sa.update(tenants).where(tenants.c.tenant_id == tenant.tenant_id).values(values))
        self.begin_turns(tenant.tenant_id)

    def begin_turns(self, tenant_id: str) -> int:
        """Let workers have the turns that wait, once all of them know the tenant; returns how many they are."""
        self.side.tenants.forget()
        self._until_known(tenant_id)
        with self.view.transaction() as connection:
            return release_turns(connection, tenant_id)

    def _until_known(self, tenant_id: str) -> None:
        """Wait until every process of this side has read the tenant as it is now."""
        with self.view.transaction() as connection:
            age_s = connection.execute(_CHANGED_S_AGO, {"tenant_id": tenant_id}).scalar_one()
        self.sleep(max(0.0, FRESH_FOR_S - float(age_s)))

    def _frozen_tables(self) -> tuple[str, ...]:
        with self.view.transaction() as connection:
            return frozen_tables(connection, self.view.tenant_id)
