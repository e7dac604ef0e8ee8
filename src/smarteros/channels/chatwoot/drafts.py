"""A customer's message before its tenant is known, by which channel it came, and what that says of its sender. Pure."""

from __future__ import annotations

import re
from datetime import datetime

from smarteros.domain.messages import Attachment, ChannelName, Contact
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant

CHANNEL_OF_TYPE: dict[str, ChannelName] = {
    "Channel::Whatsapp": "whatsapp",
    "Channel::TwilioSms": "whatsapp",
    "Channel::WebWidget": "webwidget",
    "Channel::Api": "webwidget",
    "Channel::Email": "email",
}
# An API inbox may be a bridge to anything and Twilio may be SMS: there the operator's setting comes first.
_AMBIGUOUS_TYPES = frozenset({"Channel::Api", "Channel::TwilioSms"})
# Where no address of the sender's is told: a bridge's inbox, and the older bare body.
_SET_BY_OPERATOR = frozenset({"Channel::Api", None})
_PHONE_ADDRESS = re.compile(r"(?:whatsapp:)?\+?(\d{7,15})")


class MessageDraft(Model):
    """A customer's message before its tenant is known.

    ``sender_address`` is the customer's address in the inbox (``contact_inbox.source_id``), ``vouched_id`` the
    identifier a web chat's identity validation has confirmed.
    """

    id: int
    account_id: int | None
    conversation_id: int
    inbox_id: int
    channel_type: str | None
    contact: Contact
    sender_address: str | None = None
    vouched_id: str | None = None
    text: str
    attachments: tuple[Attachment, ...]
    created_at: datetime


def channel_of(draft: MessageDraft, tenant: Tenant) -> ChannelName:
    """The channel by Chatwoot's type, by the operator's inbox setting, or else by how the contact is reached."""
    known = _known_channel(draft, tenant)
    if known:
        return known
    if draft.contact.phone:
        return "whatsapp"
    return "email" if draft.contact.email else "webwidget"


def _known_channel(draft: MessageDraft, tenant: Tenant) -> ChannelName | None:
    configured: ChannelName | None = next((i.channel for i in tenant.inboxes if i.inbox_id == draft.inbox_id), None)
    known = CHANNEL_OF_TYPE.get(draft.channel_type or "")
    if configured and (known is None or draft.channel_type in _AMBIGUOUS_TYPES):
        return configured
    return known


def proven(draft: MessageDraft, tenant: Tenant) -> str | None:
    """The phone or e-mail the channel vouches for; nothing where the channel itself is only supposed.

    A contact's own fields are no proof: a web chat lets its visitor write them, and Chatwoot joins contacts by them. A
    WhatsApp sender is the address of his messages; what is written to an e-mail address reaches its owner only; of a
    web chat with identity validation the identifier is confirmed and nothing that was sent along with it.
    """
    match _known_channel(draft, tenant):
        case "whatsapp":
            number = _PHONE_ADDRESS.fullmatch(draft.sender_address or "")
            if number is not None:
                return f"+{number[1]}"
            # A bridge has addresses of its own and sets the contact's phone with the operator's access token.
            return draft.contact.phone if draft.channel_type in _SET_BY_OPERATOR else None
        case "email":
            return draft.contact.email
        case _:
            return draft.vouched_id
