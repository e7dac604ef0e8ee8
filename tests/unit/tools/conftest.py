"""Loopback servers and a tenant for the tests of the tools."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.support import MemorySecrets
from tests.unit.tools.small_odoo import SmallOdoo

from smarteros.domain.knowledge import Policy
from smarteros.domain.messages import Contact
from smarteros.domain.tenants import Tenant
from smarteros.kit.http import HttpClient
from smarteros.tools.deadline import Deadline
from smarteros.tools.odoo.client import OdooClient
from smarteros.tools.odoo.invoices import InvoiceFinder, InvoiceSearch
from smarteros.tools.protocol import ToolContext
from smarteros.tools.registry import ToolRun


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: Any


Answer = tuple[int, Any]
Respond = Callable[[Request], Answer]


@dataclass
class Loopback:
    """An HTTP server on loopback: ``respond`` decides every answer, ``requests`` is what came in by POST.

    ``pages`` are the answers to GET.

    A test that hangs the server waits on ``released``, which is set when the test ends.
    """

    url: str = ""
    respond: Respond = lambda _request: (200, {})
    pages: dict[str, Answer] = field(default_factory=lambda: {"/web/version": (200, {"version": "19.0"})})
    requests: list[Request] = field(default_factory=list[Request])
    released: threading.Event = field(default_factory=threading.Event)

    def hang(self, _request: Request) -> Answer:
        self.released.wait(30)
        return 504, {}


@pytest.fixture
def server() -> Iterator[Loopback]:
    loopback = Loopback()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.give(*loopback.pages.get(self.path, (404, {})))

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.path, headers, json.loads(raw))
            loopback.requests.append(request)
            self.give(*loopback.respond(request))

        def give(self, status: int, body: Any) -> None:
            answer = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that gave up is part of the tests."""

    http_server = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http_server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    loopback.url = f"http://127.0.0.1:{http_server.server_port}"
    yield loopback
    loopback.released.set()
    http_server.shutdown()
    http_server.server_close()
    thread.join(5)


@pytest.fixture
def secrets(server: Loopback, tenant: Tenant) -> MemorySecrets:
    return MemorySecrets(
        {
            (tenant.tenant_id, "shopify/admin_token"): "shpat_very_secret_token",
            (tenant.tenant_id, "shopify/store_domain"): "tienda-demo.myshopify.com",
            (tenant.tenant_id, "odoo/api_key"): "odoo_very_secret_key",
            (tenant.tenant_id, "odoo/instance_url"): server.url,
        }
    )


@pytest.fixture
def tenant(server: Loopback) -> Tenant:
    return Tenant(
        tenant_id="TENANT_DEMO",
        name="Tienda Demo",
        rut="76543210-3",
        tenant_key="0123456789abcdef",
        chatwoot_url="http://127.0.0.1:1",
        chatwoot_account_ids=(1,),
        shopify_url=server.url,
        odoo_company_id=4,
        odoo_database="tienda_demo",
    )


@pytest.fixture
def http() -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    client.close()


MARIA = Contact(id=9, name="María", phone="+56912345678", proven="+56912345678")


@pytest.fixture
def context() -> ToolContext:
    return ToolContext(conversation_id=12345, contact=MARIA, today=date(2025, 11, 1))


@pytest.fixture
def run(tenant: Tenant, context: ToolContext) -> ToolRun:
    return ToolRun(tenant, context, Deadline.after(60))


@pytest.fixture
def odoo(server: Loopback) -> SmallOdoo:
    small = SmallOdoo()
    server.respond = small
    return small


@pytest.fixture
def finder(http: HttpClient, secrets: MemorySecrets) -> InvoiceFinder:
    return InvoiceFinder(
        InvoiceSearch(OdooClient(http, secrets)), lambda _scope: Policy(warranty_days=90, return_days=30)
    )
