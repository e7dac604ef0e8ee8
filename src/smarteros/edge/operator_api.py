"""What the operator's programs read: turns and audit events. Guarded by the operator's token."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from smarteros.domain.audit import AuditEvent
from smarteros.domain.ids import TENANT_ID
from smarteros.domain.model import Model
from smarteros.domain.tenants import TenantScope
from smarteros.domain.turns import TurnRecord
from smarteros.edge.operator_guard import operator_routes
from smarteros.store.audit import list_events
from smarteros.store.database import Database
from smarteros.store.turns import list_turns


class Turns(Model):
    """Turns, oldest first."""

    turns: tuple[TurnRecord, ...]


class AuditEvents(Model):
    """Audit events, oldest first."""

    events: tuple[AuditEvent, ...]


def operator_router(database: Database, operator_token: str) -> APIRouter:
    """Build the routes."""
    router = operator_routes(operator_token)

    @router.get("/turns", operation_id="list_turns")
    def turns(  # pyright: ignore[reportUnusedFunction]
        tenant_id: Annotated[str, Query(pattern=TENANT_ID.pattern)],
        conversation_id: Annotated[int | None, Query(ge=0, le=2**53)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> Turns:
        """List the newest turns of a tenant or of one conversation."""
        with database.tenant(TenantScope(tenant_id=tenant_id)) as connection:
            return Turns(turns=list_turns(connection, tenant_id, conversation_id, limit))

    @router.get("/audit", operation_id="list_audit_events")
    def audit(  # pyright: ignore[reportUnusedFunction]
        tenant_id: Annotated[str, Query(pattern=f"^$|{TENANT_ID.pattern}")] = "",
        conversation_id: Annotated[int | None, Query(ge=0, le=2**53)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> AuditEvents:
        """List the newest audit events of a tenant; without one, those of refused senders."""
        opened = database.tenant(TenantScope(tenant_id=tenant_id)) if tenant_id else database.unclaimed()
        with opened as connection:
            return AuditEvents(events=list_events(connection, tenant_id, conversation_id, limit))

    return router
