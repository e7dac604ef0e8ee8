"""Webhooks are answered before the framework; everything else is the framework's."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, cast

import httpx2
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from smarteros.domain.errors import ConfigError, RejectedInputError, SmosError
from smarteros.edge import bodies
from smarteros.edge.app import create_app
from smarteros.edge.capacity import ACCEPTED_AT_A_TIME
from smarteros.edge.receive import Receipt
from smarteros.edge.webhooks import (
    MAX_WEBHOOK_BYTES,
    SHARED_URL,
    TENANT_URL,
    WebhooksFirst,
    WebhookTaker,
    webhook_router,
)

KEY = "k" * 24
RECEIPT = {"status": "accepted", "reason": None, "event": "message_created", "turn_id": "t"}


class Receiver:
    """Keeps what it is given; answers ``receipt`` or raises ``error``."""

    def __init__(self) -> None:
        self.received: list[tuple[bytes, str | None]] = []
        self.headers: dict[str, str] = {}
        self.refused: list[tuple[str, dict[str, Any]]] = []
        self.error: Exception | None = None

    def receive(self, raw: bytes, headers: dict[str, str], tenant_key: str | None) -> Receipt:
        self.received.append((raw, tenant_key))
        self.headers = headers
        if self.error is not None:
            raise self.error
        return Receipt.model_validate(RECEIPT)

    def audit_refusal(self, error: SmosError, details: dict[str, Any]) -> None:
        self.refused.append((error.code, details))


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    """The application behind the middleware: it says that it was asked."""
    await PlainTextResponse(f"behind: {scope['path']}", status_code=418)(scope, receive, send)


class Edge:
    def __init__(self) -> None:
        self.receiver = Receiver()
        self.app = WebhooksFirst(behind, WebhookTaker(cast("Any", self.receiver)))
        self.client = TestClient(self.app)

    def post(self, path: str, **how: Any) -> tuple[int, Any]:
        options: dict[str, Any] = {"content": b"{}"} | how
        answer = self.client.post(path, **options)
        return answer.status_code, answer.json()


@pytest.fixture
def edge() -> Edge:
    return Edge()


@pytest.mark.parametrize(("path", "key"), [(SHARED_URL, None), (TENANT_URL + KEY, KEY)])
def test_both_urls_are_answered_with_the_receipt(edge: Edge, path: str, key: str | None) -> None:
    status, answer = edge.post(path, content='{"ñ": 1}'.encode(), headers={"X-Chatwoot-Signature": "abc"})

    assert (status, answer) == (200, RECEIPT)
    assert edge.receiver.received == [('{"ñ": 1}'.encode(), key)]
    assert edge.receiver.headers["x-chatwoot-signature"] == "abc"


def test_what_follows_the_question_mark_does_not_matter(edge: Edge) -> None:
    edge.post(f"{TENANT_URL}{KEY}?tenant=other")

    assert edge.receiver.received == [(b"{}", KEY)]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", SHARED_URL),
        ("GET", TENANT_URL + KEY),
        ("HEAD", TENANT_URL + KEY),
        ("PUT", TENANT_URL + KEY),
        ("OPTIONS", SHARED_URL),
        ("POST", SHARED_URL + "/"),
        ("POST", SHARED_URL + "s"),
        ("POST", TENANT_URL + KEY + "/"),
        ("POST", TENANT_URL + KEY + "/more"),
        ("POST", TENANT_URL + "a%2Fb"),
        ("POST", TENANT_URL.rstrip("/")),
        ("POST", "/other" + SHARED_URL),
        ("POST", "/api/v1/reconcile"),
        ("GET", "/health"),
    ],
)
def test_everything_else_is_handed_on(edge: Edge, method: str, path: str) -> None:
    assert edge.client.request(method, path).status_code == 418
    assert edge.receiver.received == []


def test_what_is_no_request_is_handed_on(edge: Edge) -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    first = WebhooksFirst(app, WebhookTaker(cast("Any", edge.receiver)))

    async def start() -> None:
        await first({"type": "lifespan"}, _nothing_comes, _nobody_listens)
        await first({"type": "websocket", "path": SHARED_URL}, _nothing_comes, _nobody_listens)

    asyncio.run(start())
    assert seen == ["lifespan", "websocket"]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RejectedInputError("invalid_signature", "The signature is wrong.", status=401), 401, "invalid_signature"),
        (RejectedInputError("malformed_event", "body.event must be a text"), 422, "malformed_event"),
        (ConfigError("secret_missing", "Tenant X has no secret 'y'."), 500, "secret_missing"),
        (OperationalError("SELECT secret", None, Exception("away")), 500, "store_unavailable"),
        (ZeroDivisionError("secret"), 500, "internal_error"),
    ],
)
def test_errors_have_the_one_shape_and_tell_no_details(edge: Edge, error: Exception, status: int, code: str) -> None:
    edge.receiver.error = error
    answered, body = edge.post(TENANT_URL + KEY)

    assert (answered, body["code"]) == (status, code)
    assert set(body) == {"error", "code"}
    assert "secret" not in body["error"]


def test_errors_are_those_of_the_routes_behind(edge: Edge) -> None:
    taker = WebhookTaker(cast("Any", edge.receiver))
    routed = TestClient(create_app([webhook_router(taker)]), raise_server_exceptions=False)
    for error in (RejectedInputError("x", "No.", status=403), ConfigError("y", "No."), ZeroDivisionError()):
        edge.receiver.error = error
        for path in (SHARED_URL, TENANT_URL + KEY):
            answer = routed.post(path, content=b"{}")
            assert edge.post(path) == (answer.status_code, answer.json())


def test_the_routes_behind_describe_both_urls(edge: Edge) -> None:
    paths = create_app([webhook_router(WebhookTaker(cast("Any", edge.receiver)))]).openapi()["paths"]

    assert {SHARED_URL, TENANT_URL + "{tenant_key}"} <= set(paths)


@pytest.mark.parametrize("name", ["X-Chatwoot-Signature", "x-chatwoot-timestamp", "X-CHATWOOT-DELIVERY"])
def test_a_header_of_ours_that_comes_twice_is_refused_and_audited(edge: Edge, name: str) -> None:
    status, body = edge.post(SHARED_URL, headers=[(name, "1"), (name.lower(), "2")])

    assert (status, body["code"]) == (401, "duplicate_header")
    assert edge.receiver.refused == [("duplicate_header", {"tenant_url": False})]
    assert edge.receiver.received == []


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_large_is_refused_and_audited(edge: Edge, declared: bool) -> None:
    half = b" " * (MAX_WEBHOOK_BYTES // 2)
    content = half * 3 if declared else iter([half, half, b"more"])
    status, body = edge.post(TENANT_URL + KEY, content=content)

    assert (status, body["code"]) == (413, "body_too_large")
    assert edge.receiver.refused == [("body_too_large", {"tenant_url": True})]


def test_a_body_that_trickles_in_is_refused(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_PATIENCE_S", 0.0)
    sent = drive(edge, _nothing_comes)

    assert sent[0]["status"] == 408
    assert edge.receiver.refused == [("body_too_slow", {"tenant_url": False})]


def test_a_client_that_goes_away_gets_no_answer_and_stores_nothing(edge: Edge) -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": b'{"event":', "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def goes_away() -> Message:
        return messages.pop(0)

    assert drive(edge, goes_away) == []
    assert (edge.receiver.received, edge.receiver.refused) == ([], [])


def test_one_urls_flood_leaves_places_for_the_others(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    stored, go_on = edge.receiver.receive, threading.Event()

    def slowly(raw: bytes, headers: dict[str, str], tenant_key: str | None) -> Receipt:
        if tenant_key == KEY:
            assert go_on.wait(60)
        return stored(raw, headers, tenant_key)

    monkeypatch.setattr(edge.receiver, "receive", slowly)

    async def post(path: str) -> int:
        transport = httpx2.ASGITransport(app=edge.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://edge") as client:
            return (await client.post(path, content=b"{}")).status_code

    async def flooded() -> list[int]:
        flood = [asyncio.create_task(post(f"{TENANT_URL}{KEY}")) for _ in range(3 * ACCEPTED_AT_A_TIME)]
        await asyncio.sleep(0)  # they are before the other one
        try:
            assert await asyncio.wait_for(post(f"{TENANT_URL}{'q' * 24}"), 30) == 200
        finally:
            go_on.set()
        return await asyncio.gather(*flood)

    assert set(asyncio.run(flooded())) == {200}
    assert edge.receiver.received[0][1] == "q" * 24


def drive(edge: Edge, receive: Receive) -> list[Message]:
    """Serve one request of a client that does as it likes; returns what it was sent."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "method": "POST", "path": SHARED_URL, "headers": [], "query_string": b""}
    asyncio.run(edge.app(scope, receive, send))
    return sent


async def _nothing_comes() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def _nobody_listens(message: Message) -> None:
    raise AssertionError(message)
