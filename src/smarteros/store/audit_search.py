"""Looking through a tenant's audit, newest first, page by page."""

from __future__ import annotations

import sqlalchemy as sa

from smarteros.domain.audit import AuditEvent
from smarteros.domain.model import Model
from smarteros.store.tables import audit_events


class FoundEvent(Model):
    """An event with its place in the chain."""

    position: int
    event: AuditEvent


def search_events(
    connection: sa.Connection,
    tenant_id: str,
    *,
    kind: str | None = None,
    conversation_id: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[FoundEvent]:
    """Return events of a chain (``NO_TENANT`` is the installation's), those before a position."""
    events = audit_events.c
    wanted = [events.tenant_id == tenant_id]
    if kind is not None:
        wanted.append(events.event["kind"].astext == kind)
    if conversation_id is not None:
        wanted.append(events.conversation_id == conversation_id)
    if before is not None:
        wanted.append(events.position < before)
    statement = sa.select(events.position, events.event).where(*wanted).order_by(events.position.desc()).limit(limit)
    return [
        FoundEvent(position=row.position, event=AuditEvent.model_validate(row.event))
        for row in connection.execute(statement)
    ]
