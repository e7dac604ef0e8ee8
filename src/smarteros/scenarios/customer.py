"""The customer of a scenario: writes through Chatwoot's public client API and reads what comes back."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from smarteros.contracts.models import Persona, Photo, ScenarioTurn
from smarteros.domain.errors import ConfigError
from smarteros.domain.messages import ChannelName
from smarteros.domain.turns import TurnRecord
from smarteros.scenarios.pictures import landscape_png
from smarteros.scenarios.stack import Stack, TenantInfo

T = TypeVar("T")

POLL_S = 0.1
OUTGOING = (1, "outgoing")


@dataclass(frozen=True)
class Reply:
    """A message the customer received."""

    message_id: int
    text: str


class Customer:
    """One contact with one new conversation."""

    def __init__(self, stack: Stack, tenant: TenantInfo, channel: ChannelName, persona: Persona) -> None:
        self._stack = stack
        self._tenant = tenant
        inbox = tenant.inbox_identifiers.get(channel)
        if inbox is None:
            raise ConfigError("unknown_inbox", f"{tenant.tenant_id} has no {channel} inbox")
        chatwoot = stack.info.base_urls["chatwoot"].rstrip("/")
        contacts = f"{chatwoot}/public/api/v1/inboxes/{inbox}/contacts"
        contact = self._post(contacts, json=_contact(persona))
        conversations = f"{contacts}/{contact['source_id']}/conversations"
        self.conversation_id = int(self._post(conversations, json={})["id"])
        self._messages = f"{conversations}/{self.conversation_id}/messages"

    def say(self, turn: ScenarioTurn) -> int:
        """Send the turn's text and photos; returns the message's id."""
        photos = turn.photos if turn.photo is None else (turn.photo, *turn.photos)
        if not photos:
            return int(self._post(self._messages, json={"content": turn.say})["id"])
        files = [("attachments[]", _file(self._picture(photo))) for photo in photos]
        return int(self._post(self._messages, data={"content": turn.say}, files=files)["id"])

    def _picture(self, photo: Photo) -> bytes:
        if photo.invoice is None:
            return landscape_png()
        return self._stack.picture(self._tenant, photo.invoice, blurred=photo.blurred, timbre=photo.timbre)

    def reply_after(self, message_id: int, within_s: float) -> Reply | None:
        """Wait for the bot's next message; None when the time is over."""
        return waited_for(lambda: self._reply_after(message_id), within_s)

    def turn_of(self, message_id: int, within_s: float) -> TurnRecord | None:
        """Wait until the message's turn is finished and return its record."""
        return waited_for(lambda: self._turn_of(message_id), within_s)

    def _reply_after(self, message_id: int) -> Reply | None:
        answer: list[dict[str, Any]] = self._stack.call("GET", self._messages).json()
        for message in answer:
            is_reply = message.get("message_type") in OUTGOING and not message.get("private")
            if is_reply and int(message["id"]) > message_id:
                return Reply(int(message["id"]), str(message.get("content") or ""))
        return None

    def _turn_of(self, message_id: int) -> TurnRecord | None:
        for record in self._stack.turns(self._tenant.tenant_id, self.conversation_id):
            if record.message_id == message_id and record.outcome is not None:
                return record
        return None

    def _post(self, url: str, **options: Any) -> dict[str, Any]:
        return self._stack.call("POST", url, **options).json()


def waited_for(look: Callable[[], T | None], within_s: float) -> T | None:
    """Look every 100 ms until there is something or the time is over."""
    deadline = time.monotonic() + within_s
    while True:
        seen = look()
        if seen is not None or time.monotonic() >= deadline:
            return seen
        time.sleep(POLL_S)


def _contact(persona: Persona) -> dict[str, Any]:
    known = {"name": persona.name, "phone_number": persona.phone, "email": persona.email}
    body = {key: value for key, value in known.items() if value is not None}
    if persona.phone is None and persona.email is None:
        # Nobody Chatwoot could know from an earlier scenario.
        body["identifier"] = f"scenario-{uuid.uuid4().hex}"
    return body


def _file(content: bytes) -> tuple[str, bytes, str]:
    if content.startswith(b"\x89PNG"):
        return ("foto.png", content, "image/png")
    if content.startswith(b"%PDF"):
        return ("boleta.pdf", content, "application/pdf")
    return ("foto.jpg", content, "image/jpeg")
