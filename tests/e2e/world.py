"""An outside program: it knows the demo's URL and nothing of the code."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from typing import Any, Self

import httpx2

PATIENCE_S = 20.0


class World:
    """Reads ``/sandbox/info`` and plays customers through Chatwoot's public client API."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx2.Client(timeout=60, trust_env=False, verify=False)  # it speaks to this machine only
        self.info = self.http.get(f"{url}/sandbox/info").json()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def shop(self, tenant_id: str) -> dict[str, Any]:
        return next(shop for shop in self.info["tenants"] if shop["tenant_id"] == tenant_id)

    def customer(self, tenant_id: str, channel: str = "whatsapp", **person: Any) -> Customer:
        return Customer(self, tenant_id, channel, person)

    def turns(self, tenant_id: str, conversation_id: int) -> list[dict[str, Any]]:
        return self._operator("turns", tenant_id=tenant_id, conversation_id=str(conversation_id))["turns"]

    def audit(self, tenant_id: str, **query: str) -> list[dict[str, Any]]:
        return self._operator("audit", tenant_id=tenant_id, limit="500", **query)["events"]

    def until_received(self, tenant_id: str, message_id: int) -> None:
        """Wait until Chatwoot has delivered a message to us."""
        account = str(self.shop(tenant_id)["account_id"])
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            query = {"account_id": account}
            log = self.http.get(f"{self.url}/sandbox/webhook-deliveries", params=query).json()["deliveries"]
            if any(d["message_id"] == message_id and d["status"] == 200 for d in log):
                return
            time.sleep(0.01)
        raise AssertionError("the message was not delivered")

    def post_webhook(
        self, url: str, body: bytes, secret: str, *, at: int | None = None, **headers: str
    ) -> httpx2.Response:
        stamp = str(at if at is not None else int(time.time()))
        signature = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        sent = {
            "Content-Type": "application/json",
            "X-Chatwoot-Timestamp": stamp,
            "X-Chatwoot-Signature": f"sha256={signature}",
            "X-Chatwoot-Delivery": str(uuid.uuid4()),
            **headers,
        }
        return self.http.post(url, content=body, headers=sent)

    def _operator(self, path: str, **query: str) -> dict[str, Any]:
        ours = self.info["smarteros"]
        headers = {"Authorization": f"Bearer {ours['operator_token']}"}
        return self.http.get(f"{ours['url']}/api/v1/{path}", params=query, headers=headers).raise_for_status().json()


class Customer:
    """One person in one conversation."""

    def __init__(self, world: World, tenant_id: str, channel: str, person: dict[str, Any]) -> None:
        self.world = world
        self.tenant_id = tenant_id
        inbox = world.shop(tenant_id)["inbox_identifiers"][channel]
        base = f"{world.info['base_urls']['chatwoot']}/public/api/v1/inboxes/{inbox}/contacts"
        body = {"name": "Camila Soto", "identifier": uuid.uuid4().hex, **person}
        self.source_id = world.http.post(base, json=body).raise_for_status().json()["source_id"]
        conversations = f"{base}/{self.source_id}/conversations"
        self.conversation_id = world.http.post(conversations, json={}).raise_for_status().json()["id"]
        self.messages_url = f"{conversations}/{self.conversation_id}/messages"

    def write(self, text: str, photo: bytes | None = None) -> int:
        if photo is None:
            sent = self.world.http.post(self.messages_url, json={"content": text})
        else:
            files = {"attachments[]": ("boleta.png", photo, "image/png")}
            sent = self.world.http.post(self.messages_url, data={"content": text}, files=files)
        return int(sent.raise_for_status().json()["id"])

    def messages(self) -> list[dict[str, Any]]:
        return self.world.http.get(self.messages_url).raise_for_status().json()

    def replies(self, after: int = 0) -> list[str]:
        return [m["content"] for m in self.messages() if m["id"] > after and m["message_type"] in (1, "outgoing")]

    def ask(self, text: str, photo: bytes | None = None) -> str:
        """Write and wait for the reply."""
        sent = self.write(text, photo)
        return self.reply_to(sent)

    def reply_to(self, sent: int, within_s: float = PATIENCE_S) -> str:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            replies = self.replies(after=sent)
            if replies:
                return "\n---\n".join(replies)
            time.sleep(0.05)
        raise AssertionError(f"no reply within {within_s} s")

    def turn_of(self, sent: int) -> dict[str, Any]:
        """Wait for the record of the turn a message opened."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            for turn in self.world.turns(self.tenant_id, self.conversation_id):
                if turn["message_id"] == sent:
                    return turn
            time.sleep(0.05)
        raise AssertionError(f"no turn within {PATIENCE_S} s")


def as_bytes(body: Any) -> bytes:
    """Write JSON as Rails does: no spaces, text as it is, markup characters escaped."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").encode()
