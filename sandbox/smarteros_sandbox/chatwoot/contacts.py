"""Customers: creating, finding and changing them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from uuid import uuid4

from smarteros_sandbox.chatwoot.attributes import check_custom_attributes
from smarteros_sandbox.chatwoot.errors import invalid
from smarteros_sandbox.chatwoot.records import Account, Contact, ContactInbox, Inbox, JsonObject
from smarteros_sandbox.chatwoot.shapes import webhook
from smarteros_sandbox.chatwoot.store import UNIQUE_CONTACT_FIELDS
from smarteros_sandbox.chatwoot.tokens import base58_token, visitor_name, whatsapp_scoped_user_id
from smarteros_sandbox.chatwoot.values import as_flag, as_object, as_text
from smarteros_sandbox.chatwoot.view import View
from smarteros_sandbox.chatwoot.webhooks.dispatch import Dispatcher, Event

_E164 = re.compile(r"^\+[1-9]\d{1,14}$", re.ASCII)
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
MAX_SOURCE_ID = 255


class Contacts:
    """Chatwoot app/models/contact.rb and app/builders/contact_inbox_with_contact_builder.rb."""

    def __init__(self, view: View, dispatcher: Dispatcher) -> None:
        self._view = view
        self._dispatcher = dispatcher

    def create(self, account: Account, fields: Mapping[str, object]) -> Contact:
        """A new contact; 422 when email, phone or identifier is malformed or taken."""
        now = self._view.clock.now(account.id)
        contact = Contact(account_id=account.id, created_at=now, updated_at=now)
        self._assign(contact, fields)
        self._view.store.add_contact(contact)
        self._emit("contact_created", contact)
        return contact

    def update(self, contact: Contact, fields: Mapping[str, object]) -> None:
        """Change the named fields; custom attributes are merged."""
        before = dict(contact.__dict__)
        changed = Contact(**before)
        self._assign(changed, fields)
        changed.updated_at = self._view.clock.now(contact.account_id)
        self._view.store.replace_contact(contact, changed)
        differences: list[JsonObject] = [
            {name: {"previous_value": before[name], "current_value": value}}
            for name, value in contact.__dict__.items()
            if before[name] != value and name != "updated_at"
        ]
        if differences:
            self._emit("contact_updated", contact, {"changed_attributes": differences})

    def find_or_create(self, inbox: Inbox, fields: Mapping[str, object]) -> ContactInbox:
        """The customer's address in the inbox: known by source, else by identifier, email or phone, else new."""
        account = self._view.store.accounts[inbox.account_id]
        existing = self._matching(account, fields)
        source_id = self._source_id(inbox, existing, fields)
        known = self._view.store.contact_inbox(inbox, source_id)
        if known is not None:
            return known
        contact = existing or self.create(account, self._with_default_name(inbox, fields))
        return self.add_to_inbox(contact, inbox, source_id)

    def add_to_inbox(self, contact: Contact, inbox: Inbox, source_id: str | None = None) -> ContactInbox:
        """Give the contact an address in the inbox (kept if it has one)."""
        source_id = source_id or self._source_id(inbox, contact, {})
        known = self._view.store.contact_inbox(inbox, source_id)
        if known is not None:
            return known
        now = self._view.clock.now(inbox.account_id)
        return self._view.store.add_contact_inbox(
            ContactInbox(
                contact_id=contact.id,
                inbox_id=inbox.id,
                source_id=source_id,
                pubsub_token=base58_token(),
                created_at=now,
                updated_at=now,
            )
        )

    def search(self, account: Account, text: str) -> list[Contact]:
        """``/contacts/search``: name, email, phone or identifier contains the text."""
        wanted = text.strip().lower()
        return [
            contact
            for contact in self._view.store.contacts
            if contact.account_id == account.id
            and any(
                wanted in (value or "").lower()
                for value in (contact.name, contact.email, contact.phone_number, contact.identifier)
            )
        ]

    def touch(self, contact: Contact, moment: float) -> None:
        """The customer was active."""
        contact.last_activity_at = moment
        self._view.store.contacts.save(contact)

    def _assign(self, contact: Contact, fields: Mapping[str, object]) -> None:
        for name in UNIQUE_CONTACT_FIELDS:
            if name in fields:
                self._assign_unique(contact, name, (as_text(fields[name]) or "").strip() or None)
        if "name" in fields:
            contact.name = (as_text(fields["name"]) or "")[:255]
        if "blocked" in fields:
            contact.blocked = as_flag(fields["blocked"])
        custom = check_custom_attributes(as_object(fields.get("custom_attributes")))
        contact.custom_attributes = contact.custom_attributes | custom
        contact.additional_attributes = contact.additional_attributes | as_object(fields.get("additional_attributes"))

    def _assign_unique(self, contact: Contact, name: str, value: str | None) -> None:
        label = name.replace("_", " ").capitalize()
        if value is not None:
            if name == "email":
                value = value.lower()
                if not _EMAIL.match(value):
                    raise invalid("Email Invalid email", "email")
            if name == "phone_number" and not _E164.match(value):
                raise invalid("Phone number should be in e164 format", "phone_number")
            owner = self._view.store.contact_with(contact.account_id, name, value)
            if owner is not None and owner.id != contact.id:
                raise invalid(f"{label} has already been taken", name)
        setattr(contact, name, value)

    def _matching(self, account: Account, fields: Mapping[str, object]) -> Contact | None:
        for name in UNIQUE_CONTACT_FIELDS:
            value = (as_text(fields.get(name)) or "").strip()
            value = value.lower() if name == "email" else value
            owner = self._view.store.contact_with(account.id, name, value)
            if value and owner is not None:
                return owner
        return None

    @staticmethod
    def _with_default_name(inbox: Inbox, fields: Mapping[str, object]) -> Mapping[str, object]:
        if as_text(fields.get("name")):
            return fields
        phone, email = as_text(fields.get("phone_number")), as_text(fields.get("email"))
        by_channel = {"whatsapp": phone, "email": (email or "").partition("@")[0]}
        return {**fields, "name": by_channel.get(inbox.channel) or visitor_name()}

    @staticmethod
    def _source_id(inbox: Inbox, existing: Contact | None, fields: Mapping[str, object]) -> str:
        """The form of an address: phone digits, mail address or uuid (app/builders/contact_inbox_builder.rb)."""
        phone = as_text(fields.get("phone_number")) or (existing.phone_number if existing else None)
        email = as_text(fields.get("email")) or (existing.email if existing else None)
        match inbox.channel:
            case "whatsapp":
                return phone.strip().removeprefix("+") if phone else whatsapp_scoped_user_id()
            case "email" if email:
                return email.strip().lower()
            case "email":
                # Chatwoot has no public API on mail inboxes; here a visitor may leave the address out.
                return f"{uuid4().hex}@visitor.invalid"
            case _:
                wanted = as_text(fields.get("source_id"))
                return wanted[:MAX_SOURCE_ID] if wanted and "/" not in wanted else str(uuid4())

    def _emit(self, name: str, contact: Contact, extra: JsonObject | None = None) -> None:
        self._dispatcher.emit(
            Event(name, contact.account_id, lambda: webhook.contact(self._view, contact), extra=extra or {})
        )
