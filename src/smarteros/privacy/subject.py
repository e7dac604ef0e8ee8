"""What a person may ask of a shop: what it holds of him, that it be erased, that the bot leave him alone."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from smarteros.domain.audit import PRIVACY_TOPIC, AuditEvent
from smarteros.domain.errors import PermanentError
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import Clock
from smarteros.privacy.contacts import KnownBy, Subject, find, to_block
from smarteros.privacy.holdings import HOLDINGS
from smarteros.privacy.learnt import Words, forget_words, kept_words
from smarteros.privacy.proofs import Proof, keep_proof, proofs_of
from smarteros.privacy.sealing import FIELD, opened
from smarteros.privacy.wrapping import KeyWrapping
from smarteros.store.audit import append_event
from smarteros.store.contacts import ContactKey, block, lift_block
from smarteros.store.database import Database
from smarteros.store.statements import run

_OWN = "tenant_id = %(tenant_id)s AND contact = ANY(%(contacts)s)"
_KEYS = (
    "SELECT contact, key, key_id, wrapped_by, blocked_at, blocked_by, seen_at FROM smos.contacts"  # noqa: S608
    f" WHERE {_OWN} FOR UPDATE"
)
_EVENTS = (
    "SELECT event FROM smos.audit_events WHERE tenant_id = %(tenant_id)s AND (conversation_id = ANY(%(conversations)s)"
    " OR event #>> '{details,personal,key}' = ANY(%(key_ids)s)) ORDER BY position"
)
_SEALED = (
    "SELECT count(*) AS rows FROM smos.audit_events WHERE tenant_id = %(tenant_id)s"
    " AND event #>> '{details,personal,key}' = ANY(%(key_ids)s)"
)
_TEXTS = (
    "SELECT message ->> 'text' AS text FROM smos.received_events"
    " WHERE tenant_id = %(tenant_id)s AND conversation_id = ANY(%(conversations)s) AND message IS NOT NULL"
)
# Names are hashed at a cost while the transaction is open; a busy machine takes its time.
_PATIENCE = "SET LOCAL idle_in_transaction_session_timeout = '120s'"
# Whom the bot leaves alone stays known by his number in the channel: otherwise it would write to him again.
_DESTROY = (
    f"DELETE FROM smos.contacts WHERE {_OWN} AND blocked_at IS NULL",  # noqa: S608
    f"UPDATE smos.contacts SET key = NULL, key_id = NULL, wrapped_by = NULL WHERE {_OWN}",  # noqa: S608
)


class Dossier(Model):
    """Everything held of a person, by table. ``erasures`` prove what was held before and is no more."""

    tenant_id: str
    contacts: tuple[str, ...]
    blocked: bool
    rows: dict[str, list[dict[str, Any]]]
    erasures: tuple[Proof, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows each table holds, without those that hold none."""
        return {table: len(rows) for table, rows in self.rows.items() if rows}


@dataclass(frozen=True)
class PersonalData:
    """The rights of the people who write to a tenant. Every use of them is audited, without naming the person."""

    database: Database
    clock: Clock
    wrapping: KeyWrapping

    def export(self, tenant: Tenant, person: KnownBy) -> Dossier:
        """Return what is held of a person; nothing, and the proofs, of one who was erased."""
        with self.database.tenant(tenant.scope) as connection:
            subject = find(connection, tenant, person)
            own = _own(tenant, subject)
            known = run(connection, _KEYS, own).fetchall()
            rows = {
                holding.table: [row._asdict() for row in run(connection, holding.select, own)] for holding in HOLDINGS
            }
            words = kept_words(connection, tenant.tenant_id, _words(connection, own))
            rows |= {table: [{"text": text} for text in texts] for table, texts in words.items()}
            stored = [ContactKey(bytes(row.key), row.key_id, row.wrapped_by) for row in known if row.key is not None]
            keys = {one.key_id: key for one in stored if (key := self.wrapping.opened(tenant.scope, one)) is not None}
            rows["audit_events"] = list(_events(connection, own | {"key_ids": [one.key_id for one in stored]}, keys))
            if subject.contacts:
                self._note(connection, tenant, "contact_exported", rows={name: len(of) for name, of in rows.items()})
            return Dossier(
                tenant_id=tenant.tenant_id,
                contacts=subject.contacts,
                blocked=any(row.blocked_at is not None for row in known),
                rows=rows,
                erasures=proofs_of(connection, tenant.tenant_id, person),
            )

    def erase(self, tenant: Tenant, person: KnownBy) -> Proof | None:
        """Erase a person in one transaction; None when nothing is held of anybody known so.

        PermanentError(code ``erasure_incomplete``), and nothing is erased, when something would be left.
        """
        with self.database.tenant(tenant.scope) as connection:
            run(connection, _PATIENCE, {})
            subject = find(connection, tenant, person)
            own = _own(tenant, subject)
            known = run(connection, _KEYS, own).fetchall()
            if not subject.conversations and all(row.key is None for row in known):
                return None
            words = _words(connection, own)
            rows = {holding.table: run(connection, holding.erase, own).rowcount for holding in HOLDINGS}
            rows |= forget_words(connection, tenant.tenant_id, words)
            for statement in _DESTROY:
                run(connection, statement, own)
            self._require_nothing_left(connection, own)
            keys = tuple(row.key_id for row in known if row.key_id is not None)
            proof = keep_proof(
                connection,
                tenant.tenant_id,
                subject.names,
                self.clock.now(),
                rows=rows,
                keys=keys,
                sealed_events=_count(connection, _SEALED, own | {"key_ids": list(keys)}),
            )
            self._note(connection, tenant, "contact_erased", **proof.model_dump(mode="json"))
        return proof

    def block(self, tenant: Tenant, person: KnownBy) -> int:
        """Let the bot be silent towards a person from now on; returns how many contacts that are."""
        with self.database.tenant(tenant.scope) as connection:
            references = to_block(connection, tenant, person)
            block(connection, tenant.tenant_id, references, "shop")
            self._note(connection, tenant, "contact_blocked", contacts=list(references))
        return len(references)

    def unblock(self, tenant: Tenant, person: KnownBy) -> int:
        """Let the bot speak to a person again who has agreed to it; returns how many contacts were blocked."""
        with self.database.tenant(tenant.scope) as connection:
            references = to_block(connection, tenant, person)
            lifted = lift_block(connection, tenant.tenant_id, references)
            self._note(connection, tenant, "contact_unblocked", contacts=list(references))
        return lifted

    def _require_nothing_left(self, connection: sa.Connection, own: dict[str, Any]) -> None:
        left = {holding.table: _count(connection, holding.count, own) for holding in HOLDINGS}
        tables = [table for table, rows in left.items() if rows]
        if tables:
            raise PermanentError("erasure_incomplete", f"Not erased: {', '.join(tables)} would still hold something.")

    def _note(self, connection: sa.Connection, tenant: Tenant, kind: str, **details: Any) -> None:
        event = AuditEvent(
            event_id=f"{kind}:{uuid.uuid4().hex}",
            topic=PRIVACY_TOPIC,
            kind=kind,
            tenant_id=tenant.tenant_id,
            timestamp=self.clock.now(),
            details=details,
        )
        append_event(connection, event)


def _own(tenant: Tenant, subject: Subject) -> dict[str, Any]:
    return {
        "tenant_id": tenant.tenant_id,
        "contacts": list(subject.contacts),
        "conversations": list(subject.conversations),
    }


def _words(connection: sa.Connection, own: dict[str, Any]) -> Words:
    return Words(row.text for row in run(connection, _TEXTS, own) if row.text)


def _count(connection: sa.Connection, statement: str, values: dict[str, Any]) -> int:
    row = run(connection, statement, values).fetchone()
    return 0 if row is None else int(row.rows)


def _events(connection: sa.Connection, values: dict[str, Any], keys: dict[str, bytes]) -> list[dict[str, Any]]:
    """Return a person's audit events, their sealed part opened."""
    events: list[dict[str, Any]] = []
    for row in run(connection, _EVENTS, values):
        event: dict[str, Any] = row.event
        sealed = event["details"].get(FIELD)
        if sealed is not None:
            event["details"][FIELD] = opened(sealed, keys)
        events.append(event)
    return events
