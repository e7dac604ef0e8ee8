"""Chatwoot asked instead of listening: the conversations that changed, and their messages as if by webhook. Pure reads.

Only an administrator's token (``chatwoot/user_token``) may list. A listed message has the *push* shape
(``app/views/api/v1/models/_message.json.jbuilder``); put together with its conversation it is everything a webhook's
body would have said, so that the same reader judges both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from smarteros.channels.chatwoot.client import PAGE_SIZE, ChatwootClient, answer_list, answer_object
from smarteros.channels.chatwoot.events import InboundEvent, parse_event
from smarteros.channels.wild import Wild
from smarteros.domain.errors import RejectedInputError, TransientError
from smarteros.domain.examples import PeopleSaid
from smarteros.domain.tenants import Tenant
from smarteros.kit.http import HttpClient
from smarteros.secrets.protocol import SecretStore

PAGE_AFTER = 100  # messages per page of ``?after=``, fixed by Chatwoot
_MOST_PAGES = 20
_MOST_OF_A_NOTE = 2_000  # characters of a private note or reply that are read


@dataclass(frozen=True)
class ListedConversation:
    """A conversation of the list. ``body`` is the ``conversation`` part of a webhook."""

    account_id: int
    conversation_id: int
    last_message_id: int
    updated_at: datetime | None
    assigned_to_human: bool
    body: dict[str, object]


@dataclass(frozen=True)
class ListedMessage:
    """One message of a conversation's history. ``event`` is None when its content cannot be read."""

    message_id: int
    created_at: datetime | None
    event: InboundEvent | None


@dataclass(frozen=True)
class ChatwootHistory:
    """Reads what happened in a tenant's Chatwoot. Raises what ``ChatwootClient.ask`` raises."""

    http: HttpClient
    secrets: SecretStore

    def allowed(self, tenant: Tenant) -> bool:
        """Tell whether the tenant has given us a token that may list."""
        return self.secrets.find(tenant.scope, "chatwoot/user_token") is not None

    def of_bot(self, tenant: Tenant, account_id: int, *, updated_within_s: int) -> tuple[ListedConversation, ...]:
        """List the conversations the bot may lead that changed in the last seconds; Chatwoot does not page this list.

        They are the pending ones, and of inboxes that start open also the open ones nobody is assigned to.
        """
        found = {each.conversation_id: each for each in self._list(tenant, account_id, updated_within_s)}
        for inbox in tenant.inboxes:
            if inbox.starts == "open":
                opened = self._list(tenant, account_id, updated_within_s, status="open", inbox_id=str(inbox.inbox_id))
                found |= {each.conversation_id: each for each in opened if not each.assigned_to_human}
        return tuple(found.values())

    def _list(
        self, tenant: Tenant, account_id: int, within_s: int, *, status: str = "pending", **only: str
    ) -> tuple[ListedConversation, ...]:
        params = {"status": status, "assignee_type": "all", "updated_within": str(within_s), **only}
        answer = self._client(tenant, account_id).ask("GET", "/conversations", params=params)
        try:
            listed = answer_list(answer_object(answer).child("data").fields, "payload")
        except RejectedInputError as error:
            raise TransientError("chatwoot_unreadable", f"conversations: {error.operator_message}") from error
        found = (_listed(account_id, conversation) for conversation in listed)
        return tuple(each for each in found if each is not None)

    def messages_after(self, tenant: Tenant, of: ListedConversation, after: int) -> Iterator[tuple[ListedMessage, ...]]:
        """Yield the messages behind one, oldest first, page by page."""
        client, path = self._client(tenant, of.account_id), f"/conversations/{of.conversation_id}/messages"
        for _ in range(_MOST_PAGES):
            page = _messages(tenant, client.ask("GET", path, params={"after": str(after)}), of)
            yield page
            if len(page) < PAGE_AFTER:
                return
            after = max(message.message_id for message in page)

    def newest_messages(
        self, tenant: Tenant, of: ListedConversation, since: datetime
    ) -> Iterator[tuple[ListedMessage, ...]]:
        """Yield a conversation's messages from the newest page back to an instant; each page is oldest first."""
        client, path = self._client(tenant, of.account_id), f"/conversations/{of.conversation_id}/messages"
        before: int | None = None
        for _ in range(_MOST_PAGES):
            params = None if before is None else {"before": str(before)}
            page = _messages(tenant, client.ask("GET", path, params=params), of)
            yield page
            oldest = page[0].created_at if page else None
            if len(page) < PAGE_SIZE or (oldest is not None and oldest < since):
                return
            before = min(message.message_id for message in page)

    def of_people(self, tenant: Tenant, account_id: int, conversation_id: int) -> PeopleSaid:
        """Return what people of the shop left in a conversation, as far as its newest messages show it."""
        client, path = self._client(tenant, account_id), f"/conversations/{conversation_id}"
        conversation = answer_object(client.ask("GET", path))
        labels = conversation.fields.get("labels")
        said = [
            (message.flag("private"), message.text("content", most=_MOST_OF_A_NOTE) or "")
            for message in answer_list(client.ask("GET", f"{path}/messages"), "payload")
            if message.child("sender").text("type") == "user"
        ]
        return PeopleSaid(
            status=conversation.text("status"),
            labels=tuple(str(label) for label in cast(list[object], labels)) if isinstance(labels, list) else (),
            notes=tuple(text for private, text in said if private and text),
            replies=tuple(text for private, text in said if not private and text),
        )

    def _client(self, tenant: Tenant, account_id: int) -> ChatwootClient:
        token = self.secrets.read(tenant.scope, "chatwoot/user_token")
        return ChatwootClient(self.http, tenant.chatwoot_url, account_id, token)


def is_activity(message: ListedMessage) -> bool:
    """Tell whether a message is one of Chatwoot's own remarks, of which no webhook is ever sent."""
    return message.event is not None and message.event.ignore_reason == "activity"


def _listed(account_id: int, conversation: Wild) -> ListedConversation | None:
    """Read one entry; None for one that says too little to be looked at."""
    try:
        conversation_id = conversation.number("id")
        last = conversation.child("last_non_activity_message").number("id")
        if conversation_id is None or last is None:
            return None
        meta = conversation.child("meta")
        body = {**conversation.fields, "channel": meta.text("channel")}
        changed, assigned = conversation.instant("updated_at"), meta.text("assignee_type") == "User"
        return ListedConversation(account_id, conversation_id, last, changed, assigned, body)
    except RejectedInputError:
        return None


def _messages(tenant: Tenant, answer: object, of: ListedConversation) -> tuple[ListedMessage, ...]:
    read = [_message(tenant, message, of) for message in answer_list(answer, "payload")]
    return tuple(sorted((each for each in read if each is not None), key=lambda each: each.message_id))


def _message(tenant: Tenant, message: Wild, of: ListedConversation) -> ListedMessage | None:
    try:
        message_id = message.number("id")
        created_at = message.instant("created_at")
    except RejectedInputError:
        return None
    if message_id is None:
        return None
    try:
        event = parse_event(_as_webhook(message, of), tenant)
    except RejectedInputError:
        event = None
    return ListedMessage(message_id, created_at, event)


def _as_webhook(message: Wild, of: ListedConversation) -> dict[str, object]:
    """Write the body the message's webhook would have had."""
    return {
        **message.fields,
        "event": "message_created",
        "account": {"id": of.account_id},
        "inbox": {"id": of.body.get("inbox_id")},
        "conversation": of.body,
    }
