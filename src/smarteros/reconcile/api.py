"""Reconcile on demand: one run for one tenant. Guarded by the operator's token."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.ids import TENANT_ID
from smarteros.edge.operator_guard import operator_routes
from smarteros.reconcile.reconciler import Reconciler
from smarteros.reconcile.report import ReconcileReport
from smarteros.tenants.directory import TenantDirectory


def reconcile_router(reconciler: Reconciler, tenants: TenantDirectory, operator_token: str) -> APIRouter:
    """Build the route."""
    router = operator_routes(operator_token)

    @router.post("/reconcile", operation_id="reconcile_tenant")
    def reconcile(  # pyright: ignore[reportUnusedFunction]
        tenant_id: Annotated[str, Query(pattern=TENANT_ID.pattern)],
    ) -> ReconcileReport:
        """Look for messages whose webhook never came, now."""
        tenant = tenants.find(tenant_id)
        if tenant is None:
            raise RejectedInputError("tenant_unknown", "There is no such tenant.", status=404)
        return reconciler.run_once(tenant)

    return router
