"""Which event goes to whom, and when its body is built.

Chatwoot app/dispatchers: the agent bot listener is in the *sync* dispatcher, so a bot's body is built at
commit; account webhooks are built later, in a background job, from rows that may be newer than the event.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from smarteros_sandbox.chatwoot.records import AgentBot, Conversation, JsonObject, Message, MessageType
from smarteros_sandbox.chatwoot.view import View
from smarteros_sandbox.chatwoot.webhooks.delivery import Deliverer, Delivery, Target
from smarteros_sandbox.chatwoot.webhooks.jobs import Jobs, Queue
from smarteros_sandbox.faults import Faults

BuildBody = Callable[[], JsonObject]

DEFAULT_SUBSCRIPTIONS = (
    "conversation_created",
    "conversation_status_changed",
    "conversation_updated",
    "contact_created",
    "contact_updated",
    "message_created",
    "message_updated",
    "webwidget_triggered",
)
"""Chatwoot db/schema.rb: the default of ``webhooks.subscriptions``."""

ALLOWED_SUBSCRIPTIONS = frozenset(
    {
        *DEFAULT_SUBSCRIPTIONS,
        "inbox_created",
        "inbox_updated",
        "conversation_typing_on",
        "conversation_typing_off",
    }
)
BOT_EVENTS = frozenset(
    {"message_created", "message_updated", "conversation_opened", "conversation_resolved", "webwidget_triggered"}
)
BOT_EVENTS_SINCE_4_13 = frozenset({"conversation_status_changed", "conversation_updated"})
ACCOUNT_ONLY_BOT_EVENTS = frozenset({"conversation_opened", "conversation_resolved"})
REORDER_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. ``build`` makes the body from the rows as they are when it is called."""

    name: str
    account_id: int
    build: BuildBody
    conversation: Conversation | None = None
    message: Message | None = None
    extra: JsonObject = field(default_factory=dict[str, Any])
    """What follows ``event`` in the body."""


@dataclass(slots=True)
class _Disturbance:
    """What the faults do to the deliveries of one event."""

    delay: float = 0.0
    copies: int = 1
    held: asyncio.Event | None = None


class Dispatcher:
    """Turns events into deliveries for the bots and the account webhooks."""

    def __init__(self, view: View, jobs: Jobs, deliverer: Deliverer, faults: Faults) -> None:
        self._view = view
        self._jobs = jobs
        self._deliverer = deliverer
        self._faults = faults
        self._held: defaultdict[int, list[asyncio.Event]] = defaultdict(list)
        self._waiting: set[asyncio.Task[None]] = set()

    def emit(self, event: Event) -> None:
        """Send the event to everyone who is to have it. Never blocks, never raises for a bad receiver."""
        disturbance = self._disturb(event)
        if disturbance is None:
            self._deliverer.log.note_dropped(event.account_id, event.name, _message_id(event))
            return
        bots = self._bots(event)
        if bots:
            body = self._body(event)
            for target in bots:
                self._send(Queue.HIGH, self._delivery(event, target, body), disturbance)
        if event.name not in ACCOUNT_ONLY_BOT_EVENTS:
            self._jobs.enqueue(Queue.CRITICAL, lambda: self._to_account_webhooks(event, disturbance))

    async def stop(self) -> None:
        """Give up what is still held back."""
        for task in self._waiting:
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    @property
    def idle(self) -> bool:
        """Whether no delivery is held back by a fault."""
        return not self._waiting

    async def _to_account_webhooks(self, event: Event, disturbance: _Disturbance) -> None:
        targets = self._account_targets(event)
        if not targets:
            return
        body = self._body(event)
        for target in targets:
            self._send(Queue.MEDIUM, self._delivery(event, target, body), disturbance)

    def _send(self, queue: Queue, delivery: Delivery, disturbance: _Disturbance) -> None:
        copies = [delivery]
        copies += [replace(delivery, delivery_id=str(uuid4())) for _ in range(disturbance.copies - 1)]
        for copy in copies:
            if disturbance.held is None:
                self._deliverer.enqueue(queue, copy, delay=disturbance.delay)
                continue
            task = asyncio.get_running_loop().create_task(self._send_when_released(queue, copy, disturbance))
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)
        if disturbance.held is None and delivery.event == "message_created":
            self._release(delivery.target.account_id)

    async def _send_when_released(self, queue: Queue, delivery: Delivery, disturbance: _Disturbance) -> None:
        if disturbance.held is not None:
            try:
                await asyncio.wait_for(disturbance.held.wait(), timeout=disturbance.delay)
                # The later event is on a queue now; let it leave first.
                await asyncio.sleep(0.05)
            except TimeoutError:
                pass
        self._deliverer.enqueue(queue, delivery)

    def _release(self, account_id: int) -> None:
        for released in self._held.pop(account_id, ()):
            released.set()

    def _disturb(self, event: Event) -> _Disturbance | None:
        """The faults for this event; None: drop it.

        Only a customer's new message uses up a fault: "the next message gets lost" is what a test means, not
        the conversation_updated that comes with it.
        """
        disturbance = _Disturbance()
        incoming = event.message is not None and event.message.kind is MessageType.INCOMING
        if event.name != "message_created" or not incoming:
            return disturbance
        scope = str(event.account_id)
        if self._faults.take("chatwoot", "drop", scope):
            return None
        if late := self._faults.take("chatwoot", "late", scope):
            disturbance.delay = late.number(1.0)
        if self._faults.take("chatwoot", "duplicate", scope):
            disturbance.copies = 2
        if reorder := self._faults.take("chatwoot", "reorder", scope):
            disturbance.delay = reorder.number(REORDER_SECONDS)
            disturbance.held = asyncio.Event()
            self._held[event.account_id].append(disturbance.held)
        return disturbance

    def _body(self, event: Event) -> bytes:
        return self._deliverer.encode(event.build() | {"event": event.name} | event.extra)

    def _delivery(self, event: Event, target: Target, body: bytes) -> Delivery:
        return Delivery(target=target, event=event.name, body=body, message_id=_message_id(event))

    def _bots(self, event: Event) -> list[Target]:
        """The conversation's assigned bot and the inbox's active one, each once (agent_bot_listener.rb)."""
        profile = self._view.profile
        wanted = BOT_EVENTS | BOT_EVENTS_SINCE_4_13 if profile.bots_get_status_events else BOT_EVENTS
        if event.conversation is None or event.name not in wanted:
            return []
        store = self._view.store
        inbox = self._view.inbox(event.conversation)
        ids = dict.fromkeys((event.conversation.assignee_agent_bot_id, inbox.agent_bot_id))
        bots = [bot for bot_id in ids if (bot := store.agent_bots.get(bot_id)) is not None]
        return [self._bot_target(bot) for bot in bots if bot.outgoing_url]

    def _bot_target(self, bot: AgentBot) -> Target:
        signed = self._view.profile.signs_bot_webhooks
        return Target("agent_bot", bot.account_id, bot.outgoing_url, self._secret(bot.account_id, bot.secret, signed))

    def _account_targets(self, event: Event) -> list[Target]:
        signed = self._view.profile.signs_account_webhooks
        return [
            Target("account", hook.account_id, hook.url, self._secret(hook.account_id, hook.secret, signed))
            for hook in self._view.store.webhooks
            if hook.account_id == event.account_id and event.name in hook.subscriptions
        ]

    def _secret(self, account_id: int, own: str, signed: bool) -> str | None:
        if not signed:
            return None
        if self._view.profile.legacy_body_signature:
            return self._view.store.accounts[account_id].legacy_hmac_secret or own
        return own


def _message_id(event: Event) -> int | None:
    return None if event.message is None else event.message.id
