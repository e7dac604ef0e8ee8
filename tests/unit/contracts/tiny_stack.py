"""A stack of a hundred lines on a loopback port: just enough of Chatwoot and the product to play against."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TENANT = "TENANT_DEMO"
NOW = datetime(2026, 1, 1, tzinfo=UTC).isoformat()


@dataclass
class TinyStack:
    """What the stack answers, and what was asked of it."""

    url: str = ""
    answer: str | None = "Nuestro horario es de 9:00 a 18:00"
    turn: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    records: bool = True
    refuses_faults: bool = False
    webhook_status: int = 401
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    refused: int = 0

    def handle(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, Any]:
        self.calls.append((method, path, body))
        if path == "/sandbox/info":
            return 200, self._info()
        if path == "/sandbox/faults" and method == "POST" and self.refuses_faults:
            return 422, {"error": "no such fault"}
        if path.startswith("/sandbox"):
            return 200, {}
        if path == "/photo.png":
            return 200, b"\x89PNG picture"
        if path == "/webhooks/chatwoot/key":
            self.refused += 1
            return self.webhook_status, {"error": "Invalid HMAC signature"}
        if path == "/api/v1/turns":
            return 200, {"turns": [self._record(message) for message in self._asked()] if self.records else []}
        if path == "/api/v1/audit":
            return 200, {"events": self._refusals() if query["tenant_id"] == [""] else self._events()}
        return 200, self._public_api(method, path, body)

    def _public_api(self, method: str, path: str, body: bytes) -> Any:
        if path.endswith("/contacts"):
            return {"source_id": "56912345678"}
        if path.endswith("/conversations"):
            return {"id": 12}
        if method == "GET":
            return self.messages
        said = json.loads(body)["content"] if body.startswith(b"{") else "photo"
        asked = {"id": len(self.messages) + 1, "message_type": 0, "content": said}
        self.messages.append(asked)
        if self.answer is not None:
            self.messages.append({"id": len(self.messages) + 1, "message_type": 1, "content": self.answer})
        return asked

    def _asked(self) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["message_type"] == 0]

    def _record(self, message: dict[str, Any]) -> dict[str, Any]:
        usual = {
            "turn_id": f"{TENANT}:12:{message['id']}",
            "tenant_id": TENANT,
            "flow_id": "e2e_faq_quick",
            "conversation_id": 12,
            "message_id": message["id"],
            "received_at": NOW,
            "outcome": "answered",
            "rule": "answered_from_kb",
            "decision": {"intent": "faq_hours", "confidence": 0.96, "route": "kb_direct"},
        }
        return usual | self.turn

    def _events(self) -> list[dict[str, Any]]:
        return [_event(f"turn:{TENANT}:12:{message['id']}", "turn", TENANT, self.details) for message in self._asked()]

    def _refusals(self) -> list[dict[str, Any]]:
        return [
            _event(f"refused:{number}", "webhook_refused", None, {"http_status": 401}) for number in range(self.refused)
        ]

    def _info(self) -> dict[str, Any]:
        tenant = {
            "tenant_id": TENANT,
            "account_id": 1,
            "inbox_identifiers": {"whatsapp": "Inbox"},
            "invoices": [{"number": "INV-1", "image_url": "/photo.png", "blurred_image_url": "/photo.png"}],
            "webhooks": [{"kind": "agent_bot", "url": f"{self.url}/webhooks/chatwoot/key", "secret": "right"}],
            "more": "than the runner needs",
        }
        return {
            "tenants": [tenant],
            "base_urls": {"chatwoot": self.url},
            "smarteros": {"url": self.url, "operator_token": "operator"},
        }


def _event(event_id: str, kind: str, tenant: str | None, details: dict[str, Any]) -> dict[str, Any]:
    return {
        "event_id": event_id, "topic": "t", "kind": kind, "tenant_id": tenant, "timestamp": NOW, "details": details,
    }  # fmt: skip


def serve(stack: TinyStack) -> ThreadingHTTPServer:
    """Serve a stack on a free port; shut the server down after use."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            query = parse_qs(address.query, keep_blank_values=True)
            status, answer = stack.handle(self.command, address.path, query, body)
            raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_POST = do_DELETE = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stack.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server
