"""The directory of tenants: which businesses there are, and which of them a webhook can belong to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import Tenant
from smarteros.store.database import Database
from smarteros.store.tables import tenants

# How long a change made by another process may stay unseen here.
FRESH_FOR_S = 2.0


class TenantDirectory:
    """Reads and writes tenants; look-ups are remembered for two seconds."""

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._monotonic = monotonic
        self._remembered: dict[str, tuple[float, tuple[Tenant, ...]]] = {}
        self._v1_seen: set[str] = set()
        self._changes = 0
        self._lock = threading.Lock()

    def all(self) -> tuple[Tenant, ...]:
        """List every tenant, by id."""
        return self._look_up("all", sa.true)

    def at_home(self) -> tuple[Tenant, ...]:
        """List the tenants that are not another installation's, by id."""
        return tuple(tenant for tenant in self.all() if tenant.move is None)

    def get(self, tenant_id: str) -> Tenant:
        """Return one tenant. ConfigError(code ``tenant_unknown``) when there is none."""
        found = self.find(tenant_id)
        if found is None:
            known = ", ".join(tenant.tenant_id for tenant in self.all()[:20]) or "none yet (`smos demo` makes three)"
            raise ConfigError("tenant_unknown", f"There is no tenant {tenant_id!r} here; known: {known}.")
        return found

    def get_to_change(self, tenant_id: str) -> Tenant:
        """Return one tenant of which something shall be changed; raises what ``Tenant.require_at_home`` raises too."""
        found = self.get(tenant_id)
        found.require_at_home()
        return found

    def find(self, tenant_id: str) -> Tenant | None:
        """Return one tenant or None."""
        found = self._look_up(f"id:{tenant_id}", lambda: tenants.c.tenant_id == tenant_id)
        return found[0] if found else None

    def is_suspended(self, tenant_id: str) -> bool:
        """Tell whether there is such a tenant, and it is suspended."""
        found = self.find(tenant_id)
        return found is not None and not found.active

    def at_hand(self, tenant_id: str) -> Tenant | None:
        """Return one tenant if it was looked up just now, without asking the database; never blocks."""
        with self._lock:
            known = self._remembered.get(f"id:{tenant_id}")
        fresh = known is not None and self._monotonic() - known[0] < FRESH_FOR_S
        return known[1][0] if known is not None and fresh and known[1] else None

    def by_key(self, tenant_key: str) -> Tenant | None:
        """Return the tenant of a per-tenant webhook URL."""
        found = self._look_up(f"key:{tenant_key}", lambda: tenants.c.tenant_key == tenant_key)
        return found[0] if found else None

    def by_account(self, account_id: int) -> tuple[Tenant, ...]:
        """Return the tenants that a webhook on the shared URL may belong to (one per Chatwoot instance)."""
        accounts = tenants.c.settings["chatwoot_account_ids"]
        return self._look_up(f"account:{account_id}", lambda: accounts.contains([account_id]))

    def save(self, tenant: Tenant, *, moving: bool = False) -> None:
        """Add or change a tenant. Raises what ``require_free`` raises.

        ``moving`` is for who moves it: whoever else would change another installation's tenant is refused by
        RejectedInputError(code ``tenant_moved``), whatever he knew of it.
        """
        self.require_free(tenant)
        known = next((each for each in self.all() if each.tenant_id == tenant.tenant_id), None)  # read just now
        if known is not None and not moving:
            known.require_at_home()
        values = {"tenant_key": tenant.tenant_key, "settings": tenant.model_dump(mode="json")}
        statement = insert(tenants).values(tenant_id=tenant.tenant_id, **values)
        with self._database.installation() as connection:
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["tenant_id"], set_={**values, "updated_at": sa.func.now()}
                )
            )
        self._forget_look_ups()

    def require_free(self, tenant: Tenant) -> None:
        """Refuse what another tenant has, as the database knows it now.

        ConfigError when the id differs from another's only in upper and lower case (Vault lower-cases policy
        names), or when one of its Chatwoot accounts belongs to another tenant of the same Chatwoot.
        """
        for other in self._look_up("all", sa.true, fresh=True):
            if other.tenant_id == tenant.tenant_id:
                continue
            if other.tenant_id.lower() == tenant.tenant_id.lower():
                raise ConfigError("tenant_id_taken", f"Tenant id {other.tenant_id!r} exists already.")
            shared = set(other.chatwoot_account_ids) & set(tenant.chatwoot_account_ids)
            if shared and other.chatwoot_url == tenant.chatwoot_url:
                raise ConfigError(
                    "account_taken", f"Chatwoot account {min(shared)} belongs to tenant {other.tenant_id!r}."
                )

    def forget(self) -> None:
        """Read everything from the database again: tenants were changed there by other means."""
        self._forget_look_ups()
        with self._lock:
            self._v1_seen.clear()

    def _forget_look_ups(self) -> None:
        with self._lock:
            self._changes += 1
            self._remembered.clear()

    def v1_signature_seen(self, tenant_id: str) -> bool:
        """Tell whether a webhook with today's signature was ever accepted; after that the old form is refused."""
        if tenant_id in self._v1_seen:
            return True
        with self._database.installation() as connection:
            statement = sa.select(tenants.c.v1_signature_seen).where(tenants.c.tenant_id == tenant_id)
            seen = bool(connection.execute(statement).scalar_one_or_none())
        if seen:
            self._v1_seen.add(tenant_id)
        return seen

    def mark_v1_signature_seen(self, tenant_id: str) -> None:
        """Remember that today's signature was accepted for the tenant."""
        if tenant_id in self._v1_seen:
            return
        with self._database.installation() as connection:
            connection.execute(
                sa.update(tenants).where(tenants.c.tenant_id == tenant_id).values(v1_signature_seen=True)
            )
        self._v1_seen.add(tenant_id)

    def _look_up(
        self, name: str, where: Callable[[], sa.ColumnElement[bool]], *, fresh: bool = False
    ) -> tuple[Tenant, ...]:
        """Read the tenants of a condition, which is only built when they are not remembered: every turn asks often."""
        now = self._monotonic()
        with self._lock:
            known, changes = self._remembered.get(name), self._changes
        if known and not fresh and now - known[0] < FRESH_FOR_S:
            return known[1]
        with self._database.installation() as connection:
            rows = connection.execute(sa.select(tenants.c.settings).where(where()).order_by(tenants.c.tenant_id)).all()
        found = tuple(Tenant.model_validate(row.settings) for row in rows)
        with self._lock:
            if len(self._remembered) > 10_000:  # strangers may ask for any key; the memory stays bounded
                self._remembered.clear()
            if changes == self._changes:  # or somebody has changed a tenant while we read
                self._remembered[name] = (now, found)
        return found
