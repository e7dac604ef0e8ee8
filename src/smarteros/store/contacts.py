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
    """A contact's key (Fernet) as it is stored, and its id, which says nothing about it.

    ``wrapped_by`` is the id of the key it is wrapped in; None for one that is not wrapped.
    """

    key: bytes
    key_id: str
    wrapped_by: str | None


def reference(account_id: int, contact_id: int) -> str:
    """Return how a contact is named in our tables: account and contact in the channel."""
    return f"{account_id}:{contact_id}"


def sender(message: IncomingMessage) -> str:
    """Return the reference of a message's writer."""
    return reference(message.account_id, message.contact.id)


_KEY = """
INSERT INTO smos.contacts AS known (tenant_id, contact, key, key_id, wrapped_by, blocked_at, blocked_by)
VALUES (%(tenant_id)s, %(contact)s, %(key)s, %(key_id)s, %(wrapped_by)s,
        CASE WHEN %(opted_out)s THEN now() END, CASE WHEN %(opted_out)s THEN 'opted_out' END)
ON CONFLICT (tenant_id, contact) DO UPDATE SET
  seen_at = now(), key = coalesce(known.key, excluded.key), key_id = coalesce(known.key_id, excluded.key_id),
  wrapped_by = CASE WHEN known.key IS NULL THEN excluded.wrapped_by ELSE known.wrapped_by END,
  blocked_at = coalesce(known.blocked_at, excluded.blocked_at),
  blocked_by = coalesce(known.blocked_by, excluded.blocked_by)
RETURNING key, key_id, wrapped_by
"""
_OTHERWISE = """
SELECT contact, key, key_id, wrapped_by FROM smos.contacts
 WHERE tenant_id = %(tenant_id)s AND key IS NOT NULL AND wrapped_by IS DISTINCT FROM %(wrapped_by)s
   AND contact > %(after)s
 ORDER BY contact LIMIT %(most)s FOR UPDATE
"""


def seen(connection: sa.Connection, tenant_id: str, contact: str, new: ContactKey, *, opted_out: bool) -> ContactKey:
    """Remember that a contact wrote, and that he wants to be left alone if he said so; returns his key.

    That is ``new`` for one without a key. One statement: it is part of every turn.
    """
    values = {"tenant_id": tenant_id, "contact": contact, **new._asdict(), "opted_out": opted_out}
    row = run(connection, _KEY, values).fetchone()
    return new if row is None else ContactKey(bytes(row.key), row.key_id, row.wrapped_by)


def keys_wrapped_otherwise(
    connection: sa.Connection, tenant_id: str, wrapped_by: str, after: str, most: int
) -> list[tuple[str, ContactKey]]:
    """Return keys that are not wrapped in the key ``wrapped_by``, by contact behind ``after``, and lock their rows."""
    values = {"tenant_id": tenant_id, "wrapped_by": wrapped_by, "after": after, "most": most}
    return [
        (row.contact, ContactKey(bytes(row.key), row.key_id, row.wrapped_by))
        for row in run(connection, _OTHERWISE, values)
    ]


def count_unwrapped(connection: sa.Connection, tenant_id: str) -> int:
    """Count the keys that are stored as they are."""
    open_ones = sa.and_(contacts.c.tenant_id == tenant_id, contacts.c.key.is_not(None), contacts.c.wrapped_by.is_(None))
    return connection.execute(sa.select(sa.func.count()).where(open_ones)).scalar_one()


def replace_key(connection: sa.Connection, tenant_id: str, contact: str, new: ContactKey) -> None:
    """Store a contact's key as it is wrapped now."""
    statement = sa.update(contacts).where(contacts.c.tenant_id == tenant_id, contacts.c.contact == contact)
    connection.execute(statement.values(key=new.key, wrapped_by=new.wrapped_by))


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
