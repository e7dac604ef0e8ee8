"""Messages: creating them, what follows from a new one, and their delivery to the channel."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from smarteros_sandbox.chatwoot import mail as mails
from smarteros_sandbox.chatwoot.blobs import Blobs, clean_content_type, file_type_of, safe_file_name
from smarteros_sandbox.chatwoot.contacts import Contacts
from smarteros_sandbox.chatwoot.conversations import Conversations
from smarteros_sandbox.chatwoot.errors import ApiError, invalid
from smarteros_sandbox.chatwoot.liquid import render
from smarteros_sandbox.chatwoot.records import (
    AgentBot,
    Attachment,
    Conversation,
    Inbox,
    JsonObject,
    Message,
    MessageType,
    User,
)
from smarteros_sandbox.chatwoot.shapes import webhook
from smarteros_sandbox.chatwoot.tokens import mail_message_id, whatsapp_message_id
from smarteros_sandbox.chatwoot.view import View
from smarteros_sandbox.chatwoot.webhooks.dispatch import Dispatcher, Event
from smarteros_sandbox.chatwoot.webhooks.jobs import Jobs, Queue

MAX_CONTENT = 150_000
MAX_ATTACHMENTS = 15
MESSAGES_PER_MINUTE = 200
ATTACHMENT_DELAY_SECONDS = 2.0
DELETED_TEXT = "This message was deleted"
LOCAL_WINDOW_ERROR = "Message not sent: the conversation is outside the 24-hour window, send a template"
META_WINDOW_ERROR = "131047: Re-engagement message, outside the 24-hour window of the customer's last message"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file somebody sends."""

    name: str
    content_type: str | None
    content: bytes


@dataclass(frozen=True, slots=True)
class MailFields:
    """What a customer's mail has besides its text; only the stand-in's public API takes it."""

    subject: str | None = None
    auto_reply: bool = False
    cc: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An outgoing message as the account API describes it."""

    content: str | None
    content_type: str = "text"
    content_attributes: JsonObject = field(default_factory=dict[str, Any])
    private: bool = False
    kind: MessageType = MessageType.OUTGOING
    source_id: str | None = None
    echo_id: str | None = None
    template_params: JsonObject | None = None
    uploads: tuple[Upload, ...] = ()


class Messages:
    """Chatwoot app/models/message.rb, app/builders/messages/message_builder.rb and the send services."""

    def __init__(
        self,
        view: View,
        dispatcher: Dispatcher,
        conversations: Conversations,
        contacts: Contacts,
        jobs: Jobs,
    ) -> None:
        self._view = view
        self._blobs: Blobs = view.blobs
        self._dispatcher = dispatcher
        self._conversations = conversations
        self._contacts = contacts
        self._jobs = jobs
        self._recent: defaultdict[int, deque[float]] = defaultdict(deque)

    def receive(
        self,
        conversation: Conversation,
        content: str | None,
        uploads: tuple[Upload, ...] = (),
        *,
        echo_id: str | None = None,
        mail: MailFields | None = None,
    ) -> Message:
        """The customer writes; the row looks as the inbox's channel makes it look."""
        inbox = self._view.inbox(conversation)
        message = self._new(conversation, MessageType.INCOMING, content or None)
        message.sender_type, message.sender_id = "Contact", conversation.contact_id
        message.echo_id = echo_id
        match inbox.channel:
            case "whatsapp":
                message.source_id = whatsapp_message_id()
            case "email":
                self._fill_mail(message, conversation, inbox, mail or MailFields(), len(uploads))
            case _:
                message.content_attributes = {"in_reply_to": None}
        self._create(conversation, message, uploads)
        return message

    def post(self, conversation: Conversation, sender: User | AgentBot, draft: Draft) -> Message:
        """A person or a bot writes, to the customer or as a private note."""
        message = self._new(conversation, draft.kind, draft.content)
        message.sender_type = "User" if isinstance(sender, User) else "AgentBot"
        message.sender_id = sender.id
        message.content_type = draft.content_type
        message.content_attributes = draft.content_attributes
        message.private = draft.private
        message.source_id = draft.source_id
        message.echo_id = draft.echo_id
        if draft.template_params is not None:
            message.additional_attributes = {"template_params": draft.template_params}
        if message.content and message.kind is MessageType.OUTGOING:
            message.content = render(message.content, self._liquid_variables(conversation, sender))
        self._create(conversation, message, draft.uploads)
        return message

    def update(self, message: Message, **changes: Any) -> None:
        """Change a message; every change fires ``message_updated``."""
        for name, value in changes.items():
            setattr(message, name, value)
        message.updated_at = self._view.clock.now(message.account_id)
        self._view.store.messages.save(message)
        self._emit("message_updated", message)

    def delete(self, message: Message) -> None:
        """Messages are never removed, only emptied."""
        self._view.store.remove_attachments(message)
        self.update(message, content=DELETED_TEXT, content_type="text", content_attributes={"deleted": True})

    def mark_read(self, conversation: Conversation) -> None:
        """The customer saw the conversation (app/jobs/conversations/update_message_status_job.rb)."""
        conversation.contact_last_seen_at = self._view.clock.now(conversation.account_id)
        self._view.store.conversations.save(conversation)
        for message in self._view.store.messages_of(conversation):
            if message.kind is MessageType.OUTGOING and not message.private and message.status in _UNREAD:
                self.update(message, status="read")

    def _new(self, conversation: Conversation, kind: MessageType, content: str | None) -> Message:
        now = self._view.clock.now(conversation.account_id)
        return Message(
            account_id=conversation.account_id,
            inbox_id=conversation.inbox_id,
            conversation_id=conversation.id,
            message_type=kind,
            content=content,
            created_at=now,
            updated_at=now,
        )

    def _fill_mail(
        self, message: Message, conversation: Conversation, inbox: Inbox, fields: MailFields, attachments: int
    ) -> None:
        contact = self._view.contact(conversation)
        subject = fields.subject or conversation.additional_attributes.get("mail_subject")
        mail = mails.Mail(
            sender=contact.email or "",
            recipient=inbox.address or "",
            subject=subject,
            text=message.content or "",
            message_id=mail_message_id((contact.email or "mail.example").rpartition("@")[2]),
            sent_at=message.created_at,
            auto_reply=fields.auto_reply,
            cc=fields.cc,
            attachments=attachments,
        )
        message.source_id = mail.message_id
        message.content_type = "incoming_email"
        message.content_attributes = mails.content_attributes(mail)
        first = not self._view.store.messages_of(conversation)
        if first:
            heading: JsonObject = {"mail_subject": subject, "auto_reply": fields.auto_reply}
            conversation.additional_attributes = conversation.additional_attributes | heading

    def _create(self, conversation: Conversation, message: Message, uploads: tuple[Upload, ...]) -> None:
        if len(message.content or "") > MAX_CONTENT:
            raise invalid(f"Content is too long (maximum is {MAX_CONTENT} characters)", "content")
        if len(uploads) > MAX_ATTACHMENTS:
            raise invalid("Attachments exceeded maximum allowed", "attachments")
        self._check_flooding(conversation)
        self._view.store.add_message(message)
        for upload in uploads:
            self._attach(message, upload)
        self._after_create(conversation, message)

    def _check_flooding(self, conversation: Conversation) -> None:
        """message.rb#prevent_message_flooding; by real time, as the account's clock may stand still."""
        recent, now = self._recent[conversation.id], time.monotonic()
        while recent and recent[0] < now - 60.0:
            recent.popleft()
        if len(recent) >= MESSAGES_PER_MINUTE:
            raise invalid("Too many messages", "base")
        recent.append(now)

    def _attach(self, message: Message, upload: Upload) -> None:
        name = safe_file_name(upload.name)
        content_type = clean_content_type(upload.content_type, name)
        extension = name.rpartition(".")[2].lower() if "." in name else None
        self._view.store.add_attachment(
            Attachment(
                account_id=message.account_id,
                message_id=message.id,
                file_type=file_type_of(content_type),
                file_name=name,
                extension=extension,
                content_type=content_type,
                file_size=len(upload.content),
                blob_key=self._blobs.store(upload.content, account_id=message.account_id),
            )
        )

    def _after_create(self, conversation: Conversation, message: Message) -> None:
        """message.rb#execute_after_create_commit_callbacks, in its order."""
        if message.kind is MessageType.INCOMING:
            self._reopen(conversation)
        conversation.last_activity_at = message.created_at
        conversation.updated_at = message.created_at
        self._view.store.conversations.save(conversation)
        self._emit("message_created", message)
        self._note_reply(conversation, message)
        if message.kind is MessageType.OUTGOING and not message.private and message.source_id is None:
            files = self._view.store.attachments_of(message)
            delay = ATTACHMENT_DELAY_SECONDS if files else 0.0
            self._jobs.enqueue(Queue.HIGH, lambda: self._deliver(conversation, message), delay=delay)
        if message.kind is MessageType.INCOMING:
            self._contacts.touch(self._view.contact(conversation), message.created_at)

    def _reopen(self, conversation: Conversation) -> None:
        if conversation.status == "snoozed":
            self._conversations.set_status(conversation, "open", None)
        elif conversation.status == "resolved":
            has_bot = self._view.inbox(conversation).agent_bot_id is not None
            self._conversations.set_status(conversation, "pending" if has_bot else "open", None)

    def _note_reply(self, conversation: Conversation, message: Message) -> None:
        """message.rb#dispatch_create_events: first reply by a person, and since when the customer waits."""
        if message.private:
            return
        by_person = message.sender_type == "User"
        match message.kind:
            case MessageType.INCOMING if conversation.waiting_since is None:
                self._conversations.update(conversation, waiting_since=message.created_at)
            case MessageType.OUTGOING if by_person and conversation.first_reply_created_at is None:
                self._conversations.update(conversation, first_reply_created_at=message.created_at, waiting_since=None)
            case MessageType.OUTGOING:
                self._conversations.update(conversation, waiting_since=None)
            case _:
                pass

    async def _deliver(self, conversation: Conversation, message: Message) -> None:
        """SendReplyJob: hand the message to the channel; one ``message_updated`` tells how it went."""
        if message.status != "sent" or message.source_id is not None:
            return
        inbox = self._view.inbox(conversation)
        is_template = "template_params" in message.additional_attributes
        if not is_template and not self._view.can_reply(conversation):
            local = self._view.profile.window_checked_locally
            error = {"external_error": LOCAL_WINDOW_ERROR if local else META_WINDOW_ERROR}
            self.update(message, status="failed", content_attributes=message.content_attributes | error)
            return
        domain = self._view.store.accounts[message.account_id].domain
        source_ids = {"whatsapp": whatsapp_message_id(), "email": mail_message_id(domain)}
        self.update(message, status="delivered", source_id=source_ids.get(inbox.channel))

    def _liquid_variables(self, conversation: Conversation, sender: User | AgentBot) -> dict[str, str]:
        """The drops of app/models/concerns/liquidable.rb."""
        contact = self._view.contact(conversation)
        first_name, _, last_name = contact.name.partition(" ")
        variables = {
            "contact.name": contact.name,
            "contact.first_name": first_name,
            "contact.last_name": last_name,
            "contact.email": contact.email or "",
            "contact.phone_number": contact.phone_number or "",
            "agent.name": sender.name,
            "agent.first_name": sender.name.partition(" ")[0],
            "agent.email": sender.email if isinstance(sender, User) else "",
            "conversation.display_id": str(conversation.display_id),
            "inbox.name": self._view.inbox(conversation).name,
            "account.name": self._view.store.accounts[conversation.account_id].name,
        }
        for prefix, attributes in (
            ("contact", contact.custom_attributes),
            ("conversation", conversation.custom_attributes),
        ):
            variables |= {f"{prefix}.custom_attribute.{key}": str(value) for key, value in attributes.items()}
        return variables

    def _emit(self, name: str, message: Message) -> None:
        conversation = self._view.store.conversations[message.conversation_id]
        self._dispatcher.emit(
            Event(
                name,
                message.account_id,
                lambda: webhook.message(self._view, message),
                conversation=conversation,
                message=message,
            )
        )


_UNREAD = frozenset({"sent", "delivered"})


def as_account_api_error(error: ApiError) -> ApiError:
    """The account API rescues a failed validation of a message itself and answers with ``error`` only."""
    if "message" not in error.body:
        return error
    return ApiError(422, {"error": f"Validation failed: {error.body['message']}"})
