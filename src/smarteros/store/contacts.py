"""Contacts: their keys, and whom the bot leaves alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from smarteros.domain.messages import IncomingMessage
from smarteros.store.contact_tables import contacts
from smarteros.store.statements import run

BlockedBy = Literal["opted_out", "shop"]


class ContactKey(NamedTuple):
    """A contact's key (Fernet) and its id, which says nothing about it."""

    key: bytes
    key_id: str


def reference(account_id: int, contact_id: int) -> str:
    """Return how a contact is named in our tables: account and contact in the channel."""
    return f"{account_id}:{contact_id}"


def sender(message: IncomingMessage) -> str:
    """Return the reference of a message's writer."""
    return reference(message.account_id, message.contact.id)


_KEY = """
INSERT INTO smos.contacts AS known (tenant_id, contact, key, key_id, blocked_at, blocked_by)
VALUES (%(tenant_id)s, %(contact)s, %(key)s, %(key_id)s,
        CASE WHEN %(opted_out)s THEN now() END, CASE WHEN %(opted_out)s THEN 'opted_out' END)
ON CONFLICT (tenant_id, contact) DO UPDATE SET
  seen_at = now(), key = coalesce(known.key, excluded.key), key_id = coalesce(known.key_id, excluded.key_id),
  blocked_at = coalesce(known.blocked_at, excluded.blocked_at),
  blocked_by = coalesce(known.blocked_by, excluded.blocked_by)
RETURNING key, key_id
"""


def seen(connection: sa.Connection, tenant_id: str, contact: str, new: ContactKey, *, opted_out: bool) -> ContactKey:
    """Remember that a contact wrote, and that he wants to be left alone if he said so; returns his key.

    That is ``new`` for one without a key. One statement: it is part of every turn.
    """
    values = {"tenant_id": tenant_id, "contact": contact, **new._asdict(), "opted_out": opted_out}
    row = run(connection, _KEY, values).fetchone()
    return new if row is None else ContactKey(bytes(row.key), row.key_id)


def block(connection: sa.Connection, tenant_id: str, references: Iterable[str], by: BlockedBy) -> None:
    """Let the bot be silent towards contacts, also ones that have never written."""
    rows = [
        {"tenant_id": tenant_id, "contact": contact, "blocked_at": sa.func.now(), "blocked_by": by}
        for contact in references
    ]
    statement = insert(contacts).values(rows)
    kept = {"blocked_at": sa.func.coalesce(contacts.c.blocked_at, statement.excluded.blocked_at), "blocked_by": by}
    connection.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "contact"], set_=kept))


def lift_block(connection: sa.Connection, tenant_id: str, references: Iterable[str]) -> int:
    """Let the bot speak to contacts again; returns how many of them were blocked."""
    statement = (
        sa.update(contacts)
        .where(
            contacts.c.tenant_id == tenant_id,
            contacts.c.contact.in_(list(references)),
            contacts.c.blocked_at.is_not(None),
        )
        .values(blocked_at=None, blocked_by=None)
    )
    return connection.execute(statement).rowcount
