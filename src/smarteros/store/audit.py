"""The audit: append-only, one hash chain per tenant, each event also put into the outbox in the same transaction."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from smarteros.domain.audit import AuditEvent, chain_hash
from smarteros.store.audit_tables import GENESIS, audit_chains
from smarteros.store.database import NO_TENANT
from smarteros.store.statements import run
from smarteros.store.tables import audit_events

_CHAIN_END = "SELECT chain_position AS position, chain_hash AS hash FROM smos.lock_audit_chain(%(tenant_id)s)"
# What the bus gets also tells its place in the chain: the bus' copy is a witness nobody of the database can change.
_APPEND = """
    WITH appended AS (
      INSERT INTO smos.audit_events (tenant_id, position, event_id, conversation_id, event, previous_hash, hash)
      VALUES (%(tenant_id)s, %(position)s, %(event_id)s, %(conversation_id)s, CAST(%(event)s AS jsonb),
              %(previous)s, %(hash)s)
      ON CONFLICT (event_id) DO NOTHING RETURNING event, position, previous_hash, hash
    )
    INSERT INTO smos.outbox (tenant_id, topic, key, event)
    SELECT %(tenant_id)s, %(topic)s, %(key)s, event || jsonb_build_object('chain', jsonb_build_object(
             'position', position, 'previous_hash', previous_hash, 'hash', hash))
      FROM appended
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
        "hash": chain_hash(previous, event.model_dump(mode="json")),
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


def erase_chain(owner: sa.Connection, tenant_id: str) -> int:
    """Remove all of a tenant's audit, on a connection of the owner; returns how many events there were.

    Only for the erasure of the tenant itself: the caller writes down, in the installation's own chain, that it was.
    """
    owner.execute(sa.select(sa.func.set_config("smos.erased_tenant", tenant_id, True)))
    removed = 0
    for table in (audit_events, audit_chains):
        gone: sa.CursorResult[Any] = owner.execute(sa.delete(table).where(table.c.tenant_id == tenant_id))
        removed = removed or gone.rowcount
    owner.execute(sa.select(sa.func.set_config("smos.erased_tenant", "", True)))
    return removed
