"""A shop behind the stand-in Chatwoot whose webhooks go nowhere, and a reconciler over a real PostgreSQL."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from starlette.types import ASGIApp
from tests.support import MemorySecrets, browsing, serving
from tests.unit.sandbox.chatwoot_stand import ACCOUNT, Customer, Stand, small_shop

from smarteros.channels.chatwoot.channel import ChatwootChannel
from smarteros.channels.chatwoot.events import parse_event
from smarteros.channels.chatwoot.history import ChatwootHistory
from smarteros.contracts.loader import load_contracts
from smarteros.domain.audit import AuditEvent
from smarteros.domain.tenants import Tenant, TenantScope
from smarteros.domain.turns import Lane, TurnStart
from smarteros.edge.receive import Receipt, Receiver
from smarteros.flow.engine import Engine
from smarteros.flow.hand_overs import HandOvers
from smarteros.flow.links import Links
from smarteros.kit.clock import FixedClock
from smarteros.kit.http import HttpClient
from smarteros.reconcile.reconciler import Reconciler
from smarteros.reconcile.report import ReconcileReport
from smarteros.store.audit import list_events
from smarteros.store.database import Database
from smarteros.store.events import ReceivedEvent, store_event
from smarteros.tenants.directory import TenantDirectory
from smarteros_sandbox.chatwoot.http.app import create_chatwoot_app
from smarteros_sandbox.chatwoot.installation import Installation
from smarteros_sandbox.chatwoot.shapes import webhook
from smarteros_sandbox.faults import Faults

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
_numbers = itertools.count(1)


class RecordingEngine:
    """Takes turns and does not run them: what is tested is that they are opened."""

    def __init__(self) -> None:
        self.accepted: list[TurnStart] = []

    def accept(self, connection: sa.Connection, start: TurnStart) -> None:
        self.accepted.append(start)

    def accept_message(self, database: Database, event: ReceivedEvent, start: TurnStart, lane: Lane) -> bool:
        with database.tenant(TenantScope(tenant_id=event.tenant_id)) as connection:
            stored = store_event(connection, event) is not None
        if stored:
            self.accepted.append(start)
        return stored


class Switch:
    """The application behind a switch: off, the server answers 503 to everything."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.on = True
        self.requests: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.requests.append(f"{scope['method']} {scope['path']}?{scope['query_string'].decode()}")
        if self.on:
            await self._app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@dataclass
class Shop:
    """One tenant with its Chatwoot, its clock and what was opened for it."""

    stand: Stand
    switch: Switch
    tenant: Tenant
    secrets: MemorySecrets
    database: Database
    clock: FixedClock
    engine: RecordingEngine
    receiver: Receiver
    history: ChatwootHistory
    channel: ChatwootChannel
    monotonic: list[float] = field(default_factory=lambda: [0.0])

    def reconciler(self) -> Reconciler:
        """A process of ours; its memory begins empty."""
        return Reconciler(
            self.database,
            self.channel,
            self.history,
            self.receiver,
            HandOvers(self.channel, load_contracts(Path(__file__).parents[3] / "contracts"), Links()),
            self.clock,
            monotonic=lambda: self.monotonic[0],
        )

    def run(self) -> ReconcileReport:
        return self.reconciler().run_once(self.tenant)

    def pass_time(self, **time: float) -> None:
        """Let our clock and Chatwoot's go on."""
        self.clock.instant += timedelta(**time)
        self.stand.chatwoot.clock.set(ACCOUNT, self.clock.instant)

    def set_channel_clock(self, *, ahead_by: timedelta) -> None:
        """Set Chatwoot's clock, and not ours."""
        self.stand.chatwoot.clock.set(ACCOUNT, self.clock.instant + ahead_by)

    def customer(self, channel: str = "whatsapp") -> Customer:
        return self.stand.customer(channel)

    def deliver(self, message_id: int) -> Receipt:
        """Let the webhook of a message come after all."""
        view = self.stand.chatwoot.view
        row = self.stand.chatwoot.store.messages[message_id]
        body = webhook.message(view, row) | {"event": "message_created"}
        return self.receiver.take(self.tenant, parse_event(body))

    def opened(self) -> list[int]:
        """The messages turns were opened for."""
        return [start.message_id for start in self.engine.accepted if start.cause == "message"]

    def said(self, customer: Customer) -> list[str]:
        """What the customer was told."""
        return [m["content"] for m in customer.sees() if m["message_type"] == 1]

    def notes(self, customer: Customer) -> list[str]:
        messages = self.stand.ok("GET", f"/conversations/{customer.conversation_id}/messages")["payload"]
        return [m["content"] for m in messages if m["private"]]

    def labels(self, customer: Customer) -> list[str]:
        return self.stand.ok("GET", f"/conversations/{customer.conversation_id}/labels")["payload"]

    def status(self, customer: Customer) -> str:
        return self.stand.conversation(customer.conversation_id)["status"]

    def audit(self) -> list[AuditEvent]:
        with self.database.tenant(self.tenant.scope) as connection:
            events = list_events(connection, self.tenant.tenant_id, None, 100)
        return [event for event in events if event.kind == "reconciled"]


@contextmanager
def chatwoot_behind_switch(data_dir: Path) -> Iterator[tuple[Stand, Switch, str]]:
    """The stand-in on a port of its own; its workers are not needed, because no webhook is wanted."""
    faults = Faults()
    chatwoot = Installation([small_shop()], faults, data_dir)
    switch = Switch(create_chatwoot_app(chatwoot))
    with serving(switch) as url, browsing(url) as client:
        yield Stand(cast("Any", client), chatwoot, faults), switch, url
    chatwoot.store.close()


@pytest.fixture
def shop(tmp_path: Path, database: Database) -> Iterator[Shop]:
    """A shop whose bot hears nothing."""
    with chatwoot_behind_switch(tmp_path) as (stand, switch, url):
        bot = stand.connect_bot("")
        tenant = Tenant(
            tenant_id=f"RECONCILE_{next(_numbers)}_{threading.get_native_id()}",
            name="Zapatería Ñandú",
            rut="76123456-0",
            tenant_key="k" * 24,
            chatwoot_url=url,
            chatwoot_account_ids=(ACCOUNT,),
        )
        tokens = {"chatwoot/api_token": bot["access_token"], "chatwoot/user_token": stand.token}
        secrets = MemorySecrets({(tenant.tenant_id, path): token for path, token in tokens.items()})
        http, clock, engine = HttpClient(default_timeout_s=5), FixedClock(NOW), RecordingEngine()
        receiver = Receiver(database, TenantDirectory(database), secrets, cast("Engine", engine), clock)
        history, channel = ChatwootHistory(http, secrets), ChatwootChannel(http, secrets, sleep=lambda _s: None)
        opened = Shop(stand, switch, tenant, secrets, database, clock, engine, receiver, history, channel)
        opened.pass_time(seconds=0)
        yield opened
        http.close()
