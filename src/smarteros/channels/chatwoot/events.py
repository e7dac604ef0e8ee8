"""What a Chatwoot webhook says, as a typed verdict. Pure.

Facts of the payloads: ``Message#webhook_data``, ``Conversations::EventDataPresenter`` and
``Attachment#push_event_data`` of Chatwoot 4.16. ``conversation.messages[]`` is never read: it may be another
message than the event's. A body without message id is the older bare form; its id is derived from its content.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal, cast

from smarteros.channels.chatwoot.drafts import MessageDraft, channel_of, proven
from smarteros.channels.wild import Wild, instant_of, refuse
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.messages import STATUSES_OF_BOT, Attachment, AttachmentKind, Contact, IncomingMessage
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant

MuteReason = Literal["human_assigned", "conversation_open", "conversation_resolved", "conversation_snoozed"]
IgnoreReason = Literal[
    "outgoing", "own_reply", "human_reply", "whatsapp_app_echo", "private_note", "template", "activity",
    "blocked_contact", "not_a_contact", "auto_reply_mail", "deleted", "unsupported", "csat",
    "delivery_failed", "message_updated", "not_a_message_event", "unknown_event",
    "human_assigned", "conversation_open", "conversation_resolved", "conversation_snoozed",
    "answered_before",
]  # fmt: skip
TAKEOVER_REASONS: frozenset[IgnoreReason] = frozenset({"human_reply", "whatsapp_app_echo"})
_MESSAGE_TYPES = ("incoming", "outgoing", "activity", "template")  # by Chatwoot's number
_MUTE_OF_STATUS: dict[str, MuteReason] = {
    "resolved": "conversation_resolved",
    "snoozed": "conversation_snoozed",
}
_STATUS_EVENTS = frozenset({"conversation_status_changed", "conversation_opened", "conversation_resolved"})
_STATUSES_OF_PEOPLE = ("open", "snoozed")
_MOST_CHANGES = 50
_KINDS: dict[str, AttachmentKind] = {
    "image": "image", "audio": "audio", "video": "video", "file": "file", "location": "location",
    "contact": "contact",
}  # fmt: skip
MAX_TEXT = 20_000  # characters; what the agent contract takes
MAX_ATTACHMENTS = 15  # Chatwoot's own limit per message


class InboundEvent(Model):
    """The verdict. ``ignore_reason`` None means: answer ``message(tenant)``.

    ``takeover`` is set when the event shows that a person now leads the conversation, ``gives_back`` when it shows
    that the bot does again; ``happened_at`` is the channel's instant of either. ``led_by`` names a sign that neither
    status nor message tells. ``person_replied_at`` is when a person first wrote in the conversation of a message.
    ``reply_id`` is our own idempotency marker on an echoed reply: proof that Chatwoot has it;
    ``answers`` are the customer's messages it says it is for. ``edited_text`` is what a customer's message says now.
    """

    name: str
    account_id: int | None = None
    conversation_id: int | None = None
    inbox_id: int | None = None
    message_id: int | None = None
    status: str | None = None
    ignore_reason: IgnoreReason | None = None
    takeover: bool = False
    gives_back: bool = False
    happened_at: datetime | None = None
    led_by: str | None = None
    person_replied_at: datetime | None = None
    deletes_message: bool = False
    edited_text: str | None = None
    reply_id: str | None = None
    answers: tuple[int, ...] = ()
    external_error: str | None = None
    draft: MessageDraft | None = None

    def message(self, tenant: Tenant) -> IncomingMessage | None:
        """The customer's message, also when the conversation is muted; None when the event has none."""
        if self.draft is None:
            return None
        account_id = tenant.chatwoot_account_ids[0] if self.draft.account_id is None else self.draft.account_id
        own = {"channel_type", "account_id", "contact", "sender_address", "vouched_id"}
        shared = self.draft.model_dump(exclude=own)
        contact = self.draft.contact.model_copy(update={"proven": proven(self.draft, tenant)})
        channel = channel_of(self.draft, tenant)
        return IncomingMessage(
            **shared,
            contact=contact,
            account_id=account_id,
            tenant_id=tenant.tenant_id,
            channel=channel,
            after_person=self.person_replied_at is not None,
        )


def parse_event(body: object, tenant: Tenant | None = None) -> InboundEvent:
    """Read a decoded webhook body. RejectedInputError (``malformed_event``) when it is not what Chatwoot sends.

    What a status says of people depends on the tenant's inbox; without a tenant all inboxes are taken to start pending.
    """
    event = Wild.root(body)
    name = event.text("event", most=64)
    if not name:
        raise refuse("body.event", "a text")
    reader = _READERS.get(name)
    if reader is None:
        return InboundEvent(name=name, account_id=_account_id(event), ignore_reason="unknown_event")
    return reader(name, event, tenant)


def _message_created(name: str, event: Wild, tenant: Tenant | None) -> InboundEvent:
    kind = _message_type(event)
    if event.flag("private"):
        return _verdict(name, event, "private_note")
    if kind == "outgoing":
        return _verdict(name, event, _outgoing_reason(event))
    if kind == "template":
        return _verdict(name, event, "csat" if event.text("content_type") == "input_csat" else "template")
    if kind == "activity":
        return _verdict(name, event, "activity")
    return _incoming(name, event, tenant)


def _message_updated(name: str, event: Wild, tenant: Tenant | None) -> InboundEvent:
    attributes = event.child("content_attributes")
    of_customer = event.fields.get("message_type") in ("incoming", 0) and not event.flag("private")
    if attributes.flag("deleted"):
        return _verdict(name, event, "deleted").model_copy(update={"deletes_message": of_customer})
    if attributes.fields.get("external_error") is not None:
        return _verdict(name, event, "delivery_failed")
    if event.text("content_type") == "input_csat":
        return _verdict(name, event, "csat")
    titles = [value.text("title") or "" for value in attributes.children("submitted_values", most=10)]
    if event.text("content_type") == "input_select" and any(titles):
        return _form_answer(name, event, ", ".join(filter(None, titles)), tenant)
    verdict = _verdict(name, event, "message_updated")
    return verdict.model_copy(update={"edited_text": _new_text(event).strip() or None}) if of_customer else verdict


def _conversation_event(name: str, event: Wild, tenant: Tenant | None) -> InboundEvent:
    inbox_id, told = event.number("inbox_id"), name in _STATUS_EVENTS
    signs = _signs_where_open(event, told) if _starts_open(tenant, inbox_id) else _signs(event, told)
    return InboundEvent(
        name=name,
        account_id=_account_id(event),
        conversation_id=event.number("id"),
        inbox_id=inbox_id,
        status=event.text("status"),
        ignore_reason="not_a_message_event",
        **signs,
    )


def _signs(event: Wild, told: bool) -> dict[str, Any]:
    """Say who leads after a conversation's event; ``told`` when it is about a change of the status."""
    status = event.text("status")
    takeover = _human_assigned(event) or (told and status in _STATUSES_OF_PEOPLE)
    # An update tells of any field: only the events of a change of status say that it has just become this one.
    gives_back = told and (status == "resolved" or (status == "pending" and not takeover))
    happened_at = event.instant("updated_at") if takeover or gives_back else None
    return {"takeover": takeover and not gives_back, "gives_back": gives_back, "happened_at": happened_at}


def _signs_where_open(event: Wild, told: bool) -> dict[str, Any]:
    """Say so in an inbox that starts open: what counts is what has changed, not the status alone.

    An account's webhook shows the conversation as it is when it is written, later than the event: only its
    ``changed_attributes`` are of the event itself.
    """
    status, changes = event.text("status"), _changes(event)
    before, after = changes.get("status", (None, None))
    led_by = "human_assigned" if _human_assigned(event) else None
    if told and led_by is None:
        opened = (before, status) == ("pending", "open")
        led_by = "human_snoozed" if "snoozed" in (status, after) else "handed_over" if opened else None
    assignee_before, assignee = changes.get("assignee_id", (None, None))
    over = (told and (status == "pending" or "resolved" in (before, after))) or (assignee_before and not assignee)
    gives_back = (told and status == "resolved") or (led_by is None and bool(over))
    changed_at = changes.get("updated_at", (None, None))[1]
    happened_at = event.instant("updated_at") if changed_at is None else instant_of(changed_at, "body.updated_at")
    if led_by is None and not gives_back:
        return {}
    return {"takeover": not gives_back, "gives_back": gives_back, "happened_at": happened_at, "led_by": led_by}


def _other_event(name: str, event: Wild, _tenant: Tenant | None) -> InboundEvent:
    return InboundEvent(name=name, account_id=_account_id(event), ignore_reason="not_a_message_event")


_READERS: dict[str, Callable[[str, Wild, Tenant | None], InboundEvent]] = {
    "message_created": _message_created,
    "message_updated": _message_updated,
    **dict.fromkeys(
        ("conversation_created", "conversation_updated", "conversation_status_changed", "conversation_opened",
         "conversation_resolved"), _conversation_event,
    ),
    **dict.fromkeys(
        ("webwidget_triggered", "contact_created", "contact_updated", "inbox_created", "inbox_updated",
         "conversation_typing_on", "conversation_typing_off"), _other_event,
    ),
}  # fmt: skip


def _verdict(name: str, event: Wild, reason: IgnoreReason | None, draft: MessageDraft | None = None) -> InboundEvent:
    conversation = event.child("conversation")
    attributes = event.child("content_attributes")
    error = attributes.fields.get("external_error")
    return InboundEvent(
        name=name,
        account_id=_account_id(event),
        conversation_id=conversation.number("id"),
        inbox_id=_inbox_id(event),
        message_id=draft.id if draft else event.number("id"),
        status=conversation.text("status"),
        ignore_reason=reason,
        takeover=reason in TAKEOVER_REASONS,
        happened_at=event.instant("created_at") if reason in TAKEOVER_REASONS else None,
        reply_id=attributes.text("smos_reply_id", most=64),
        answers=_numbers(attributes.fields.get("smos_answers")),
        external_error=None if error is None else str(error)[:500],
        draft=draft,
    )


def _numbers(value: object) -> tuple[int, ...]:
    """What stands there is our own, and nothing depends on an event whose list somebody has spoilt."""
    listed = cast("list[object]", value) if isinstance(value, list) else []
    return tuple(number for number in listed if isinstance(number, int))


def _outgoing_reason(event: Wild) -> IgnoreReason:
    attributes, sender = event.child("content_attributes"), event.child("sender")
    kind = sender.text("type")
    if attributes.text("smos_reply_id") or kind == "agent_bot":
        return "own_reply"
    if kind == "user":
        return "human_reply"
    # The shop's owner answered in the WhatsApp app: Chatwoot only sees an echo without sender.
    if attributes.flag("external_echo") or (not sender.fields and event.text("source_id")):
        return "whatsapp_app_echo"
    return "outgoing"


def _incoming(name: str, event: Wild, tenant: Tenant | None) -> InboundEvent:
    conversation, attributes = event.child("conversation"), event.child("content_attributes")
    reason: IgnoreReason | None = None
    if attributes.flag("deleted"):
        reason = "deleted"
    elif attributes.flag("is_unsupported"):
        reason = "unsupported"
    elif event.text("content_type") == "input_csat":
        reason = "csat"
    elif event.child("sender").text("type") not in (None, "contact"):
        reason = "not_a_contact"
    elif event.child("sender").flag("blocked"):
        reason = "blocked_contact"
    elif _is_auto_reply(conversation, attributes):
        reason = "auto_reply_mail"
    if reason:
        return _verdict(name, event, reason)
    draft = _draft(event, _new_text(event), event.instant("created_at"))
    if not draft.text.strip() and not draft.attachments:
        return _verdict(name, event, "unsupported")
    return _question(name, event, draft, tenant)


def _form_answer(name: str, event: Wild, text: str, tenant: Tenant | None) -> InboundEvent:
    """A tap on our own question: its event is an update of that question, written when the tap came."""
    conversation = event.child("conversation")
    asked, touched = event.instant("created_at"), conversation.instant("updated_at")
    answered = max(asked, touched) if asked and touched else asked
    return _question(name, event, _draft(event, text, answered, of_contact=False), tenant)


def _question(name: str, event: Wild, draft: MessageDraft, tenant: Tenant | None) -> InboundEvent:
    """What the customer said, to be answered unless its conversation is a person's by the look of it."""
    conversation, starts_open = event.child("conversation"), _starts_open(tenant, draft.inbox_id)
    verdict = _verdict(name, event, _mute_reason(conversation, starts_open), draft)
    # Nothing, or 0 in Chatwoot's lists: no person has written yet.
    if not conversation.fields.get("first_reply_created_at"):
        return verdict
    return verdict.model_copy(update={"person_replied_at": conversation.instant("first_reply_created_at")})


def _draft(event: Wild, text: str, created_at: datetime | None, *, of_contact: bool = True) -> MessageDraft:
    conversation = event.child("conversation")
    conversation_id, inbox_id = conversation.number("id"), _inbox_id(event)
    if conversation_id is None or inbox_id is None or created_at is None:
        missing = "conversation.id" if conversation_id is None else "inbox" if inbox_id is None else "created_at"
        raise RejectedInputError("malformed_event", f"body.{missing} is missing")
    message_id = event.number("id")
    return MessageDraft(
        id=event.derived_id() if message_id is None else message_id,
        account_id=_account_id(event),
        conversation_id=conversation_id,
        inbox_id=inbox_id,
        channel_type=conversation.text("channel"),
        contact=_contact(event.child("sender") if of_contact else Wild({}), conversation),
        sender_address=conversation.child("contact_inbox").text("source_id"),
        vouched_id=_vouched_id(event.child("sender") if of_contact else Wild({}), conversation),
        text=text,
        attachments=_attachments(event) if of_contact else (),
        created_at=created_at,
    )


def _new_text(event: Wild) -> str:
    """What the customer wrote now: of a mail, Chatwoot names the part without the quoted thread ``quoted``."""
    mail = event.child("content_attributes").child("email").child("text_content")
    return mail.text("quoted", most=MAX_TEXT) or event.text("content", most=MAX_TEXT) or ""


def _is_auto_reply(conversation: Wild, attributes: Wild) -> bool:
    return attributes.child("email").flag("auto_reply") or (
        conversation.text("channel") == "Channel::Email"
        and conversation.child("additional_attributes").flag("auto_reply")
    )


def _mute_reason(conversation: Wild, starts_open: bool) -> MuteReason | None:
    if _human_assigned(conversation):
        return "human_assigned"
    status = conversation.text("status")
    if status is None or status in STATUSES_OF_BOT["open" if starts_open else "pending"]:
        return None
    return _MUTE_OF_STATUS.get(status, "conversation_open")


def _starts_open(tenant: Tenant | None, inbox_id: int | None) -> bool:
    return tenant is not None and tenant.starts(inbox_id) == "open"


def _changes(event: Wild) -> dict[str, tuple[object, object]]:
    """What the event says has changed: the value before and the one after, by field."""
    changes: dict[str, tuple[object, object]] = {}
    for entry in event.children("changed_attributes", most=_MOST_CHANGES):
        for name in entry.fields:
            values = entry.child(name).fields
            changes[name] = (values.get("previous_value"), values.get("current_value"))
    return changes


def _human_assigned(conversation: Wild) -> bool:
    return conversation.child("meta").text("assignee_type") == "User"


def _vouched_id(sender: Wild, conversation: Wild) -> str | None:
    if not conversation.child("contact_inbox").flag("hmac_verified"):
        return None
    return _person(sender, conversation).text("identifier")


def _person(sender: Wild, conversation: Wild) -> Wild:
    known = conversation.child("meta").child("sender")
    return known if sender.number("id") is None else sender


def _contact(sender: Wild, conversation: Wild) -> Contact:
    person = _person(sender, conversation)
    contact_id = person.number("id")
    if contact_id is None:
        raise RejectedInputError("malformed_event", "body.sender.id is missing")
    name, phone, email = person.text("name"), person.text("phone_number"), person.text("email")
    return Contact(id=contact_id, name=name or None, phone=phone or None, email=email or None)


def _attachments(event: Wild) -> tuple[Attachment, ...]:
    def tame(at: int, item: Wild) -> Attachment:
        return Attachment(
            id=at if item.number("id") is None else item.number("id") or 0,
            kind=_KINDS.get(item.text("file_type") or "", "other"),
            url=item.text("data_url", most=4000) or "",
            content_type=item.text("content_type"),
            file_size=item.number("file_size"),
        )

    return tuple(tame(at, item) for at, item in enumerate(event.children("attachments", most=MAX_ATTACHMENTS)))


def _message_type(event: Wild) -> str:
    value = event.fields.get("message_type")
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(_MESSAGE_TYPES):
        return _MESSAGE_TYPES[value]
    if isinstance(value, str) and value in _MESSAGE_TYPES:
        return value
    raise refuse("body.message_type", f"one of {', '.join(_MESSAGE_TYPES)}")


def _account_id(event: Wild) -> int | None:
    return event.child("account").number("id")


def _inbox_id(event: Wild) -> int | None:
    inbox_id = event.child("inbox").number("id")
    return event.child("conversation").number("inbox_id") if inbox_id is None else inbox_id
