"""Reconcile on demand: one run for one tenant. Guarded by the operator's token."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.ids import TENANT_ID
from smarteros.reconcile.reconciler import Reconciler
from smarteros.reconcile.report import ReconcileReport
from smarteros.tenants.directory import TenantDirectory

_bearer = HTTPBearer(auto_error=False, description="SMOS_OPERATOR_TOKEN")


def reconcile_router(reconciler: Reconciler, tenants: TenantDirectory, operator_token: str) -> APIRouter:
    """Build the route."""

    def authorised(bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> None:
        given = bearer.credentials if bearer else ""
        if not hmac.compare_digest(given.encode(), operator_token.encode()):
            raise RejectedInputError("invalid_operator_token", "The bearer is not the operator's token.", status=401)

    router = APIRouter(prefix="/api/v1", tags=["operator"], dependencies=[Depends(authorised)])

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
