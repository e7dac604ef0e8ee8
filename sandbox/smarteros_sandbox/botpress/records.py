"""What the cloud remembers: users, conversations and messages of one bot, and who listens."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from smarteros_sandbox.botpress.bots import SandboxBot

Json = dict[str, Any]
_FOREIGN_ID = re.compile(r"[a-zA-Z0-9_\-\\/]{1,70}")
_MOST_KEPT = 1_000


class ApiError(Exception):
    """An error as the Chat API words it."""

    def __init__(self, code: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.body: Json = {"id": f"err_{secrets.token_hex(8)}", "code": code, "type": kind, "message": message}


@dataclass
class Talk:
    """One conversation: who owns it, what was said, and the queues of those who listen."""

    owner: str
    begun: Json
    messages: list[Json] = field(default_factory=list[Json])
    listeners: list[asyncio.Queue[Json]] = field(default_factory=list[asyncio.Queue[Json]])

    @contextmanager
    def heard(self) -> Generator[asyncio.Queue[Json]]:
        """Hear what is said as long as the block lasts."""
        queue: asyncio.Queue[Json] = asyncio.Queue()
        self.listeners.append(queue)
        try:
            yield queue
        finally:
            self.listeners.remove(queue)


@dataclass
class Records:
    """Everything of one bot; old conversations go when there are too many."""

    bot: SandboxBot
    users: dict[str, Json] = field(default_factory=dict[str, Json])
    talks: dict[str, Talk] = field(default_factory=dict[str, Talk])
    _own_key: str = field(default_factory=lambda: secrets.token_hex(32))
    _last: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def bot_user(self) -> str:
        """Who the bot is among the users."""
        return f"user_{self.bot.bot_id}"

    def user_of(self, key: str | None, *, may_be_new: bool = False) -> str:
        """Whose key it is. ApiError when it is nobody's."""
        import jwt  # only needed here, and with what it imports a good part of the process's memory

        try:
            claims = jwt.decode(key or "", self.bot.key or self._own_key, algorithms=["HS256"])
            user = str(claims["id"])
        except (jwt.InvalidTokenError, KeyError):
            raise ApiError(401, "Unauthorized", "Invalid user key") from None
        if user not in self.users and not may_be_new:
            raise ApiError(404, "ResourceNotFound", f"User {user} not found")
        return user

    def new_user(self, foreign_id: str | None) -> tuple[Json, str]:
        """Make a user and its key; a bot with a key of its own makes none."""
        import jwt

        if self.bot.key is not None:
            raise ApiError(
                401,
                "Unauthorized",
                'The "createUser" operation can only be called when using the shared encryption key.',
            )
        if foreign_id in self.users:
            raise ApiError(409, "AlreadyExists", f"User {foreign_id} already exists")
        user = self.add_user(foreign_id or f"user_{secrets.token_hex(13)}")
        return user, jwt.encode({"id": user["id"]}, self._own_key, algorithm="HS256")

    def add_user(self, user_id: str) -> Json:
        """The user of an id, made if there is none."""
        self._checked(user_id)
        if user_id not in self.users:
            _make_room(self.users)
            now = self._now()
            self.users[user_id] = {"id": user_id, "createdAt": now, "updatedAt": now}
        return self.users[user_id]

    def begin(self, owner: str, foreign_id: str | None) -> Json:
        """Begin a conversation."""
        if foreign_id in self.talks:
            raise ApiError(409, "AlreadyExists", f"Conversation {foreign_id} already exists")
        conversation_id = self._checked(foreign_id or f"conv_{secrets.token_hex(13)}")
        _make_room(self.talks)
        now = self._now()
        self.talks[conversation_id] = Talk(owner, {"id": conversation_id, "createdAt": now, "updatedAt": now})
        return self.talks[conversation_id].begun

    def talk(self, conversation_id: str, user: str) -> Talk:
        """A conversation that the user takes part in."""
        talk = self.talks.get(conversation_id)
        if talk is None:
            raise ApiError(404, "ResourceNotFound", f"Conversation {conversation_id} not found")
        if talk.owner != user:
            raise ApiError(403, "Forbidden", "You are not a participant in this conversation")
        return talk

    def say(self, conversation_id: str, user: str, payload: Json, metadata: Json | None) -> Json:
        """Add a message and tell who listens."""
        talk = self.talks[conversation_id]
        message: Json = {
            "id": f"msg_{secrets.token_hex(13)}",
            "createdAt": self._now(),
            "payload": payload,
            "userId": user,
            "conversationId": conversation_id,
        }
        if metadata is not None:
            message["metadata"] = metadata
        talk.messages.append(message)
        for listener in talk.listeners:
            listener.put_nowait({"type": "message_created", "data": {**message, "isBot": user == self.bot_user}})
        return message

    def _checked(self, foreign_id: str) -> str:
        if _FOREIGN_ID.fullmatch(foreign_id) is None:
            raise ApiError(400, "InvalidPayload", "Fid contains invalid characters or is too long")
        return foreign_id

    def _now(self) -> str:
        """The time, never the same twice, so that messages have an order."""
        self._last = max(datetime.now(UTC), self._last + timedelta(milliseconds=1))
        return self._last.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _make_room(kept: dict[str, Any]) -> None:
    if len(kept) >= _MOST_KEPT:
        del kept[next(iter(kept))]
