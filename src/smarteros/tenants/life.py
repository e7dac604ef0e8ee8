"""A tenant is suspended and resumed. What suspended means is decided where work begins: edge, flow, loops, tokens."""

from __future__ import annotations

from smarteros.domain.tenants import Tenant
from smarteros.store.database import Database
from smarteros.tenants.directory import TenantDirectory
from smarteros.tenants.noting import note_change


def suspend(tenants: TenantDirectory, database: Database, tenant: Tenant, reason: str) -> bool:
    """Stop answering for a tenant; False when it is suspended already.

    Other processes see it within ``directory.FRESH_FOR_S``. Until it is resumed its webhooks are refused, on which
    Chatwoot gives the conversations to people, and turns that wait are handed over without a word to the customer.
    Raises what ``Tenant.require_at_home`` raises.
    """
    tenant.require_at_home()
    if not tenant.active:
        return False
    tenants.save(tenant.model_copy(update={"active": False}))
    note_change(database, tenant.scope, "tenant_suspended", reason=reason)
    return True


def resume(tenants: TenantDirectory, database: Database, tenant: Tenant) -> bool:
    """Answer for a tenant again; False when it is not suspended. Raises what ``suspend`` raises."""
    tenant.require_at_home()
    if tenant.active:
        return False
    tenants.save(tenant.model_copy(update={"active": True}))
    note_change(database, tenant.scope, "tenant_resumed")
    return True
