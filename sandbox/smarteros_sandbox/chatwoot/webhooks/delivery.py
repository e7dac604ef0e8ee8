"""One webhook on its way: signing, the HTTP request, the retries and the log of what became of it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Literal
from uuid import uuid4

from smarteros_sandbox.chatwoot.profiles import Profile
from smarteros_sandbox.chatwoot.records import JsonObject
from smarteros_sandbox.chatwoot.webhooks import signing
from smarteros_sandbox.chatwoot.webhooks.jobs import Jobs, Queue
from smarteros_sandbox.chatwoot.webhooks.poster import post

TIMEOUT_SECONDS = 5.0
BOT_ATTEMPTS = 3
BOT_RETRY_SECONDS = 3.0
BOT_RETRIED_STATUSES = frozenset({429, 500})
LOG_LENGTH = 500
MAX_ERROR = 200

DeliveryKind = Literal["agent_bot", "account"]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a webhook goes. ``secret`` None: sent unsigned."""

    kind: DeliveryKind
    account_id: int
    url: str
    secret: str | None


@dataclass(slots=True)
class Delivery:
    """A webhook to one target. Retries keep ``delivery_id`` and take a new timestamp."""

    target: Target
    event: str
    body: bytes
    message_id: int | None = None
    delivery_id: str = field(default_factory=lambda: str(uuid4()))
    attempts: int = 0


@dataclass(slots=True)
class LogEntry:
    """What became of a delivery. ``status`` 0: no answer yet, or none at all (then ``error`` says why)."""

    delivery_id: str
    account_id: int
    kind: str
    event: str
    url: str
    message_id: int | None
    status: int = 0
    attempts: int = 0
    error: str | None = None
    done: bool = False
    at: float = 0.0


class DeliveryLog:
    """The last deliveries, newest last."""

    def __init__(self) -> None:
        self._entries: deque[LogEntry] = deque(maxlen=LOG_LENGTH)

    def open(self, delivery: Delivery) -> LogEntry:
        """Start the entry of a delivery."""
        entry = LogEntry(
            delivery_id=delivery.delivery_id,
            account_id=delivery.target.account_id,
            kind=delivery.target.kind,
            event=delivery.event,
            url=delivery.target.url,
            message_id=delivery.message_id,
            at=time.time(),
        )
        self._entries.append(entry)
        return entry

    def note_dropped(self, account_id: int, event: str, message_id: int | None) -> None:
        """An event whose webhooks a fault swallowed."""
        entry = LogEntry(
            delivery_id="",
            account_id=account_id,
            kind="",
            event=event,
            url="",
            message_id=message_id,
            error="dropped by fault",
            done=True,
            at=time.time(),
        )
        self._entries.append(entry)

    def entries(self, account_id: int | None = None) -> list[JsonObject]:
        """The entries as JSON, of one account or of all."""
        return [asdict(entry) for entry in self._entries if account_id in (None, entry.account_id)]


class Deliverer:
    """Posts webhooks. Chatwoot lib/webhooks/trigger.rb and app/jobs/agent_bots/webhook_job.rb."""

    def __init__(
        self,
        jobs: Jobs,
        profile: Profile,
        on_bot_failure: Callable[[Delivery], None],
        *,
        bot_retry_seconds: float = BOT_RETRY_SECONDS,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self.log = DeliveryLog()
        self._jobs = jobs
        self._profile = profile
        self._on_bot_failure = on_bot_failure
        self._bot_retry_seconds = bot_retry_seconds
        self._timeout_seconds = timeout_seconds

    def encode(self, payload: JsonObject) -> bytes:
        """The body's bytes for this profile."""
        legacy = self._profile.legacy_body_signature
        return signing.plain_json(payload) if legacy else signing.rails_json(payload)

    def enqueue(self, queue: Queue, delivery: Delivery, *, delay: float = 0.0) -> None:
        """Put a delivery on a queue."""
        entry = self.log.open(delivery)
        self._jobs.enqueue(queue, lambda: self._attempt(queue, delivery, entry), delay=delay)

    async def _attempt(self, queue: Queue, delivery: Delivery, entry: LogEntry) -> None:
        delivery.attempts += 1
        entry.attempts = delivery.attempts
        entry.status, entry.error = await self._post(delivery)
        if 200 <= entry.status < 300:
            entry.done = True
            return
        is_bot = delivery.target.kind == "agent_bot"
        retried = is_bot and self._profile.retries_bot_webhooks and entry.status in BOT_RETRIED_STATUSES
        if retried and delivery.attempts < BOT_ATTEMPTS:
            again = self._bot_retry_seconds
            self._jobs.enqueue(queue, lambda: self._attempt(queue, delivery, entry), delay=again)
            return
        entry.done = True
        if is_bot:
            self._on_bot_failure(delivery)

    async def _post(self, delivery: Delivery) -> tuple[int, str | None]:
        headers = self._headers(delivery)
        try:
            status = await post(delivery.target.url, headers, delivery.body, self._timeout_seconds)
        except (OSError, ValueError) as problem:
            return 0, f"{type(problem).__name__}: {problem}"[:MAX_ERROR]
        return status, None if 200 <= status < 300 else f"HTTP {status}"

    def _headers(self, delivery: Delivery) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "X-Chatwoot-Delivery": delivery.delivery_id,
        }
        secret = delivery.target.secret
        if secret is None:
            return headers
        if self._profile.legacy_body_signature:
            headers["X-Chatwoot-Signature"] = signing.legacy_signature(secret, delivery.body)
            return headers
        # The time of sending, not of the event: a retry is signed anew.
        timestamp = str(int(time.time()))
        headers["X-Chatwoot-Timestamp"] = timestamp
        headers["X-Chatwoot-Signature"] = signing.signature(secret, timestamp, delivery.body)
        return headers
