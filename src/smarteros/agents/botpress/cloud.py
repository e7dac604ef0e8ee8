"""Botpress Cloud's Chat API: a user and a conversation for each of ours, a message, and the bot's message after it.

The reply is asynchronous. It is polled for: a stream that is listened to would save some tenths of a second, and
would be a second way for a stranger to keep a connection open.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import jwt

from smarteros.agents.botpress.places import Places
from smarteros.agents.botpress.protocol import BotFault, BotQuestion
from smarteros.agents.botpress.wire import Wire, as_object, contract_in, kind_of_status, objects_in
from smarteros.domain.botpress import BotpressSettings
from smarteros.tools.deadline import Deadline

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 0.5
# A page of a conversation has twenty messages, in an order nobody promises: ours and its answer must be on the first.
_MOST_QUESTIONS = 8
_ID = re.compile(r"[\w-]{1,200}", re.ASCII)  # becomes part of a path
_USER_KEY = re.compile(r"[!-~]{1,4096}")  # becomes a header


@dataclass(frozen=True)
class _Place:
    """A conversation at Botpress and the key of its user."""

    user_key: str
    conversation_id: str
    questions: int = 0


@dataclass
class Cloud:
    """Asks bots of Botpress Cloud.

    With an encryption key the user is always the same one for a conversation of ours, under a key we sign ourselves;
    without, Botpress makes up a user and its key. After a fault a new conversation is begun, so that a late answer
    finds nobody who would take it for the next one's.
    """

    wire: Wire
    pause: Callable[[float], None] = time.sleep
    _places: Places[_Place] = field(default_factory=Places[_Place])

    def answer(
        self, settings: BotpressSettings, key: str | None, question: BotQuestion, deadline: Deadline
    ) -> dict[str, Any]:
        """Return the JSON of the bot's first message after ours; see ``Bots.ask``. DeadlineError when time is up."""
        base = f"{settings.url}/{settings.bot}"
        known = (base, question.user)
        place = self._places.take(known) or self._opened(base, key, question.user, deadline)
        text = {"type": "text", "text": question.text}
        ours = self._call(
            "POST",
            f"{base}/messages",
            deadline,
            place.user_key,
            {"conversationId": place.conversation_id, "payload": text, "metadata": question.contract},
        )
        reply = self._reply(base, place, as_object(ours.get("message")), deadline)
        contract = contract_in(reply.get("metadata"), as_object(reply.get("payload")).get("text"))
        if place.questions + 1 < _MOST_QUESTIONS:
            self._places.put(known, replace(place, questions=place.questions + 1))
        return contract

    def _opened(self, base: str, key: str | None, user: str, deadline: Deadline) -> _Place:
        if key:
            user_key = _signed(user, key)
            self._call("POST", f"{base}/users/get-or-create", deadline, user_key, {})
        else:
            user_key = _text(self._call("POST", f"{base}/users", deadline, None, {}), "key", _USER_KEY)
        begun = self._call("POST", f"{base}/conversations", deadline, user_key, {})
        return _Place(user_key, _text(as_object(begun.get("conversation")), "id", _ID))

    def _reply(self, base: str, place: _Place, ours: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
        """Wait for the first message that is not ours and not older than ours."""
        pause_s, url = _FIRST_PAUSE_S, f"{base}/conversations/{place.conversation_id}/messages"
        mine, since = _text(ours, "userId"), _text(ours, "createdAt")
        while True:
            messages = objects_in(self._call("GET", url, deadline, place.user_key), "messages")
            others = [each for each in messages if _text(each, "userId") != mine and _text(each, "createdAt") >= since]
            if others:
                return min(others, key=lambda each: _text(each, "createdAt"))
            self.pause(min(pause_s, deadline.remaining_s()))
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)

    def _call(
        self, method: str, url: str, deadline: Deadline, user_key: str | None, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        headers = {} if user_key is None else {"x-user-key": user_key}
        answer = self.wire.exchange(method, url, deadline, headers=headers, body=body)
        code = answer.get("code")
        # The bridge in front of the bot answers 200 for errors of the integration as well.
        if isinstance(code, int) and 400 <= code < 600:
            raise BotFault(kind_of_status(code), f"error {code}")
        return answer


def _signed(user: str, key: str) -> str:
    try:
        return jwt.encode({"id": user}, key, algorithm="HS256")
    except jwt.PyJWTError as error:
        raise BotFault("misconfigured", "the key is none that can sign") from error


def _text(fields: dict[str, Any], name: str, form: re.Pattern[str] | None = None) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value or (form is not None and form.fullmatch(value) is None):
        raise BotFault("malformed", f"no {name} where the API describes one")
    return value
