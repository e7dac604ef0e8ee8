"""Chatwoot as a Channel."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from smarteros.channels.chatwoot.client import (
    PAGE_SIZE,
    ChatwootClient,
    answer_list,
    answer_object,
    sorted_error,
)
from smarteros.channels.chatwoot.desk import put_on_desk
from smarteros.channels.media import MAX_BYTES, MediaFetcher
from smarteros.channels.wild import Wild
from smarteros.channels.wording import LIMIT_OF_CHANNEL, ready_to_post
from smarteros.domain.errors import PermanentError, RejectedInputError, TransientError
from smarteros.domain.messages import (
    Attachment,
    ConversationState,
    Desk,
    OutgoingReply,
    PostedReply,
)
from smarteros.domain.tenants import Tenant
from smarteros.kit.http import HttpClient, HttpFault
from smarteros.secrets.protocol import SecretStore

MARKER = "smos_reply_id"
# The customer's messages a reply answers.
ANSWERS = "smos_answers"
# Rails kills a request after 15 s, possibly with the message saved: whoever hangs up earlier and looks at once
# may look before it is there.
POST_TIMEOUT_SECONDS = 20.0
RETRY_AFTER_SECONDS = (0.3, 1.0)
HISTORY_PAGES = 3
UNCLEAR_REPLIES = 10_000
_STATUSES = ("open", "resolved", "pending", "snoozed")
_ACTIVITY = 2
# Chatwoot's line about a change of status, in the account's language: English, Spanish and Portuguese.
_PENDING = re.compile(r"\bpend(?:ing|iente|ente)\b", re.IGNORECASE)
_NOT_DONE = frozenset({408, 425, 429})  # answers of a server that did not start


@dataclass(frozen=True)
class ChatwootChannel:
    """Reads and writes conversations with the tenant's bot token.

    The bot token cannot list messages. With an administrator's token (``chatwoot/user_token``) the marker of an
    earlier attempt is looked for in the last pages of the conversation; without one only in its last message, so
    that a customer who writes in the same second as a time-out may hide it.
    """

    http: HttpClient
    secrets: SecretStore
    sleep: Callable[[float], None] = time.sleep
    media: MediaFetcher | None = None
    # Told of a hand-over that the conversation's status cannot show, with the channel's instant of it.
    handed_over: Callable[[Tenant, int, datetime | None], None] | None = None
    # Replies whose last attempt was unclear: a caller that merely repeats the call stays safe.
    _unclear: dict[str, None] = field(default_factory=dict[str, None], init=False, repr=False, compare=False)

    def conversation(self, tenant: Tenant, conversation_id: int, *, account_id: int | None = None) -> ConversationState:
        """Read the conversation as it is now."""
        answer = self._bot(tenant, account_id).ask("GET", f"/conversations/{conversation_id}")
        try:
            return _state(tenant, answer_object(answer), conversation_id)
        except RejectedInputError as error:
            raise TransientError("chatwoot_unreadable", f"conversation: {error.operator_message}") from error

    def given_back(self, tenant: Tenant, conversation_id: int, *, account_id: int | None = None) -> bool:
        """See Channel. Bots may not list messages: without a user's token nothing is known."""
        client = self._user(tenant, tenant.chatwoot_account_ids[0] if account_id is None else account_id)
        if client is None:
            return False
        return _given_back(answer_list(client.ask("GET", f"/conversations/{conversation_id}/messages"), "payload"))

    def download(self, tenant: Tenant, attachment: Attachment) -> bytes:
        """Fetch an attachment within bounds (see ``MediaFetcher``)."""
        if (attachment.file_size or 0) > MAX_BYTES:
            raise RejectedInputError("media_too_large", "the attachment is larger than 16 MiB")
        return (self.media or MediaFetcher(self.http, sleep=self.sleep)).fetch(tenant, attachment.url)

    def post(
        self,
        tenant: Tenant,
        reply: OutgoingReply,
        *,
        maybe_sent: bool = False,
        before_post: Callable[[], None] | None = None,
    ) -> PostedReply:
        """Put the reply into the conversation exactly once.

        The first attempt of a reply does not look (one request less for nearly every turn); after anything
        unclear the marker decides, and while it cannot be looked for nothing is posted.
        """
        client = self._bot(tenant, reply.account_id)
        maybe_sent = maybe_sent or reply.reply_id in self._unclear
        fault: HttpFault | None = None
        for pause in (*RETRY_AFTER_SECONDS, None):
            posted = self._already_posted(tenant, reply) if maybe_sent else None
            if posted is not None:
                return posted
            if before_post is not None:
                before_post()
            try:
                return self._post_once(client, tenant, reply)
            except HttpFault as error:
                fault = error
            # A 2xx that was not understood is as unclear as no answer: the message may well be there.
            if not fault.transient and fault.status != 200:
                raise sorted_error(fault) from fault
            if fault.sent and fault.status not in _NOT_DONE:
                maybe_sent = True
                self._remember_unclear(reply.reply_id)
            if pause is not None:
                self.sleep(pause)
        posted = self._already_posted(tenant, reply) if maybe_sent else None
        if posted is not None:
            return posted
        raise TransientError("chatwoot_unavailable", f"the reply could not be posted: {fault}") from fault

    def hand_over(
        self,
        tenant: Tenant,
        conversation_id: int,
        note: str,
        *,
        account_id: int | None = None,
        desk: Desk | None = None,
    ) -> None:
        """Write the private note, mark the conversation and open it for people, each only if it is not done yet.

        It is marked before it is opened: whoever is told of a new conversation sees at once whose it is, and one that
        people have moved on since is not moved back when this is done again.
        Where conversations begin open, its status tells nobody of a hand-over: whoever must know is told.
        """
        account = tenant.chatwoot_account_ids[0] if account_id is None else account_id
        marker = hashlib.sha256(f"note:{account}:{conversation_id}:{note}".encode()).hexdigest()[:26]
        message = OutgoingReply(
            reply_id=marker, conversation_id=conversation_id, account_id=account, text=note, private=True
        )
        state = self.conversation(tenant, conversation_id, account_id=account)
        user = self._user(tenant, account)
        is_open, tells = state.status == "open", state.starts == "pending"
        # Without a list of messages the open conversation itself is the sign that the note was written, if it is one.
        if not is_open or not tells or user is not None:
            self.post(tenant, message, maybe_sent=True)
        if desk is not None and (not is_open or not tells):
            put_on_desk(self._bot(tenant, account), user, conversation_id, desk)
        if not is_open:
            self.open_conversation(tenant, conversation_id, account_id=account)
        if not tells and self.handed_over is not None:
            self.handed_over(tenant, conversation_id, state.updated_at)

    def open_conversation(self, tenant: Tenant, conversation_id: int, *, account_id: int | None = None) -> None:
        """Set the status to open; with the bot's token that is Chatwoot's hand-off."""
        path = f"/conversations/{conversation_id}/toggle_status"
        self._bot(tenant, account_id).ask("POST", path, {"status": "open"})

    def _post_once(self, client: ChatwootClient, tenant: Tenant, reply: OutgoingReply) -> PostedReply:
        path = f"/conversations/{reply.conversation_id}/messages"
        answers = {ANSWERS: list(reply.answers)} if reply.answers else {}
        body = {
            "content": ready_to_post(reply.text, _limit(tenant, reply)),
            "message_type": "outgoing",
            "private": reply.private,
            "content_type": "text",
            "content_attributes": {MARKER: reply.reply_id, **answers},
        }
        answer = client.call("POST", path, body, timeout_s=POST_TIMEOUT_SECONDS)
        message_id = cast("dict[str, object]", answer).get("id") if isinstance(answer, dict) else None
        if not isinstance(message_id, int):
            raise HttpFault("POST message: no id in the answer", status=200, transient=False, sent=True)
        return PostedReply(message_id=message_id)

    def _already_posted(self, tenant: Tenant, reply: OutgoingReply) -> PostedReply | None:
        found = self._find(tenant, reply)
        return None if found is None else PostedReply(message_id=found, already_there=True)

    def _remember_unclear(self, reply_id: str) -> None:
        self._unclear[reply_id] = None
        while len(self._unclear) > UNCLEAR_REPLIES:
            self._unclear.pop(next(iter(self._unclear)), None)

    def _find(self, tenant: Tenant, reply: OutgoingReply) -> int | None:
        """The id of the message that carries the reply's marker."""
        path = f"/conversations/{reply.conversation_id}"
        client = self._user(tenant, reply.account_id)
        if client is None:
            answer = self._bot(tenant, reply.account_id).ask("GET", path)
            return _marked(answer_list(answer, "messages"), reply.reply_id)
        oldest: int | None = None
        for _ in range(HISTORY_PAGES):
            params = {"before": str(oldest)} if oldest is not None else None
            page = answer_list(client.ask("GET", f"{path}/messages", params=params), "payload")
            found = _marked(page, reply.reply_id)
            if found is not None or len(page) < PAGE_SIZE:
                return found
            oldest = min(message.number("id") or 0 for message in page)
        return None

    def _bot(self, tenant: Tenant, account_id: int | None) -> ChatwootClient:
        token = self.secrets.read(tenant.scope, "chatwoot/api_token")
        account = tenant.chatwoot_account_ids[0] if account_id is None else account_id
        if account not in tenant.chatwoot_account_ids:
            raise PermanentError("account_not_of_tenant", f"account {account} is not one of {tenant.tenant_id}'s")
        return ChatwootClient(self.http, tenant.chatwoot_url, account, token)

    def _user(self, tenant: Tenant, account_id: int) -> ChatwootClient | None:
        token = self.secrets.find(tenant.scope, "chatwoot/user_token")
        return ChatwootClient(self.http, tenant.chatwoot_url, account_id, token) if token else None


def _state(tenant: Tenant, conversation: Wild, conversation_id: int) -> ConversationState:
    status = conversation.text("status")
    if status not in _STATUSES:
        raise RejectedInputError("malformed_event", "status is unknown")
    messages = conversation.children("messages", most=PAGE_SIZE)
    incoming = [message for message in messages if message.fields.get("message_type") == 0]
    ids = [message.number("id") or 0 for message in incoming]
    return ConversationState(
        conversation_id=conversation_id,
        status=status,
        assigned_to_human=_assigned_to_human(conversation.child("meta")),
        can_reply=conversation.fields.get("can_reply") is not False,
        last_incoming_message_id=max(ids, default=None),
        starts=tenant.starts(conversation.number("inbox_id")),
        answered_by_person=_answered_by_person(messages),
        person_replied=bool(conversation.fields.get("first_reply_created_at")),
        updated_at=conversation.instant("updated_at"),
    )


def _given_back(messages: list[Wild]) -> bool:
    """Tell whether the line "marked as pending" stands behind the last message of a person."""
    for message in sorted(messages, key=lambda message: message.number("id") or 0, reverse=True):
        if message.fields.get("message_type") == _ACTIVITY and _PENDING.search(message.text("content") or ""):
            return True
        by_person = message.fields.get("message_type") == 1 and message.child("sender").text("type") == "user"
        if by_person and not message.flag("private"):
            return False
    return False


def _assigned_to_human(meta: Wild) -> bool:
    """Before 4.8.0 there is no ``assignee_type``, and only people can be assignees."""
    if "assignee_type" in meta.fields:
        return meta.text("assignee_type") == "User"
    return bool(meta.child("assignee").fields) and meta.child("assignee").text("type") in (None, "user")


def _answered_by_person(messages: tuple[Wild, ...]) -> bool:
    """Tell whether the last thing said to each other was said by a person of the shop: his webhook may be late."""
    said = [m for m in messages if m.fields.get("message_type") in (0, 1) and not m.flag("private")]
    last = max(said, key=lambda message: message.number("id") or 0, default=None)
    if last is None or last.fields.get("message_type") == 0:
        return False
    return last.child("sender").text("type") == "user"


def _marked(messages: list[Wild], marker: str) -> int | None:
    for message in messages:
        attributes = message.fields.get("content_attributes")
        if isinstance(attributes, dict) and cast("dict[str, object]", attributes).get(MARKER) == marker:
            return message.number("id")
    return None


def _limit(tenant: Tenant, reply: OutgoingReply) -> int:
    """Characters one message may have; a reply does not name its inbox, so the tenant's strictest one counts."""
    if reply.private:
        return LIMIT_OF_CHANNEL["webwidget"]
    limits = [LIMIT_OF_CHANNEL[inbox.channel] for inbox in tenant.inboxes]
    return min(limits, default=LIMIT_OF_CHANNEL["whatsapp"])
