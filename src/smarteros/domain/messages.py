"""Messages as the flow sees them, whatever channel they came through."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from smarteros.domain.model import Model

ChannelName = Literal["whatsapp", "webwidget", "email"]
ConversationStatus = Literal["open", "resolved", "pending", "snoozed"]
AttachmentKind = Literal["image", "audio", "video", "file", "location", "contact", "other"]


class Contact(Model):
    """The shop's customer. ``phone`` is E.164; either of phone and email may be unknown."""

    id: int
    name: str | None = None
    phone: str | None = None
    email: str | None = None


class Attachment(Model):
    """A file the customer sent. ``url`` may answer 404 for some seconds after the message arrives."""

    id: int
    kind: AttachmentKind
    url: str
    content_type: str | None = None
    file_size: int | None = None


class IncomingMessage(Model):
    """One customer's message. ``created_at`` is the channel's instant, aware UTC."""

    id: int
    tenant_id: str
    account_id: int
    conversation_id: int
    inbox_id: int
    channel: ChannelName
    contact: Contact
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    created_at: datetime


class ConversationState(Model):
    """What the channel says of a conversation right now; read again just before a reply is sent."""

    conversation_id: int
    status: ConversationStatus
    assigned_to_human: bool
    can_reply: bool
    last_incoming_message_id: int | None = None


class OutgoingReply(Model):
    """One reply, ready to post. ``reply_id`` is the idempotency marker (see ``ids.reply_id``)."""

    reply_id: str
    conversation_id: int
    account_id: int
    text: str
    private: bool = False


class PostedReply(Model):
    """Proof that the channel has the reply: its message id there."""

    message_id: int
    already_there: bool = False
