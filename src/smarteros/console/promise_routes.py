"""What the contracts promise, how it is kept, and what is left of the error budgets."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from smarteros.console.charts import Column, FlowStanding, day_columns
from smarteros.console.guard import Guard, tenant_for
from smarteros.console.pages import Pages
from smarteros.console.parts import ConsoleParts
from smarteros.domain.tenants import Tenant
from smarteros.store.promises import budgets_of, latency_p95_ms, promises_by_day


def add_promises(router: APIRouter, parts: ConsoleParts, pages: Pages, guard: Guard) -> None:
    """Add the routes."""

    @router.get("/promises")
    def promises(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        visitor = guard.allowed(request, "read_tenants")
        tenants, wanted = parts.tenants_of(visitor.person), request.query_params.get("tenant", "")
        tenant = tenant_for(parts, visitor.person, wanted) if wanted else tenants[0] if tenants else None
        return pages.page(
            request,
            "promises.html",
            visitor=visitor,
            token=guard.token(request),
            tenants=tenants,
            tenant=tenant,
            standings=() if tenant is None else _standings(parts, tenant),
            charts={} if tenant is None else _charts(parts, tenant),
        )

    @router.get("/promises/{tenant_id}/bars")
    def bars(request: Request, tenant_id: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        """A tenant's bars alone: counting a month takes longer than everything else on the page of tenants."""
        visitor = guard.allowed(request, "read_tenants")
        tenant = tenant_for(parts, visitor.person, tenant_id)
        return pages.page(
            request, "promise_bars.html", visitor=visitor, tenant=tenant, standings=_standings(parts, tenant)
        )


def _standings(parts: ConsoleParts, tenant: Tenant) -> tuple[FlowStanding, ...]:
    now = parts.clock.now()
    with parts.database.tenant(tenant.scope) as connection:
        budgets = list(budgets_of(connection, tenant.tenant_id, parts.contracts, now))
        return tuple(
            FlowStanding(
                flow_id=flow_id,
                slo=contract.slo,
                budgets=tuple(budget for budget in budgets if budget.flow_id == flow_id),
                p95_ms=latency_p95_ms(connection, tenant.tenant_id, contract, now),
            )
            for flow_id, contract in parts.contracts.by_id.items()
        )


def _charts(parts: ConsoleParts, tenant: Tenant) -> dict[str, tuple[Column, ...]]:
    """Draw the days of every flow."""
    with parts.database.tenant(tenant.scope) as connection:
        return {
            flow_id: day_columns(promises_by_day(connection, tenant.tenant_id, contract, parts.clock.now()))
            for flow_id, contract in parts.contracts.by_id.items()
        }
