"""Whom a request is about: the contacts that go by a phone, an e-mail address, a RUT or an id of Chatwoot's."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import phonenumbers
import sqlalchemy as sa

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.kit.rut import canonical_rut
from smarteros.store.contacts import reference
from smarteros.store.statements import run

NameKind = Literal["phone", "email", "rut", "chatwoot_id"]


class KnownBy(NamedTuple):
    """What a person is known by: ``value`` in its canonical form (E.164, lower case, 12345678-5, a number)."""

    kind: NameKind
    value: str


class Subject(Model):
    """The contacts a request is about, with their conversations; empty when nobody is known by that name.

    ``names`` are all phones and addresses they have given: other requests may name them by those.
    """

    contacts: tuple[str, ...]
    conversations: tuple[int, ...] = ()
    names: tuple[tuple[NameKind, str], ...] = ()


def known_by(
    *, phone: str | None = None, email: str | None = None, rut: str | None = None, chatwoot_id: int | None = None
) -> KnownBy:
    """Read what a person is known by. RejectedInputError when it is not exactly one thing, or not such a thing."""
    given = {"phone": phone, "email": email, "rut": rut, "chatwoot_id": chatwoot_id}
    named = [(kind, value) for kind, value in given.items() if value is not None]
    if len(named) != 1:
        raise RejectedInputError("contact_not_named", "Name the contact by one of phone, e-mail, RUT or Chatwoot id.")
    if phone is not None:
        return KnownBy("phone", _e164(phone))
    if email is not None and "@" in email.strip("@ "):
        return KnownBy("email", email.strip().lower())
    if rut is not None and (canonical := canonical_rut(rut)) is not None:
        return KnownBy("rut", canonical)
    if chatwoot_id is not None and chatwoot_id > 0:
        return KnownBy("chatwoot_id", str(chatwoot_id))
    raise RejectedInputError("contact_name_invalid", f"That is no {named[0][0].replace('_', ' ')}.")


_CONTACT = "concat(message ->> 'account_id', ':', message #>> '{contact,id}')"
_WHO = {
    "phone": "%(value)s IN (message #>> '{contact,phone}', message #>> '{contact,proven}')",
    "email": "%(value)s IN (lower(message #>> '{contact,email}'), lower(message #>> '{contact,proven}'))",
    # However it is written, with or without dots and dash.
    "rut": "strpos(regexp_replace(upper(message ->> 'text'), '[^0-9K]', '', 'g'), replace(%(value)s, '-', '')) > 0",
    "chatwoot_id": "message #>> '{contact,id}' = %(value)s",
}
_STORED = "message IS NOT NULL AND tenant_id = %(tenant_id)s"
_CONTACTS = f"SELECT DISTINCT {_CONTACT} AS contact FROM smos.received_events WHERE {_STORED} AND "  # noqa: S608
_BY_ID = "SELECT contact FROM smos.contacts WHERE tenant_id = %(tenant_id)s AND split_part(contact, ':', 2) = %(value)s"
_CONVERSATIONS = f"""
SELECT array_agg(DISTINCT conversation_id) AS conversations,
       array_agg(DISTINCT message #>> '{{contact,phone}}') AS phones,
       array_agg(DISTINCT lower(message #>> '{{contact,email}}')) AS emails
  FROM smos.received_events WHERE {_STORED} AND {_CONTACT} = ANY(%(contacts)s)
"""  # noqa: S608


def find(connection: sa.Connection, tenant: Tenant, person: KnownBy) -> Subject:
    """Return whom we know by a name. In a tenant's scope.

    RejectedInputError(code ``contact_ambiguous``) when several contacts have written a RUT: one may write another's.
    """
    values: dict[str, Any] = {"tenant_id": tenant.tenant_id, "value": person.value}
    found = {row.contact for row in run(connection, _CONTACTS + _WHO[person.kind], values)}
    if person.kind == "chatwoot_id":
        found |= {row.contact for row in run(connection, _BY_ID, values)}
    if person.kind == "rut" and len(found) > 1:
        ids = ", ".join(sorted(contact.partition(":")[2] for contact in found))
        raise RejectedInputError(
            "contact_ambiguous",
            f"Several contacts have written this RUT: Chatwoot ids {ids}. Find out whose it is and name that id.",
        )
    if not found:
        return Subject(contacts=())
    row: Any = run(connection, _CONVERSATIONS, values | {"contacts": list(found)}).fetchone()
    names: set[tuple[NameKind, str]] = {(person.kind, person.value)}
    names |= {("phone", value) for value in row.phones or () if value}
    names |= {("email", value) for value in row.emails or () if value}
    names |= {("chatwoot_id", contact.partition(":")[2]) for contact in found}
    return Subject(
        contacts=tuple(sorted(found)),
        conversations=tuple(sorted(row.conversations or ())),
        names=tuple(sorted(names)),
    )


def to_block(connection: sa.Connection, tenant: Tenant, person: KnownBy) -> tuple[str, ...]:
    """Return the contacts to leave alone; an id of Chatwoot's may be one that has never written.

    RejectedInputError(code ``contact_unknown``) when nobody is known by the name.
    """
    found = find(connection, tenant, person).contacts
    if not found and person.kind == "chatwoot_id":
        found = tuple(reference(account, int(person.value)) for account in tenant.chatwoot_account_ids)
    if not found:
        raise RejectedInputError(
            "contact_unknown",
            "No contact of this shop is known so; one who has not written is named by his Chatwoot id.",
        )
    return found


def _e164(phone: str) -> str:
    try:
        number = phonenumbers.parse(phone, "CL")
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise RejectedInputError("contact_name_invalid", "That is no phone number; write it like +56979540471.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
