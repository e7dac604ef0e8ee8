"""Push data: what goes to the dashboard's socket, and into ``conversation`` of every webhook.

Chatwoot ``#push_event_data`` of each model and app/presenters/conversations/event_data_presenter.rb.
"""

from __future__ import annotations

from smarteros_sandbox.chatwoot.clock import iso_milliseconds, iso_milliseconds_or_none
from smarteros_sandbox.chatwoot.records import (
    AgentBot,
    Attachment,
    Contact,
    ContactInbox,
    Conversation,
    JsonObject,
    Message,
    User,
)
from smarteros_sandbox.chatwoot.values import as_object, as_text
from smarteros_sandbox.chatwoot.view import View


def contact(row: Contact) -> JsonObject:
    """A customer as message sender and in ``meta.sender``."""
    return {
        "additional_attributes": row.additional_attributes,
        "custom_attributes": row.custom_attributes,
        "email": row.email,
        "id": row.id,
        "identifier": row.identifier,
        "name": row.name,
        "phone_number": row.phone_number,
        "thumbnail": "",
        "blocked": row.blocked,
        "type": "contact",
    }


def user(row: User) -> JsonObject:
    """A person who answers."""
    return {
        "id": row.id,
        "name": row.name,
        "available_name": row.name.split(" ")[0],
        "avatar_url": "",
        "type": "user",
        "availability_status": "online",
        "thumbnail": "",
    }


def agent_bot(row: AgentBot) -> JsonObject:
    """A bot."""
    return {"id": row.id, "name": row.name, "avatar_url": None, "type": "agent_bot"}


def person(row: Contact | User | AgentBot) -> JsonObject:
    """Any sender."""
    match row:
        case Contact():
            return contact(row)
        case User():
            return user(row)
        case AgentBot():
            return agent_bot(row)


def attachment(view: View, row: Attachment) -> JsonObject:
    """A file; Chatwoot app/models/attachment.rb#push_event_data."""
    is_image = row.file_type == "image"
    data: JsonObject = {
        "id": row.id,
        "message_id": row.message_id,
        "file_type": row.file_type,
        "account_id": row.account_id,
        "extension": row.extension,
        "content_type": row.content_type,
        "data_url": view.base_url + view.blobs.redirect_path(row),
        "thumb_url": view.base_url + view.blobs.thumbnail_path(row) if is_image else "",
        "file_size": row.file_size,
        "width": None,
        "height": None,
    }
    if row.file_type == "audio":
        data["transcribed_text"] = ""
    return data


def message(view: View, row: Message) -> JsonObject:
    """A message; mind ``message_type`` as number and ``created_at`` in seconds."""
    conversation_row = view.store.conversations[row.conversation_id]
    contact_inbox_row = view.store.contact_inboxes[conversation_row.contact_inbox_id]
    data: JsonObject = {
        "id": row.id,
        "content": row.content,
        "account_id": row.account_id,
        "inbox_id": row.inbox_id,
        "conversation_id": conversation_row.display_id,
        "message_type": row.message_type,
        "created_at": int(row.created_at),
        "updated_at": iso_milliseconds(row.updated_at),
        "private": row.private,
        "status": row.status,
        "source_id": row.source_id,
        "content_type": row.content_type,
        "content_attributes": row.content_attributes,
        "sender_type": row.sender_type,
        "sender_id": row.sender_id,
        "external_source_ids": {},
        "additional_attributes": row.additional_attributes,
        "processed_message_content": processed_content(row),
        "sentiment": {},
        "conversation": {
            "assignee_id": conversation_row.assignee_id,
            "unread_count": view.unread_count(conversation_row),
            "last_activity_at": int(conversation_row.last_activity_at),
            "contact_inbox": {"source_id": contact_inbox_row.source_id},
        },
    }
    if row.echo_id:
        data["echo_id"] = row.echo_id
    files = view.store.attachments_of(row)
    if files:
        data["attachments"] = [attachment(view, file) for file in files]
    sender = view.sender(row)
    if sender is not None:
        data["sender"] = person(sender)
    return data


def processed_content(row: Message) -> str | None:
    """``ensure_processed_message_content``: a mail without its quoted thread, anything else as it is."""
    text_content = as_object(as_object(row.content_attributes.get("email")).get("text_content"))
    return as_text(text_content.get("quoted")) or row.content


def contact_inbox(row: ContactInbox) -> JsonObject:
    """The customer's address in the inbox."""
    return {
        "id": row.id,
        "contact_id": row.contact_id,
        "inbox_id": row.inbox_id,
        "source_id": row.source_id,
        "created_at": iso_milliseconds(row.created_at),
        "updated_at": iso_milliseconds(row.updated_at),
        "hmac_verified": False,
        "pubsub_token": row.pubsub_token,
    }


def assignee_type(view: View, row: Conversation) -> str | None:
    """``meta.assignee_type``."""
    match view.assignee(row):
        case User():
            return "User"
        case AgentBot():
            return "AgentBot"
        case None:
            return None


def _meta(view: View, row: Conversation) -> JsonObject:
    assignee = view.assignee(row)
    return {
        "sender": contact(view.contact(row)),
        "assignee": None if assignee is None else person(assignee),
        "assignee_type": assignee_type(view, row),
        "team": None if (group := view.team(row)) is None else {"id": group.id, "name": group.name},
        "hmac_verified": False,
    }


def conversation(view: View, row: Conversation) -> JsonObject:
    """A conversation; ``id`` is the display id, ``messages`` holds the last public one or nothing."""
    last = view.last_message(row, public=True)
    data: JsonObject = {
        "additional_attributes": row.additional_attributes,
        "can_reply": view.can_reply(row),
        "channel": view.channel_class(view.inbox(row)),
        "contact_inbox": contact_inbox(view.store.contact_inboxes[row.contact_inbox_id]),
        "id": row.display_id,
        "inbox_id": row.inbox_id,
        "messages": [] if last is None else [message(view, last)],
        "labels": row.label_list,
        "meta": _meta(view, row),
        "status": row.status,
        "custom_attributes": row.custom_attributes,
        "snoozed_until": iso_milliseconds_or_none(row.snoozed_until),
        "unread_count": view.unread_count(row),
        "first_reply_created_at": iso_milliseconds_or_none(row.first_reply_created_at),
        "priority": row.priority,
        "waiting_since": int(row.waiting_since or 0),
        "agent_last_seen_at": int(row.agent_last_seen_at or 0),
        "contact_last_seen_at": int(row.contact_last_seen_at or 0),
        "last_activity_at": int(row.last_activity_at),
        "timestamp": int(row.last_activity_at),
        "created_at": int(row.created_at),
        "updated_at": round(row.updated_at, 6),
    }
    if view.profile.account_in_conversation_events:
        account = view.store.accounts[row.account_id]
        data["account"] = {"id": account.id, "name": account.name}
    return data
