"""Webhook bodies: ``#webhook_data`` of each model, with ``event`` last."""

from __future__ import annotations

from smarteros_sandbox.chatwoot.clock import iso_milliseconds
from smarteros_sandbox.chatwoot.records import (
    AgentBot,
    Contact,
    Conversation,
    Inbox,
    JsonObject,
    Message,
    User,
)
from smarteros_sandbox.chatwoot.shapes import push
from smarteros_sandbox.chatwoot.view import View


def account(view: View, account_id: int) -> JsonObject:
    """The account."""
    row = view.store.accounts[account_id]
    return {"id": row.id, "name": row.name}


def inbox(row: Inbox) -> JsonObject:
    """The inbox, without its channel."""
    return {"id": row.id, "name": row.name}


def contact(view: View, row: Contact) -> JsonObject:
    """The customer; unlike push data it has no ``type``."""
    return {
        "account": account(view, row.account_id),
        "additional_attributes": row.additional_attributes,
        "avatar": "",
        "custom_attributes": row.custom_attributes,
        "email": row.email,
        "id": row.id,
        "identifier": row.identifier,
        "name": row.name,
        "phone_number": row.phone_number,
        "thumbnail": "",
        "blocked": row.blocked,
    }


def sender(view: View, row: Contact | User | AgentBot | None) -> JsonObject | None:
    """Who wrote the message."""
    match row:
        case Contact():
            return contact(view, row)
        case User():
            return {"id": row.id, "name": row.name, "email": row.email, "type": "user"}
        case AgentBot():
            return {"id": row.id, "name": row.name, "type": "agent_bot"}
        case None:
            return None


def message(view: View, row: Message) -> JsonObject:
    """``message_created`` and ``message_updated``: ``message_type`` as word, ISO time, no status."""
    conversation_row = view.store.conversations[row.conversation_id]
    data: JsonObject = {
        "account": account(view, row.account_id),
        "additional_attributes": row.additional_attributes,
        "content_attributes": row.content_attributes,
        "content_type": row.content_type,
        "content": row.content,
        "conversation": push.conversation(view, conversation_row),
        "created_at": iso_milliseconds(row.created_at),
        "id": row.id,
        "inbox": inbox(view.inbox(conversation_row)),
        "message_type": row.kind.word,
        "private": row.private,
        "sender": sender(view, view.sender(row)),
        "source_id": row.source_id,
    }
    files = view.store.attachments_of(row)
    if files:
        data["attachments"] = [push.attachment(view, file) for file in files]
    return data


def conversation(view: View, row: Conversation) -> JsonObject:
    """Conversation events put the conversation itself at the top."""
    return push.conversation(view, row)


def typing(view: View, row: Conversation, who: Contact | User | AgentBot, *, private: bool) -> JsonObject:
    """``conversation_typing_on`` and ``_off``."""
    return {
        "user": sender(view, who),
        "conversation": push.conversation(view, row),
        "is_private": private,
    }
