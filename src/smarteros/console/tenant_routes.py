"""The shops: how they are doing today."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request, Response

from smarteros.console.guard import Guard
from smarteros.console.pages import Pages
from smarteros.console.parts import ConsoleParts
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import in_santiago
from smarteros.store.conversation_list import Today, count_turns


class ShownTenant(Model):
    """A tenant and its day so far."""

    tenant: Tenant
    today: Today


def add_tenants(router: APIRouter, parts: ConsoleParts, pages: Pages, guard: Guard) -> None:
    """Add the route."""

    @router.get("/tenants")
    def tenants(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        visitor = guard.allowed(request, "read_tenants")
        midnight = in_santiago(parts.clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
        return pages.page(
            request,
            "tenants.html",
            visitor=visitor,
            token=guard.token(request),
            shown=[_shown(parts, tenant, midnight) for tenant in parts.tenants_of(visitor.person)],
            health=parts.health(),
            promises=[(contract.flow_id, contract.slo) for contract in parts.contracts.by_id.values()],
        )


def _shown(parts: ConsoleParts, tenant: Tenant, since: datetime) -> ShownTenant:
    with parts.database.tenant(tenant.scope) as connection:
        return ShownTenant(tenant=tenant, today=count_turns(connection, tenant.tenant_id, since))
