"""Refusals in the audit: every one counts, and a flood of them writes no more than a row a minute and reason."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smarteros.domain.audit import SECURITY_TOPIC, AuditEvent
from smarteros.kit.clock import Clock
from smarteros.kit.recurring import Recurring
from smarteros.store.audit import append_event
from smarteros.store.database import Database

EVERY_S = 60.0
# So many refusals of a door and reason are written down one by one in a minute, where there is more to tell of each.
SINGLY = 20
# The doors that programs knock at, by the beginning of the path; the longer one first.
DOORS = (
    ("/api/v1/workspaces", "agent"),
    ("/api/v1", "operator"),
    ("/api/tools", "tools"),
    ("/mcp", "mcp"),
)
_STATUSES = frozenset({401, 403})
# An error of ours is a sentence and a word; what is longer is none.
_LONGEST_BODY = 4096


class Refusal(NamedTuple):
    """A kind of refusal: where, the error's code (a word of ours), and the HTTP status."""

    door: str
    code: str
    status: int


class Refusals:
    """Counts refusals and writes them down under no tenant: who is refused has not proven who he is.

    Thread-safe. A process that is killed takes the counts of its last minute along.
    """

    def __init__(self, database: Database, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._monotonic = monotonic
        self._counted: Counter[Refusal] = Counter()
        self._singly: Counter[Refusal] = Counter()
        self._since = self._monotonic()
        self._lock = threading.Lock()
        self._rounds = Recurring("refusals", self.write, every_s=EVERY_S, first_after_s=EVERY_S, last_at_stop=True)

    def start(self) -> None:
        """Write every minute from now on."""
        self._rounds.start()

    def stop(self) -> None:
        """Write what was counted last, and end."""
        self._rounds.stop()

    def count(self, refusal: Refusal) -> None:
        """Count a refusal; never waits."""
        with self._lock:
            self._counted[refusal] += 1

    def may_be_told_singly(self, refusal: Refusal) -> bool:
        """Tell whether the caller is to write this one down himself; otherwise it has been counted."""
        with self._lock:
            if self._monotonic() - self._since >= EVERY_S:
                self._singly.clear()
                self._since = self._monotonic()
            self._singly[refusal] += 1
            if self._singly[refusal] <= SINGLY:
                return True
            self._counted[refusal] += 1
            return False

    def write(self) -> None:
        """Write down what was counted since the last time; what cannot be written is kept for the next time."""
        with self._lock:
            counted, self._counted = self._counted, Counter()
        if not counted:
            return
        try:
            with self._database.unclaimed() as connection:
                for refusal, times in sorted(counted.items()):
                    append_event(connection, self._event(refusal, times))
        except BaseException:
            with self._lock:
                self._counted.update(counted)
            raise

    def _event(self, refusal: Refusal, times: int) -> AuditEvent:
        return AuditEvent(
            event_id=f"refused:{uuid.uuid4().hex}",
            topic=SECURITY_TOPIC,
            kind="requests_refused",
            tenant_id=None,
            timestamp=self._clock.now(),
            details={"door": refusal.door, "code": refusal.code, "http_status": refusal.status, "times": times},
        )


class RefusalsCounted:
    """The application with its doors for programs watched: an answer of 401 or 403 there is a refusal."""

    def __init__(self, app: ASGIApp, refusals: Refusals) -> None:
        self._app = app
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        door = _door(scope["path"]) if scope["type"] == "http" else None
        if door is None:
            await self._app(scope, receive, send)
            return
        status, body = 0, b""

        async def watched(message: Message) -> None:
            nonlocal status, body
            if message["type"] == "http.response.start":
                status = message["status"]
            elif status in _STATUSES:
                body += message.get("body", b"")[:_LONGEST_BODY]
                if not message.get("more_body", False):
                    self._refusals.count(Refusal(door, _code(body) or f"http_{status}", status))
            await send(message)

        await self._app(scope, receive, watched)


def _door(path: str) -> str | None:
    return next((door for start, door in DOORS if path == start or path.startswith(f"{start}/")), None)


def _code(body: bytes) -> str | None:
    """The word of an error of ours; other answers have none."""
    try:
        answer: Any = json.loads(body) if len(body) <= _LONGEST_BODY else None
    except (ValueError, RecursionError):
        return None
    code = cast("dict[str, Any]", answer).get("code") if isinstance(answer, dict) else None
    return code if isinstance(code, str) and code.isidentifier() and len(code) < 40 else None
