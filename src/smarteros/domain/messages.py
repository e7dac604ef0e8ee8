"""Messages as the flow sees them, whatever channel they came through."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import StringConstraints

from smarteros.domain.model import Model

ChannelName = Literal["whatsapp", "webwidget", "email"]
ConversationStatus = Literal["open", "resolved", "pending", "snoozed"]
# The status an inbox's conversations begin in; see ``InboxSettings.starts``.
FirstStatus = Literal["pending", "open"]
AttachmentKind = Literal["image", "audio", "video", "file", "location", "contact", "other"]


# In these the bot may speak. Where conversations begin open, being open is no sign of a person.
STATUSES_OF_BOT: dict[FirstStatus, frozenset[str]] = {
    "pending": frozenset({"pending"}),
    "open": frozenset({"pending", "open"}),
}
# A person was called where neither status nor assignee shows it.
HANDED_OVER = "handed_over"
# The customer wants no messages of the bot, or the shop wants none for him: only people write to him.
CONTACT_BLOCKED = "contact_blocked"
# Why a question is a person's: he has replied since.
HUMAN_REPLY = "human_reply"
_SEEN_IN_STATE = ("conversation_", "human_assigned")


class Contact(Model):
    """The shop's customer. ``phone`` is E.164; either of phone and email may be unknown.

    Both may be a visitor's own words about himself. ``proven`` is the phone number or e-mail address the channel
    vouches for; None when nobody does.
    """

    id: int
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    proven: str | None = None


class Attachment(Model):
    """A file the customer sent. ``url`` may answer 404 for some seconds after the message arrives."""

    id: int
    kind: AttachmentKind
    url: str
    content_type: str | None = None
    file_size: int | None = None


class IncomingMessage(Model):
    """One customer's message. ``created_at`` is the channel's instant, aware UTC.

    ``after_person`` says that a person of the shop had replied in the conversation before, now or long ago.
    """

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
    after_person: bool = False


class ConversationState(Model):
    """What the channel says of a conversation right now; read again just before a reply is sent.

    ``starts`` is the setting of its inbox. ``answered_by_person`` says that its last message is a person's,
    ``person_replied`` that any of them is; ``updated_at`` is the channel's instant of its last change.
    """

    conversation_id: int
    status: ConversationStatus
    assigned_to_human: bool
    can_reply: bool
    last_incoming_message_id: int | None = None
    starts: FirstStatus = "pending"
    answered_by_person: bool = False
    person_replied: bool = False
    updated_at: datetime | None = None

    @property
    def led_by_person(self) -> str | None:
        """The sign of a person that is to be seen right now; None when there is none.

        A hand-over, or an earlier message of a person, may leave none: see ``seen_in_state``.
        """
        if self.assigned_to_human:
            return "human_assigned"
        if self.status not in STATUSES_OF_BOT[self.starts]:
            return f"conversation_{self.status}"
        return HUMAN_REPLY if self.answered_by_person else None


def seen_in_state(mute_reason: str) -> bool:
    """Tell whether a sign of a person shows in the ConversationState for as long as it holds.

    Only such a sign may be found to be over; any other holds until the channel gives the conversation back.
    """
    return mute_reason.startswith(_SEEN_IN_STATE)


class OutgoingReply(Model):
    """One reply, ready to post. ``reply_id`` is the idempotency marker (see ``ids.reply_id``).

    ``answers`` are the customer's messages it is for: whoever reads the conversation can see what was answered by what.
    """

    reply_id: str
    conversation_id: int
    account_id: int
    text: str
    private: bool = False
    answers: tuple[int, ...] = ()


Priority = Literal["low", "medium", "high", "urgent"]
# As Chatwoot takes them: what else is in a title makes the label one that nobody can choose.
LABEL = r"^[a-z0-9_-]{1,60}$"


class Desk(Model):
    """How the shop's people find a conversation that is handed to them.

    ``labels`` are added to those the conversation has. ``team`` is the name of one of the account's teams; unset leaves
    the conversation's team, and its priority, as they are.
    """

    labels: tuple[Annotated[str, StringConstraints(pattern=LABEL)], ...] = ()
    team: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    priority: Priority | None = None


class PostedReply(Model):
    """Proof that the channel has the reply: its message id there."""

    message_id: int
    already_there: bool = False
