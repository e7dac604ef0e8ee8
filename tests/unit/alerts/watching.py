"""A shop whose turns a test writes, everybody who can be told, and a clock that stands still until it is moved."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from tests.paging import Told

from smarteros.alerts.courier import Courier
from smarteros.alerts.rounds import AlertRounds
from smarteros.alerts.settings import AlertSettings
from smarteros.alerts.sinks import open_sinks
from smarteros.contracts.loader import load_contracts
from smarteros.domain.alerts import Alert, Silence
from smarteros.domain.audit import AuditEvent
from smarteros.domain.tenants import Tenant
from smarteros.flow.alarm import ONCE_WITHIN
from smarteros.kit.clock import FixedClock
from smarteros.kit.http import HttpClient
from smarteros.settings import default_contracts_dir
from smarteros.store.alert_tables import alert_silences, alerts
from smarteros.store.alerts import add_silence, open_alerts, past_alerts, raise_alert
from smarteros.store.audit import append_event
from smarteros.store.database import NO_TENANT, Database
from smarteros.store.health import record_probe
from smarteros.store.health_tables import health_stretches
from smarteros.store.queue import Backlog

CONTRACTS = load_contracts(default_contracts_dir())
START = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
_numbers = itertools.count(1)


@dataclass
class Watched:
    """One shop and the rounds over it. ``away`` are services that do not answer."""

    database: Database
    told: Told
    http: HttpClient
    folder: Path
    settings: AlertSettings = field(init=False)
    clock: FixedClock = field(default_factory=lambda: FixedClock(START))
    away: set[str] = field(default_factory=set)
    oldest_s: float = 0.0

    def __post_init__(self) -> None:
        self.settings = self.told.settings()
        self.shop = Tenant(
            tenant_id=f"TENANT_ALERTS_{uuid4().hex[:10].upper()}",
            name="Tienda",
            rut="76123456-0",
            tenant_key="k" * 24,
            chatwoot_url="https://chat.example",
            chatwoot_account_ids=(next(_numbers),),
        )
        with self.database.scoped(NO_TENANT) as connection:
            for table in (alerts, alert_silences, health_stretches):
                connection.execute(sa.delete(table))
        self.restart()

    def restart(self, **settings: Any) -> None:
        """Begin anew with nothing but what is in the database."""
        if settings:
            self.settings = self.told.settings(**settings)
        self.rounds = AlertRounds(
            self.database,
            lambda: (self.shop,),
            CONTRACTS,
            Courier(
                open_sinks(self.settings, self.http, self.folder, self.clock), self.settings, "https://bot.example.cl"
            ),
            self.clock,
            lambda: Backlog(waiting=int(self.oldest_s > 0), oldest_s=self.oldest_s),
        )

    @property
    def id(self) -> str:
        return self.shop.tenant_id

    def turns(self, number: int, flow: str, *, latency_ms: int = 900, confidence: float = 0.95, **details: Any) -> None:
        """Let that many turns of a flow end now."""
        with self.database.tenant(self.shop.scope) as connection:
            for _ in range(number):
                append_event(
                    connection,
                    AuditEvent(
                        event_id=f"turn:{uuid4().hex}",
                        topic="smarteros.audit.faq",
                        kind="turn",
                        tenant_id=self.id,
                        flow_id=flow,
                        conversation_id=1,
                        confidence=confidence,
                        latency_ms=latency_ms,
                        timestamp=self.clock.now(),
                        details={"outcome": "answered", "rule": "found"} | details,
                    ),
                )

    def after(self, **length: float) -> None:
        """Let time pass, ask the services, and look."""
        self.clock.instant += timedelta(**length)
        now = self.clock.now()
        for scope, services in ((NO_TENANT, ("agent", "tools")), (self.id, ("chatwoot", "shopify", "odoo"))):
            with self.database.scoped(scope) as connection:
                for name in services:
                    record_probe(connection, scope, name, up=name not in self.away, at=now, valid_s=90)
        self.rounds.run_once()

    def moment(self, name: str = "frustration", conversation: int = 77) -> None:
        """Leave word as the flow does when a customer loses patience."""
        alert = Alert(
            tenant_id=self.id,
            key=f"{name}:{conversation}",
            name=name,
            signal="escalation",
            flow_id="e2e_faq_quick",
            subject=str(conversation),
            severity="ticket",
            notify=("slack", "email"),
            moment=True,
            started_at=self.clock.now(),
        )
        with self.database.tenant(self.shop.scope) as connection:
            raise_alert(connection, alert, once_within=ONCE_WITHIN)

    def silence(self, name: str | None, **length: float) -> None:
        now = self.clock.now()
        wanted = Silence(
            silence_id=0,
            tenant_id=self.id,
            name=name,
            reason="deploy",
            made_by="ana",
            made_at=now,
            until_at=now + timedelta(**length),
        )
        with self.database.tenant(self.shop.scope) as connection:
            add_silence(connection, wanted)

    def open(self, scope: str | None = None) -> list[Alert]:
        with self.database.scoped(scope or self.id) as connection:
            return open_alerts(connection, scope or self.id)

    def past(self) -> list[Alert]:
        with self.database.scoped(self.id) as connection:
            return past_alerts(connection, self.id, START - timedelta(days=999))

    def heard(self) -> dict[str, int]:
        """How many messages each receiver has taken; those without are left out."""
        kept = self.told.http
        counts = {
            "slack": len(kept.slack),
            "email": len(self.told.mail.mails),
            "pagerduty": len(kept.pagerduty),
            "whatsapp_founder": len(kept.whatsapp),
        }
        return {name: count for name, count in counts.items() if count}

    def forget(self) -> None:
        """Empty the receivers."""
        self.told.clear()
