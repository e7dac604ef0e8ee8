"""What the tests of the stand-in Chatwoot share: a small shop, a running application, a webhook receiver."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from smarteros_sandbox.chatwoot.http.app import create_chatwoot_app
from smarteros_sandbox.chatwoot.installation import Installation
from smarteros_sandbox.chatwoot.profiles import DEFAULT_PROFILE, PROFILES
from smarteros_sandbox.faults import Faults
from smarteros_sandbox.shops.loader import load_shops
from smarteros_sandbox.shops.models import AgentSpec, ChannelName, DemoShop, InboxSpec

PATIENCE = 20.0
ACCOUNT = 1
INBOXES: dict[ChannelName, int] = {"webwidget": 3, "whatsapp": 7, "email": 9}
PHONE = "+56979540471"


@lru_cache
def demo_shop() -> DemoShop:
    """The first shop of the demo data."""
    return load_shops(date(2025, 11, 1))[0]


def small_shop(account_id: int = ACCOUNT) -> DemoShop:
    """A shop with one inbox per channel and two people; ids of other accounts are shifted by 100."""
    shift = (account_id - 1) * 100
    spec = demo_shop().spec.model_copy(
        update={
            "tenant_id": f"TENANT_{account_id}",
            "name": "Zapatería Ñandú",
            "account_id": account_id,
            "administrator_token": f"AdministratorToken{account_id:06d}",
            "legacy_hmac_secret": "legacy-secret",
            "inboxes": tuple(
                InboxSpec(
                    id=number + shift,
                    name=channel.title(),
                    channel=channel,
                    identifier=f"{channel}-{account_id}",
                )
                for channel, number in INBOXES.items()
            ),
            "agents": (
                AgentSpec(id=11 + shift, name="Ana Agente", email="ana@nandu.example"),
                AgentSpec(id=12 + shift, name="Benito Ayuda", email="benito@nandu.example"),
            ),
        }
    )
    return demo_shop().model_copy(update={"spec": spec})


@dataclass
class Hook:
    """One webhook that arrived."""

    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def event(self) -> str:
        return self.json["event"]


class Receiver:
    """A real HTTP server that records webhooks; ``statuses`` are given out one by one, then 200."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.always: int = 200
        self._hooks: list[Hook] = []
        self._changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hook"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def hooks(self, event: str | None = None) -> list[Hook]:
        with self._changed:
            return [hook for hook in self._hooks if event in (None, hook.event)]

    def wait(self, condition: Callable[[list[Hook]], bool], event: str | None = None) -> list[Hook]:
        """Until the recorded hooks (of this event) fulfil the condition."""

        def fulfilled() -> bool:
            return condition([hook for hook in self._hooks if event in (None, hook.event)])

        with self._changed:
            if not self._changed.wait_for(fulfilled, PATIENCE):
                raise AssertionError(f"got only {[hook.event for hook in self._hooks]}")
        return self.hooks(event)

    def wait_count(self, count: int, event: str | None = None) -> list[Hook]:
        return self.wait(lambda hooks: len(hooks) >= count, event)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver._changed:
                    receiver._hooks.append(Hook(dict(self.headers.items()), body))
                    status = receiver.statuses.pop(0) if receiver.statuses else receiver.always
                    receiver._changed.notify_all()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        return Handler


@dataclass
class Stand:
    """A running stand-in with calls for what every test does."""

    client: TestClient
    chatwoot: Installation
    faults: Faults
    token: str = "AdministratorToken000001"
    bot: dict[str, Any] = field(default_factory=dict)

    def api(self, method: str, path: str, token: str | None = None, **options: Any) -> Any:
        """The raw answer of the account API of account 1."""
        headers = {"api_access_token": token or self.token} | options.pop("headers", {})
        return self.client.request(method, f"/api/v1/accounts/{ACCOUNT}{path}", headers=headers, **options)

    def ok(self, method: str, path: str, token: str | None = None, **options: Any) -> Any:
        """The JSON of an account API call that must succeed."""
        answer = self.api(method, path, token, **options)
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.content else None

    def post(self, conversation_id: int, token: str | None = None, **fields: Any) -> Any:
        """Write into a conversation."""
        return self.ok("POST", f"/conversations/{conversation_id}/messages", token, json=fields)

    def connect_bot(self, url: str = "", *channels: ChannelName) -> dict[str, Any]:
        """Create a bot and make it the active one of the channels (of all, if none is named).

        Without a URL it gets no webhooks; with one that nobody answers every conversation would open.
        """
        self.bot = self.ok("POST", "/agent_bots", json={"name": "SMOS", "outgoing_url": url, "bot_type": "webhook"})
        for channel in channels or tuple(INBOXES):
            self.ok("POST", f"/inboxes/{INBOXES[channel]}/set_agent_bot", json={"agent_bot": self.bot["id"]})
        return self.bot

    def add_webhook(self, url: str, **fields: Any) -> dict[str, Any]:
        """Create an account webhook."""
        return self.ok("POST", "/webhooks", json={"url": url, **fields})["payload"]["webhook"]

    def help_center(self, slug: str, articles: dict[str, str], **fields: Any) -> dict[str, Any]:
        """A portal in Spanish and English with published articles by title."""
        config = {"allowed_locales": ["es", "en"], "default_locale": "es"}
        portal = self.ok("POST", "/portals", json={"portal": {"name": slug, "slug": slug, "config": config, **fields}})
        for title, content in articles.items():
            article = {"title": title, "content": content, "status": "published", "author_id": 11}
            self.ok("POST", f"/portals/{slug}/articles", json={"article": article})
        return portal

    def agent_token(self) -> str:
        """Ana's token."""
        return next(user.access_token for user in self.chatwoot.store.users if user.id == 11)

    def customer(self, channel: str = "whatsapp", **fields: Any) -> Customer:
        """A customer with an open conversation."""
        defaults: dict[str, dict[str, Any]] = {
            "whatsapp": {"name": "Juan Pérez", "phone_number": PHONE},
            "email": {"name": "Juan Pérez", "email": "juan@cliente.example"},
            "webwidget": {},
        }
        base = f"/public/api/v1/inboxes/{channel}-{ACCOUNT}/contacts"
        contact = self.client.post(base, json=defaults[channel] | fields)
        assert contact.status_code == 200, contact.text
        customer = Customer(self.client, f"{base}/{contact.json()['source_id']}", contact.json())
        customer.start_conversation()
        return customer

    def conversation(self, display_id: int) -> dict[str, Any]:
        return self.ok("GET", f"/conversations/{display_id}")

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something the background workers do."""
        waiter = threading.Event()
        for _ in range(int(PATIENCE / 0.01)):
            if condition():
                return
            waiter.wait(0.01)
        raise AssertionError("it never happened")

    def settle(self) -> None:
        """Wait until no webhook is under way."""
        assert self.client.portal is not None
        self.client.portal.call(self.chatwoot.settled)


@dataclass
class Customer:
    """Somebody who writes through the public client API."""

    client: TestClient
    base: str
    contact: dict[str, Any]
    conversation_id: int = 0

    @property
    def path(self) -> str:
        return f"{self.base}/conversations/{self.conversation_id}"

    def start_conversation(self, **fields: Any) -> int:
        answer = self.client.post(f"{self.base}/conversations", json=fields)
        assert answer.status_code == 200, answer.text
        self.conversation_id = answer.json()["id"]
        return self.conversation_id

    def say(self, content: str | None, **fields: Any) -> dict[str, Any]:
        answer = self.client.post(f"{self.path}/messages", json={"content": content, **fields})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send_file(self, name: str, content: bytes, content_type: str, text: str | None = None) -> dict[str, Any]:
        data = {} if text is None else {"content": text}
        files = [("attachments[]", (name, content, content_type))]
        answer = self.client.post(f"{self.path}/messages", data=data, files=files)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def sees(self) -> list[dict[str, Any]]:
        answer = self.client.get(f"{self.path}/messages")
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def running(data_dir: Path, *, profile: str = DEFAULT_PROFILE, accounts: int = 1) -> Iterator[Stand]:
    """A stand-in on a data directory; bot retries are quick."""
    faults = Faults()
    shops = [small_shop(number) for number in range(1, accounts + 1)]
    chatwoot = Installation(
        shops,
        faults,
        data_dir,
        profile=PROFILES[profile],
        base_url="http://testserver",
        bot_retry_seconds=0.05,
        webhook_timeout_seconds=2.0,
    )
    with TestClient(create_chatwoot_app(chatwoot)) as client:
        yield Stand(client, chatwoot, faults)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver for the time of a test."""
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()
