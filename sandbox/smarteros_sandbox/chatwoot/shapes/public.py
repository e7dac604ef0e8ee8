"""Public client API answers: the jbuilder views under Chatwoot app/views/public/api/v1."""

from __future__ import annotations

from smarteros_sandbox.chatwoot.clock import iso_milliseconds, iso_milliseconds_or_none
from smarteros_sandbox.chatwoot.records import (
    Contact,
    ContactInbox,
    Conversation,
    Inbox,
    JsonObject,
    Message,
    MessageType,
)
from smarteros_sandbox.chatwoot.shapes import push
from smarteros_sandbox.chatwoot.view import View


def inbox(row: Inbox) -> JsonObject:
    """_inbox.json.jbuilder."""
    return {
        "identifier": row.identifier,
        "name": row.name,
        "timezone": "America/Santiago",
        "working_hours": [],
        "working_hours_enabled": False,
        "csat_survey_enabled": False,
        "greeting_enabled": False,
        "identity_validation_enabled": False,
    }


def contact(row: Contact, address: ContactInbox) -> JsonObject:
    """_contact.json.jbuilder: ``source_id`` is the name of the contact in the paths of this API."""
    return {
        "source_id": address.source_id,
        "pubsub_token": address.pubsub_token,
        "id": row.id,
        "name": row.name,
        "email": row.email,
        "phone_number": row.phone_number,
    }


def contact_record(row: Contact) -> JsonObject:
    """The whole row, which Chatwoot puts into conversations and into the answer to a change."""
    return {
        "id": row.id,
        "name": row.name,
        "email": row.email,
        "phone_number": row.phone_number,
        "account_id": row.account_id,
        "created_at": iso_milliseconds(row.created_at),
        "updated_at": iso_milliseconds(row.updated_at),
        "additional_attributes": row.additional_attributes,
        "identifier": row.identifier,
        "custom_attributes": row.custom_attributes,
        "last_activity_at": iso_milliseconds_or_none(row.last_activity_at),
        "contact_type": "lead" if row.email or row.phone_number else "visitor",
        "middle_name": "",
        "last_name": "",
        "location": "",
        "country_code": "",
        "blocked": row.blocked,
        "company_id": None,
    }


def message(view: View, row: Message) -> JsonObject:
    """_message.json.jbuilder."""
    conversation_row = view.store.conversations[row.conversation_id]
    data: JsonObject = {
        "id": row.id,
        "content": row.content,
        "message_type": row.message_type,
        "content_type": row.content_type,
        "content_attributes": row.content_attributes,
        "created_at": int(row.created_at),
        "conversation_id": conversation_row.display_id,
    }
    files = view.store.attachments_of(row)
    if files:
        data["attachments"] = [push.attachment(view, file) for file in files]
    sender = view.sender(row)
    if sender is not None:
        data["sender"] = push.person(sender)
    return data


def visible_messages(view: View, row: Conversation) -> list[Message]:
    """What the customer may see: no activities, no private notes (scope ``chat``)."""
    return [
        entry for entry in view.store.messages_of(row) if entry.kind is not MessageType.ACTIVITY and not entry.private
    ]


def conversation(view: View, row: Conversation) -> JsonObject:
    """_conversation.json.jbuilder."""
    return {
        "id": row.display_id,
        "uuid": row.uuid,
        "inbox_id": row.inbox_id,
        "contact_last_seen_at": int(row.contact_last_seen_at or 0),
        "status": row.status,
        "agent_last_seen_at": int(row.agent_last_seen_at or 0),
        "messages": [message(view, entry) for entry in visible_messages(view, row)],
        "contact": contact_record(view.contact(row)),
    }
