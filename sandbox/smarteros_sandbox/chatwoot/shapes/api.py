"""Account API answers: the jbuilder views under Chatwoot app/views/api/v1."""

from __future__ import annotations

from smarteros_sandbox.chatwoot.clock import iso_milliseconds, iso_milliseconds_or_none
from smarteros_sandbox.chatwoot.records import (
    AgentBot,
    CannedResponse,
    Contact,
    Conversation,
    Inbox,
    JsonObject,
    Label,
    Message,
    Team,
    User,
    Webhook,
)
from smarteros_sandbox.chatwoot.shapes import push
from smarteros_sandbox.chatwoot.view import View


def contact(row: Contact) -> JsonObject:
    """_contact.json.jbuilder."""
    return {
        "additional_attributes": row.additional_attributes,
        "availability_status": "offline",
        "email": row.email,
        "id": row.id,
        "name": row.name,
        "phone_number": row.phone_number,
        "blocked": row.blocked,
        "identifier": row.identifier,
        "thumbnail": "",
        "custom_attributes": row.custom_attributes,
        "last_activity_at": int(row.last_activity_at or row.created_at),
        "created_at": int(row.created_at),
    }


def contact_with_inboxes(view: View, row: Contact) -> JsonObject:
    """A contact as the contacts endpoints show it."""
    addresses = [entry for entry in view.store.contact_inboxes if entry.contact_id == row.id]
    return contact(row) | {
        "contact_inboxes": [
            {"source_id": entry.source_id, "inbox": inbox_slim(view, view.store.inboxes[entry.inbox_id])}
            for entry in addresses
        ]
    }


def inbox_slim(view: View, row: Inbox) -> JsonObject:
    """_inbox_slim.json.jbuilder."""
    return {
        "id": row.id,
        "avatar_url": "",
        "channel_id": row.id,
        "name": row.name,
        "channel_type": view.channel_class(row),
        "provider": "whatsapp_cloud" if row.channel == "whatsapp" else None,
    }


def inbox(view: View, row: Inbox) -> JsonObject:
    """_inbox.json.jbuilder, as far as integrations read it."""
    common: JsonObject = {
        "greeting_enabled": False,
        "greeting_message": None,
        "working_hours_enabled": False,
        "enable_email_collect": True,
        "csat_survey_enabled": False,
        "enable_auto_assignment": False,
        "auto_assignment_config": {},
        "out_of_office_message": None,
        "working_hours": [],
        "timezone": "America/Santiago",
        "callback_webhook_url": None,
        "allow_messages_after_resolved": True,
        "lock_to_single_conversation": row.channel == "email",
        "sender_name_type": "friendly",
        "business_name": None,
        "hmac_mandatory": False,
    }
    data = inbox_slim(view, row) | common
    match row.channel:
        case "whatsapp":
            data["phone_number"] = row.address
            data["message_templates"] = []
        case "email":
            data["email"] = row.address
            data["forward_to_email"] = row.address
        case _:
            data["website_url"] = row.address
            data["website_token"] = row.identifier
    return data


def message(view: View, row: Message) -> JsonObject:
    """_message.json.jbuilder: the answer to a posted message, and the entries of the history."""
    conversation_row = view.store.conversations[row.conversation_id]
    data: JsonObject = {"id": row.id, "content": row.content, "inbox_id": row.inbox_id}
    if row.echo_id:
        data["echo_id"] = row.echo_id
    data |= {
        "conversation_id": conversation_row.display_id,
        "message_type": row.message_type,
        "content_type": row.content_type,
        "status": row.status,
        "content_attributes": row.content_attributes,
        "created_at": int(row.created_at),
        "private": row.private,
        "source_id": row.source_id,
    }
    sender = view.sender(row)
    if sender is not None:
        data["sender"] = push.person(sender)
    files = view.store.attachments_of(row)
    if files:
        data["attachments"] = [push.attachment(view, file) for file in files]
    return data


def messages_meta(view: View, row: Conversation) -> JsonObject:
    """``meta`` of the message list."""
    assignee = view.store.users.get(row.assignee_id)
    return {
        "labels": row.label_list,
        "additional_attributes": row.additional_attributes,
        "contact": contact(view.contact(row)),
        "assignee": None if assignee is None else agent(assignee),
        "agent_last_seen_at": iso_milliseconds_or_none(row.agent_last_seen_at),
        "assignee_last_seen_at": None,
    }


def conversation(view: View, row: Conversation) -> JsonObject:
    """_conversation.json.jbuilder: times as whole seconds, only the last message."""
    messages = view.store.messages_of(row)
    last = view.last_message(row)
    return {
        "meta": _conversation_meta(view, row),
        "id": row.display_id,
        "messages": [push.message(view, messages[-1])] if messages else [],
        "account_id": row.account_id,
        "uuid": row.uuid,
        "additional_attributes": row.additional_attributes,
        "agent_last_seen_at": int(row.agent_last_seen_at or 0),
        "assignee_last_seen_at": 0,
        "can_reply": view.can_reply(row),
        "contact_last_seen_at": int(row.contact_last_seen_at or 0),
        "custom_attributes": row.custom_attributes,
        "inbox_id": row.inbox_id,
        "labels": row.label_list,
        "muted": False,
        "snoozed_until": None if row.snoozed_until is None else int(row.snoozed_until),
        "status": row.status,
        "created_at": int(row.created_at),
        "updated_at": round(row.updated_at, 6),
        "timestamp": int(row.last_activity_at),
        "first_reply_created_at": int(row.first_reply_created_at or 0),
        "unread_count": view.unread_count(row),
        "last_non_activity_message": None if last is None else push.message(view, last),
        "last_activity_at": int(row.last_activity_at),
        "priority": row.priority,
        "waiting_since": int(row.waiting_since or 0),
        "sla_policy_id": None,
    }


def _conversation_meta(view: View, row: Conversation) -> JsonObject:
    data: JsonObject = {
        "sender": contact(view.contact(row)),
        "channel": view.channel_class(view.inbox(row)),
    }
    match view.assignee(row):
        case User() as person:
            data["assignee"] = agent(person)
        case AgentBot() as bot:
            data["assignee"] = assigned_bot(bot)
        case None:
            pass
    group = view.team(row)
    if group is not None:
        data["team"] = team(group, is_member=False)
    data["assignee_type"] = push.assignee_type(view, row)
    data["hmac_verified"] = False
    return data


def team(row: Team, *, is_member: bool) -> JsonObject:
    """_team.json.jbuilder."""
    return {**_team_itself(row), "is_member": is_member}


def assigned_team(row: Team) -> JsonObject:
    """The answer to an assignment, which no view shapes: the row as it is."""
    return {
        **_team_itself(row),
        "created_at": iso_milliseconds(row.created_at),
        "updated_at": iso_milliseconds(row.updated_at),
    }


def _team_itself(row: Team) -> JsonObject:
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "allow_auto_assign": row.allow_auto_assign,
        "account_id": row.account_id,
    }


def label(row: Label) -> JsonObject:
    """An entry of the account's labels."""
    return {
        "id": row.id,
        "title": row.title,
        "description": row.description,
        "color": row.color,
        "show_on_sidebar": row.show_on_sidebar,
    }


def agent(row: User) -> JsonObject:
    """_agent.json.jbuilder."""
    return {
        "id": row.id,
        "account_id": row.account_id,
        "availability_status": "online",
        "auto_offline": True,
        "confirmed": True,
        "email": row.email,
        "provider": "email",
        "available_name": row.name.split(" ")[0],
        "name": row.name,
        "role": row.role,
        "thumbnail": "",
        "custom_role_id": None,
    }


def profile(view: View, row: User) -> JsonObject:
    """``GET /api/v1/profile``."""
    account = view.store.accounts[row.account_id]
    return {
        "access_token": row.access_token,
        "account_id": account.id,
        "available_name": row.name.split(" ")[0],
        "avatar_url": "",
        "confirmed": True,
        "display_name": None,
        "message_signature": None,
        "email": row.email,
        "id": row.id,
        "inviter_id": None,
        "name": row.name,
        "provider": "email",
        "pubsub_token": row.pubsub_token,
        "role": row.role,
        "ui_settings": {},
        "uid": row.email,
        "type": None,
        "custom_attributes": {},
        "accounts": [
            {
                "id": account.id,
                "name": account.name,
                "status": "active",
                "active_at": None,
                "role": row.role,
                "permissions": [row.role],
                "availability": "online",
                "availability_status": "online",
                "auto_offline": True,
                "custom_role_id": None,
                "custom_role": None,
            }
        ],
    }


def agent_bot(row: AgentBot, *, with_secrets: bool) -> JsonObject:
    """_agent_bot.json.jbuilder; only administrators see the token and the secret."""
    data: JsonObject = {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "thumbnail": "",
        "outgoing_url": row.outgoing_url,
        "bot_type": row.bot_type,
        "bot_config": row.bot_config,
        "account_id": row.account_id,
        "system_bot": False,
    }
    if with_secrets:
        data |= {"access_token": row.access_token, "secret": row.secret}
    return data


def assigned_bot(row: AgentBot) -> JsonObject:
    """_agent_bot_slim.json.jbuilder."""
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "thumbnail": "",
        "outgoing_url": row.outgoing_url,
        "bot_type": row.bot_type,
        "assignee_type": "AgentBot",
    }


def webhook(view: View, row: Webhook) -> JsonObject:
    """webhooks/_webhook.json.jbuilder."""
    data: JsonObject = {
        "id": row.id,
        "name": row.name,
        "url": row.url,
        "account_id": row.account_id,
        "subscriptions": row.subscriptions,
    }
    if view.profile.signs_account_webhooks:
        data["secret"] = row.secret
    return data


def canned_response(row: CannedResponse) -> JsonObject:
    """A ready-made answer."""
    return {
        "id": row.id,
        "account_id": row.account_id,
        "short_code": row.short_code,
        "content": row.content,
        "created_at": iso_milliseconds(row.created_at),
        "updated_at": iso_milliseconds(row.updated_at),
    }
