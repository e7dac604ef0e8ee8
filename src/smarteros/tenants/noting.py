"""What is done to a tenant as a whole is written into its audit."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any, Literal

from smarteros.domain.audit import SECURITY_TOPIC, AuditEvent
from smarteros.domain.tenants import TenantScope
from smarteros.store.audit import append_event
from smarteros.store.database import Database

ChangeKind = Literal[
    "tenant_added",
    "tenant_changed",
    "tenant_suspended",
    "tenant_resumed",
    "tenant_exported",
    "tenant_erased",
    "tenant_leaves",
    "tenant_arrived",
    "tenant_stays",
]


def note_change(database: Database, scope: TenantScope | None, kind: ChangeKind, **details: Any) -> None:
    """Append an event to the tenant's chain; without ``scope`` to the installation's own."""
    event = AuditEvent(
        event_id=f"tenant:{uuid.uuid4().hex}",
        topic=SECURITY_TOPIC,
        kind=kind,
        tenant_id=None if scope is None else scope.tenant_id,
        timestamp=datetime.now(UTC),
        details=details,
    )
    opened = database.unclaimed() if scope is None else database.tenant(scope)
    with opened as connection:
        append_event(connection, event)
