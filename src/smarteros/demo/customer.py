"""A customer of a demo shop at the terminal, played through Chatwoot's public client API and nothing else."""

from __future__ import annotations

import json
import mimetypes
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from smarteros.domain.errors import PermanentError, RejectedInputError
from smarteros.domain.messages import ChannelName
from smarteros.domain.model import Model
from smarteros.domain.turns import TurnRecord
from smarteros.scenarios.customer import waited_for
from smarteros.scenarios.stack import Stack

_PATIENCE_S = 30.0
_TURN_WRITTEN_WITHIN_S = 5.0
_OUTGOING = (1, "outgoing")


class Place(Model):
    """A conversation the customer has begun. ``messages_url`` belongs to one run of the sandbox."""

    conversation_id: int
    messages_url: str


class Answer(Model):
    """What came back, and how the turn went."""

    reply: str
    turn: TurnRecord | None


class DemoCustomer:
    """Writes to the shops of a running demo; its conversations are remembered in the data directory."""

    def __init__(self, stack: Stack, data_dir: Path) -> None:
        self._stack = stack
        self._memory = data_dir / "say.json"

    def say(self, text: str, tenant: str, channel: ChannelName, attach: Path | None, *, new: bool) -> Answer:
        """Send one message and wait for the reply. PermanentError when none comes within 30 s."""
        inbox = self._inbox(tenant, channel)
        base = f"{self._stack.info.base_urls['chatwoot']}/public/api/v1/inboxes/{inbox}"
        key = f"{base} {tenant}"
        place = None if new else self._remembered(key)
        place = place or self._begin(f"{base}/contacts", key)
        sent = self._send(place.messages_url, text, attach)
        reply = waited_for(lambda: self._reply_after(place.messages_url, sent), _PATIENCE_S)
        if reply is None:
            raise PermanentError("no_reply", f"No reply came within {_PATIENCE_S:.0f} s.")
        turn = waited_for(lambda: self._turn(tenant, place.conversation_id, sent), _TURN_WRITTEN_WITHIN_S)
        return Answer(reply=reply, turn=turn)

    def _begin(self, contacts: str, key: str) -> Place:
        person = {"name": "Cliente de prueba", "identifier": uuid.uuid4().hex}
        contact = self._stack.call("POST", contacts, json=person).json()
        conversations = f"{contacts}/{contact['source_id']}/conversations"
        number = int(self._stack.call("POST", conversations, json={}).json()["id"])
        place = Place(conversation_id=number, messages_url=f"{conversations}/{number}/messages")
        self._memory.write_text(json.dumps({**self._all(), key: place.model_dump()}))
        return place

    def _send(self, messages: str, text: str, attach: Path | None) -> int:
        if attach is None:
            sent = self._stack.call("POST", messages, json={"content": text})
        else:
            kind = mimetypes.guess_type(attach.name)[0] or "application/octet-stream"
            files = {"attachments[]": (attach.name, attach.read_bytes(), kind)}
            sent = self._stack.call("POST", messages, data={"content": text}, files=files)
        return int(sent.json()["id"])

    def _reply_after(self, messages: str, sent: int) -> str | None:
        for message in self._stack.call("GET", messages).json():
            if message["id"] > sent and message["message_type"] in _OUTGOING:
                return str(message["content"])
        return None

    def _turn(self, tenant: str, conversation_id: int, sent: int) -> TurnRecord | None:
        turns = self._stack.turns(tenant, conversation_id)
        return next((turn for turn in turns if turn.message_id == sent), None)

    def _inbox(self, tenant: str, channel: ChannelName) -> str:
        shops = {shop.tenant_id: shop.inbox_identifiers for shop in self._stack.info.tenants}
        if tenant not in shops:
            raise RejectedInputError("tenant_unknown", f"There is no shop {tenant!r}; there are {', '.join(shops)}.")
        return shops[tenant][channel]

    def _remembered(self, key: str) -> Place | None:
        known = self._all().get(key)
        return Place.model_validate(known) if known else None

    def _all(self) -> dict[str, Any]:
        with suppress(OSError, ValueError):
            return json.loads(self._memory.read_text())
        return {}
