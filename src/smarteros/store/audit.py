"""The audit: append-only, one hash chain per tenant, each event also put into the outbox in the same transaction."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from smarteros.domain.audit import AuditEvent, chain_hash
from smarteros.store.database import NO_TENANT
from smarteros.store.tables import audit_events, outbox

GENESIS = "0" * 64


def append_event(connection: sa.Connection, event: AuditEvent) -> bool:
    """Append an event to its tenant's chain; False when an event with this id is there already."""
    tenant_id = event.tenant_id or NO_TENANT
    # One writer at a time per chain, so that positions have no gap and no fork.
    connection.execute(
        sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"audit:{tenant_id}"}
    )
    known = sa.select(audit_events.c.event_id).where(audit_events.c.event_id == event.event_id)
    if connection.execute(known).first() is not None:
        return False
    last = connection.execute(
        sa.select(audit_events.c.position, audit_events.c.hash)
        .where(audit_events.c.tenant_id == tenant_id)
        .order_by(audit_events.c.position.desc())
        .limit(1)
    ).one_or_none()
    previous = last.hash if last else GENESIS
    body = event.model_dump(mode="json")
    connection.execute(
        insert(audit_events).values(
            tenant_id=tenant_id,
            position=(last.position if last else 0) + 1,
            event_id=event.event_id,
            conversation_id=event.conversation_id,
            event=body,
            previous_hash=previous,
            hash=chain_hash(previous, event),
        )
    )
    key = f"{tenant_id}:{event.conversation_id or 0}"
    connection.execute(insert(outbox).values(tenant_id=tenant_id, topic=event.topic, key=key, event=body))
    return True


def list_events(
    connection: sa.Connection, tenant_id: str, conversation_id: int | None, limit: int
) -> tuple[AuditEvent, ...]:
    """Return the newest events of a tenant's chain (or of one conversation), oldest first."""
    statement = sa.select(audit_events.c.event).where(audit_events.c.tenant_id == tenant_id)
    if conversation_id is not None:
        statement = statement.where(audit_events.c.conversation_id == conversation_id)
    rows = connection.execute(statement.order_by(audit_events.c.position.desc()).limit(limit)).all()
    return tuple(AuditEvent.model_validate(row.event) for row in reversed(rows))


def verify_chain(connection: sa.Connection, tenant_id: str) -> int | None:
    """Recompute a tenant's chain; returns the first position that does not fit, or None when all is well."""
    statement = sa.select(audit_events).where(audit_events.c.tenant_id == tenant_id).order_by(audit_events.c.position)
    previous, expected = GENESIS, 1
    for row in connection.execute(statement):
        event = AuditEvent.model_validate(row.event)
        fits = row.position == expected and row.previous_hash == previous
        if not fits or row.hash != chain_hash(previous, event):
            return expected
        previous, expected = row.hash, expected + 1
    return None
