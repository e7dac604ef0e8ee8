"""What people did, in the audit: of a tenant's person or conversation in the tenant's own chain."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from smarteros.domain.audit import SECURITY_TOPIC, AuditEvent
from smarteros.domain.people import Person
from smarteros.store.audit import append_event


def actor(person: Person) -> dict[str, str]:
    """Return how the audit names who did something."""
    return {"person": person.person_id, "role": person.role}


def note(
    connection: sa.Connection,
    now: datetime,
    kind: str,
    person: Person,
    *,
    tenant_id: str | None = None,
    conversation_id: int | None = None,
    by: Person | None = None,
    **details: Any,
) -> None:
    """Write down what a person did, in the transaction that does it, or what was done to him and ``by`` whom.

    ``tenant_id`` is whose data was touched, by default the person's own tenant.
    """
    if by is not None:
        details["by"] = by.person_id
    append_event(
        connection,
        AuditEvent(
            event_id=f"console:{uuid.uuid4().hex}",
            topic=SECURITY_TOPIC,
            kind=kind,
            tenant_id=tenant_id or person.tenant_id,
            conversation_id=conversation_id,
            timestamp=now,
            details={**actor(person), **details},
        ),
    )


def note_refusal(connection: sa.Connection, now: datetime, *, account: str, address: str) -> None:
    """Write down that signing in was refused; account and address as digests, for nobody is known yet."""
    append_event(
        connection,
        AuditEvent(
            event_id=f"console:{uuid.uuid4().hex}",
            topic=SECURITY_TOPIC,
            kind="console_sign_in_refused",
            tenant_id=None,
            timestamp=now,
            details={"account": account, "address": address},
        ),
    )
