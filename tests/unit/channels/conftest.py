"""A small web server on the loopback interface, driven by one function per test."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from smarteros.domain.tenants import InboxSettings, Tenant
from smarteros.kit.http import HttpClient


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    write: Callable[[bytes], None]

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def as_json(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


class Site:
    """``answer`` returns what to send, or None when it wrote the bytes itself (or wants the connection cut)."""

    def __init__(self) -> None:
        self.answer: Callable[[Request], Answer | None] = lambda _request: Answer(404)
        self.seen: list[Request] = []
        self.closing = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, body, self.wfile.write)
                site.seen.append(request)
                answer = site.answer(request)
                self.close_connection = True
                if answer is None:
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PATCH = do_DELETE = _serve

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                pass  # a client that hangs up is what some tests are about

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    yield server
    server.close()


@pytest.fixture
def http() -> Iterator[HttpClient]:
    client = HttpClient(default_timeout_s=5)
    yield client
    client.close()


@pytest.fixture
def tenant(site: Site) -> Tenant:
    return aromo(site.url)


def aromo(chatwoot_url: str, **changes: Any) -> Tenant:
    settings: dict[str, Any] = {
        "tenant_id": "TENANT_AROMO",
        "name": "Tienda Aromo SpA",
        "rut": "76123456-0",
        "tenant_key": "k" * 24,
        "chatwoot_url": chatwoot_url,
        "chatwoot_account_ids": (31,),
        "inboxes": (InboxSettings(inbox_id=52, channel="whatsapp"),),
        **changes,
    }
    return Tenant(**settings)


@pytest.fixture
def make_tenant() -> Callable[..., Tenant]:
    return aromo


@pytest.fixture
def make_answer() -> type[Answer]:
    return Answer


@pytest.fixture
def json_answer() -> Callable[..., Answer]:
    return as_json
