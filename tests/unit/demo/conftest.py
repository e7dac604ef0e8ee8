"""The page's routes over an upstream that records what it is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tests.support import browsing, serving

from smarteros.demo.page import demo_router
from smarteros.edge.app import create_app
from smarteros.store.database import Database
from smarteros.store.embedded import EmbeddedPostgres


@dataclass(frozen=True)
class Seen:
    """One request as it arrived behind the proxy."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Upstream:
    """Sandbox and Chatwoot in one; ``answer`` is what they say."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list[Seen])
    answer: Callable[[Seen], Response] = lambda seen: JSONResponse({"path": seen.target})

    def app(self) -> Starlette:
        async def handle(request: Request) -> Response:
            raw = request.scope["raw_path"].decode()
            target = f"{raw}?{request.url.query}" if request.url.query else raw
            seen = Seen(request.method, target, dict(request.headers), await request.body())
            self.seen.append(seen)
            return self.answer(seen)

        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return Starlette(routes=[Route("/{path:path}", handle, methods=methods)])


@pytest.fixture(scope="session")
def _behind() -> Iterator[Upstream]:
    upstream = Upstream()
    with serving(upstream.app()) as upstream.url:
        yield upstream


@pytest.fixture
def upstream(_behind: Upstream) -> Upstream:
    """A server that stands behind the proxies; it has seen nothing yet."""
    fresh = Upstream()
    _behind.seen, _behind.answer = fresh.seen, fresh.answer
    return _behind


def about_us() -> dict[str, Any]:
    return {"url": "http://127.0.0.1:8080", "operator_token": "operator-secret"}


@pytest.fixture(scope="session")
def _page_url(_behind: Upstream, postgres: EmbeddedPostgres) -> Iterator[str]:
    database = Database(postgres.url(), postgres.url("smos_app"))
    with serving(create_app([demo_router(database, _behind.url, _behind.url, about_us)])) as url:
        yield url
    database.dispose()


@pytest.fixture
def page(upstream: Upstream, _page_url: str) -> Iterator[httpx2.Client]:
    """A browser's view of the demo: one demo, a browser for each test."""
    with browsing(_page_url) as client:
        yield client


@pytest.fixture(scope="module")
def lonely_page(postgres: EmbeddedPostgres) -> Iterator[httpx2.Client]:
    """The demo when nothing is behind it."""
    nobody = "http://127.0.0.1:1"
    database = Database(postgres.url(), postgres.url("smos_app"))
    app = create_app([demo_router(database, nobody, nobody)])
    with serving(app) as url, browsing(url) as client:
        yield client
    database.dispose()


def info(**changes: Any) -> Callable[[Seen], Response]:
    """What the sandbox tells of itself, secrets included."""
    invoice = {
        "number": "INV-2025-001",
        "date": "2025-10-15",
        "customer_name": "María González",
        "customer_phone": "+56912345678",
        "customer_email": "maria@example.cl",
        "product_name": "Zapatilla Running Azul",
        "in_odoo": True,
        "image_url": "/sandbox/tenants/TENANT_DEMO/invoices/INV-2025-001.png",
        "blurred_image_url": "/sandbox/tenants/TENANT_DEMO/invoices/INV-2025-001.png?blurred=1",
        "internal_note": "secret-note",
    }
    shop = {
        "tenant_id": "TENANT_DEMO",
        "name": "Tienda Demo Calzados",
        "tone": "Cercana",
        "account_id": 1,
        "inbox_identifiers": {"whatsapp": "wa", "webwidget": "web", "email": "mail"},
        "tokens": {"chatwoot_administrator": "secret-admin", "chatwoot_bot": "secret-bot"},
        "shopify": {"admin_token": "secret-shopify"},
        "odoo": {"api_key": "secret-odoo"},
        "webhooks": [{"kind": "agent_bot", "url": "http://x", "secret": "secret-hook"}],
        "legacy_hmac_secret": "secret-hmac",
        "catalogue": ["Zapatilla Running Azul"],
        "invoices": [invoice],
    }
    body = json.dumps({"tenants": [shop | changes], "base_urls": {"odoo": "http://127.0.0.1:9"}})
    return lambda _seen: Response(body, media_type="application/json")
