"""A tenant is suspended and resumed. What suspended means is decided where work begins: edge, flow, loops, tokens."""

from __future__ import annotations

from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import TENANT_MOVED, Tenant
from smarteros.store.database import Database
from smarteros.tenants.directory import TenantDirectory
from smarteros.tenants.noting import note_change


def suspend(tenants: TenantDirectory, database: Database, tenant: Tenant, reason: str) -> bool:
    """Stop answering for a tenant; False when it is suspended already.

    Other processes see it within ``directory.FRESH_FOR_S``. Until it is resumed its webhooks are refused, on which
    Chatwoot gives the conversations to people, and turns that wait are handed over without a word to the customer.
    Raises what ``require_at_home`` raises.
    """
    require_at_home(tenant)
    if not tenant.active:
        return False
    tenants.save(tenant.model_copy(update={"active": False}))
    note_change(database, tenant.scope, "tenant_suspended", reason=reason)
    return True


def resume(tenants: TenantDirectory, database: Database, tenant: Tenant) -> bool:
    """Answer for a tenant again; False when it is not suspended. Raises what ``require_at_home`` raises."""
    require_at_home(tenant)
    if tenant.active:
        return False
    tenants.save(tenant.model_copy(update={"active": True}))
    note_change(database, tenant.scope, "tenant_resumed")
    return True


def require_at_home(tenant: Tenant) -> None:
    """Refuse to change a tenant that is another installation's. ConfigError(code ``tenant_moved``)."""
    if tenant.move is not None:
        state = "has moved" if tenant.move.done else "is moving"
        said = f"{tenant.tenant_id} {state} to {tenant.move.to}: change it there (docs/dedicated.md)."
        raise ConfigError(TENANT_MOVED, said)
