"""The thread of a worker that watches: one of all processes at a time, and an outside switch watches it."""

from __future__ import annotations

import sqlalchemy as sa
import structlog
from prometheus_client import Gauge
from sqlalchemy.exc import SQLAlchemyError

from smarteros.alerts.protocol import AlertNews, Notice
from smarteros.alerts.rounds import AlertRounds
from smarteros.alerts.switch import DeadMansSwitch
from smarteros.alerts.texts import alert_texts
from smarteros.domain.alerts import Alert, NewsKind
from smarteros.kit.http import HttpClient
from smarteros.kit.recurring import Recurring
from smarteros.observability.metrics import REGISTRY
from smarteros.store.database import NO_TENANT
from smarteros.store.locks import OneProcess

_log = structlog.get_logger()

LAST_ROUND = Gauge(
    "smos_alerts_last_round_timestamp_seconds", "When this process last looked at all alerts", registry=REGISTRY
)
EVERY_S = 15.0
_STOP_WITHIN_S = 15.0
# A database that restarts is back before the third round.
_DATABASE_AWAY_AFTER = 3


class AlertLoop:
    """Runs a round every fifteen seconds while no other process does, and tells of a database that is away."""

    def __init__(self, owner: sa.Engine, rounds: AlertRounds, http: HttpClient, *, every_s: float = EVERY_S) -> None:
        self._watching = OneProcess(owner, "alerts")
        self._rounds = rounds
        self._switch = DeadMansSwitch(http, rounds.courier.settings)
        self._failures = 0
        self._away: Alert | None = None
        self._looks = Recurring("alerts", self.round, every_s=every_s, stop_within_s=_STOP_WITHIN_S)

    def start(self) -> None:
        """Begin."""
        self._looks.start()

    def stop(self) -> None:
        """End after the round that is running; waits 15 seconds at most."""
        self._looks.stop()
        self._watching.close()

    def round(self) -> bool:
        """Look once; False when another process does so, or nobody can because the database is away."""
        try:
            done = self._looked()
        except SQLAlchemyError as error:
            _log.warning("alerts_without_database", error=type(error).__name__)
            self._failures += 1
            if self._failures == _DATABASE_AWAY_AFTER:
                self._tell_of_database("firing")
            return False
        self._failures = 0
        if self._away is not None:
            self._tell_of_database("resolved")
        if done and self._rounds.watches:
            LAST_ROUND.set(self._rounds.clock.now().timestamp())
            self._switch.press(self._rounds.clock.now())
        return done

    def _looked(self) -> bool:
        """Look while no other process does; whoever comes first looks the next time."""
        if not self._watching.is_this():
            return False
        try:
            self._rounds.run_once()
        finally:
            self._watching.let_another()
        return True

    def _tell_of_database(self, kind: NewsKind) -> None:
        """Tell every sink that is set up; what was told cannot be written down, so it is told from memory."""
        now, courier = self._rounds.clock.now(), self._rounds.courier
        alert = self._away or Alert(
            tenant_id=NO_TENANT,
            key="service_down:store",
            name="service_down",
            signal="service_down",
            subject="PostgreSQL",
            severity="page",
            notify=(),
            started_at=now,
        )
        self._away = alert if kind == "firing" else None
        text = alert_texts(courier.settings.language).sentence(alert, kind, now)
        courier.tell_everybody(Notice(news=(AlertNews(alert=alert, kind=kind, text=text),)))
