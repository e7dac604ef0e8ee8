"""The audit: append-only, one hash chain per tenant, each event also put into the outbox in the same transaction."""

from __future__ import annotations

import sqlalchemy as sa

from smarteros.domain.audit import AuditEvent, chain_hash
from smarteros.store.database import NO_TENANT
from smarteros.store.statements import run
from smarteros.store.tables import audit_events

GENESIS = "0" * 64


_CHAIN_END = "SELECT chain_position AS position, chain_hash AS hash FROM smos.lock_audit_chain(%(tenant_id)s)"
_APPEND = """
    WITH appended AS (
      INSERT INTO smos.audit_events (tenant_id, position, event_id, conversation_id, event, previous_hash, hash)
      VALUES (%(tenant_id)s, %(position)s, %(event_id)s, %(conversation_id)s, CAST(%(event)s AS jsonb),
              %(previous)s, %(hash)s)
      ON CONFLICT (event_id) DO NOTHING RETURNING event
    )
    INSERT INTO smos.outbox (tenant_id, topic, key, event) SELECT %(tenant_id)s, %(topic)s, %(key)s, event FROM appended
    """


def append_event(connection: sa.Connection, event: AuditEvent) -> bool:
    """Append an event to its tenant's chain; False when an event with this id is there already.

    The chain has one writer at a time, until the transaction ends, so that positions have no gap and no fork.
    """
    tenant_id = event.tenant_id or NO_TENANT
    last = run(connection, _CHAIN_END, {"tenant_id": tenant_id}).fetchone()
    previous = last.hash if last else GENESIS
    values = {
        "tenant_id": tenant_id,
        "position": (last.position if last else 0) + 1,
        "event_id": event.event_id,
        "conversation_id": event.conversation_id,
        "event": event.model_dump_json(),
        "previous": previous,
        "hash": chain_hash(previous, event),
        "topic": event.topic,
        "key": f"{tenant_id}:{event.conversation_id or 0}",
    }
    return run(connection, _APPEND, values).rowcount == 1


def list_events(
    connection: sa.Connection, tenant_id: str, conversation_id: int | None, limit: int
) -> tuple[AuditEvent, ...]:
    """Return the newest events of a tenant's chain (or of one conversation), oldest first.

    With an empty ``tenant_id`` those of senders that could not be believed.
    """
    statement = sa.select(audit_events.c.event).where(audit_events.c.tenant_id == (tenant_id or NO_TENANT))
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
