"""The rows of the stand-in. Plain JSON values only, so that a row is stored and loaded as it is.

Times are seconds since 1970 as float: Chatwoot shows the same instant as ISO text, as whole seconds and as
float seconds, depending on the place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

JsonObject = dict[str, Any]


class MessageType(IntEnum):
    """``Message.message_type``: a number in the API and in push data, a word at the top of a webhook."""

    INCOMING = 0
    OUTGOING = 1
    ACTIVITY = 2
    TEMPLATE = 3

    @property
    def word(self) -> str:
        """As webhooks spell it."""
        return self.name.lower()


CONTENT_TYPES = frozenset(
    {
        "text",
        "input_text",
        "input_textarea",
        "input_email",
        "input_select",
        "cards",
        "form",
        "article",
        "incoming_email",
        "input_csat",
        "integrations",
        "sticker",
        "voice_call",
    }
)
STATUSES = ("open", "resolved", "pending", "snoozed")
PRIORITIES = ("low", "medium", "high", "urgent")


def _object() -> JsonObject:
    return {}


def _texts() -> list[str]:
    return []


@dataclass
class Row:
    """What every table has. ``id`` 0 means: not stored yet."""

    id: int = 0


@dataclass
class Account(Row):
    """One shop's account. ``next_display_id`` numbers its conversations."""

    name: str = ""
    domain: str = ""
    created_at: float = 0.0
    next_display_id: int = 1
    settings: JsonObject = field(default_factory=_object)
    legacy_hmac_secret: str | None = None


@dataclass
class Inbox(Row):
    """One channel of an account. ``agent_bot_id`` is the active bot."""

    account_id: int = 0
    name: str = ""
    channel: str = "webwidget"
    identifier: str = ""
    address: str | None = None
    agent_bot_id: int | None = None


@dataclass
class User(Row):
    """A person (or the service user of an integration) who logs in to Chatwoot."""

    account_id: int = 0
    name: str = ""
    email: str = ""
    role: str = "agent"
    access_token: str = ""
    pubsub_token: str = ""


@dataclass
class AgentBot(Row):
    """A bot: it receives webhooks at ``outgoing_url`` and posts with ``access_token``."""

    account_id: int = 0
    name: str = ""
    description: str | None = None
    outgoing_url: str = ""
    bot_type: str = "webhook"
    bot_config: JsonObject = field(default_factory=_object)
    access_token: str = ""
    secret: str = ""


@dataclass
class Webhook(Row):
    """An account webhook."""

    account_id: int = 0
    url: str = ""
    name: str | None = None
    subscriptions: list[str] = field(default_factory=_texts)
    secret: str = ""


@dataclass
class Contact(Row):
    """A customer; email, phone and identifier are unique within the account."""

    account_id: int = 0
    name: str = ""
    email: str | None = None
    phone_number: str | None = None
    identifier: str | None = None
    blocked: bool = False
    additional_attributes: JsonObject = field(default_factory=_object)
    custom_attributes: JsonObject = field(default_factory=_object)
    created_at: float = 0.0
    updated_at: float = 0.0
    last_activity_at: float | None = None


@dataclass
class ContactInbox(Row):
    """A contact's address in one inbox: phone digits, mail address or visitor uuid."""

    contact_id: int = 0
    inbox_id: int = 0
    source_id: str = ""
    pubsub_token: str = ""
    created_at: float = 0.0
    updated_at: float = 0.0


@dataclass
class Conversation(Row):
    """A conversation; the API and the webhooks call its ``display_id`` "id"."""

    account_id: int = 0
    inbox_id: int = 0
    contact_id: int = 0
    contact_inbox_id: int = 0
    display_id: int = 0
    uuid: str = ""
    status: str = "open"
    assignee_id: int | None = None
    assignee_agent_bot_id: int | None = None
    team_id: int | None = None
    priority: str | None = None
    snoozed_until: float | None = None
    label_list: list[str] = field(default_factory=_texts)
    custom_attributes: JsonObject = field(default_factory=_object)
    additional_attributes: JsonObject = field(default_factory=_object)
    waiting_since: float | None = None
    first_reply_created_at: float | None = None
    agent_last_seen_at: float | None = None
    contact_last_seen_at: float | None = None
    last_activity_at: float = 0.0
    created_at: float = 0.0
    updated_at: float = 0.0


@dataclass
class Message(Row):
    """A message. ``sender_type`` is Contact, User, AgentBot or None."""

    account_id: int = 0
    inbox_id: int = 0
    conversation_id: int = 0
    message_type: int = 0
    content: str | None = None
    content_type: str = "text"
    content_attributes: JsonObject = field(default_factory=_object)
    additional_attributes: JsonObject = field(default_factory=_object)
    private: bool = False
    status: str = "sent"
    source_id: str | None = None
    sender_type: str | None = None
    sender_id: int | None = None
    echo_id: str | None = None
    created_at: float = 0.0
    updated_at: float = 0.0

    @property
    def kind(self) -> MessageType:
        """The message type as an enumeration."""
        return MessageType(self.message_type)


@dataclass
class Attachment(Row):
    """A file of a message; its bytes lie in the blob folder under ``blob_key``."""

    account_id: int = 0
    message_id: int = 0
    file_type: str = "file"
    file_name: str = ""
    extension: str | None = None
    content_type: str = "application/octet-stream"
    file_size: int = 0
    blob_key: str = ""


@dataclass
class Team(Row):
    """A group of people; its name is in small letters and unique within the account."""

    account_id: int = 0
    name: str = ""
    description: str | None = None
    allow_auto_assign: bool = True
    created_at: float = 0.0
    updated_at: float = 0.0


@dataclass
class Label(Row):
    """A label people may choose; its title is in small letters and unique within the account."""

    account_id: int = 0
    title: str = ""
    description: str | None = None
    color: str = "#1f93ff"
    show_on_sidebar: bool = True


@dataclass
class CannedResponse(Row):
    """A ready-made answer of the shop's people."""

    account_id: int = 0
    short_code: str = ""
    content: str = ""
    created_at: float = 0.0
    updated_at: float = 0.0


ARTICLE_STATUSES = ("draft", "published", "archived")


@dataclass
class Portal(Row):
    """A help centre; its slug is unique on the whole installation."""

    account_id: int = 0
    name: str = ""
    slug: str = ""
    color: str = "#1f93ff"
    page_title: str | None = None
    header_text: str | None = None
    homepage_link: str | None = None
    custom_domain: str | None = None
    archived: bool = False
    locales: list[str] = field(default_factory=_texts)
    created_at: float = 0.0


@dataclass
class Category(Row):
    """A heading of a help centre, in one language."""

    account_id: int = 0
    portal_id: int = 0
    name: str = ""
    slug: str = ""
    locale: str = "en"
    description: str | None = None
    icon: str = ""
    position: int | None = None


@dataclass
class Article(Row):
    """A text of a help centre, in Markdown."""

    account_id: int = 0
    portal_id: int = 0
    category_id: int | None = None
    author_id: int = 0
    title: str = ""
    slug: str = ""
    content: str | None = None
    description: str | None = None
    status: str = "draft"
    locale: str = "en"
    position: int | None = None
    meta: JsonObject = field(default_factory=_object)
    views: int | None = None
    created_at: float = 0.0
    updated_at: float = 0.0
