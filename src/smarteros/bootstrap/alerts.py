"""Who watches and who is told: the alert loop over the parts of an installation."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from fastapi import APIRouter

from smarteros.alerts.courier import Courier
from smarteros.alerts.loop import AlertLoop
from smarteros.alerts.rounds import AlertRounds
from smarteros.alerts.settings import AlertSettings
from smarteros.alerts.sinks import open_sinks
from smarteros.alerts.switch import DeadMansSwitch
from smarteros.bootstrap.services import Services
from smarteros.edge.alertmanager_bridge import alertmanager_router
from smarteros.kit.clock import SystemClock
from smarteros.settings import Role
from smarteros.store.database import owner_engine
from smarteros.store.queue import Backlog


@contextmanager
def watched_alerts(services: Services, role: Role, backlog: Callable[[], Backlog | None]) -> Generator[None]:
    """Watch and tell while the block runs, unless this is an edge. ConfigError for half a set-up."""
    settings = AlertSettings()
    courier = open_courier(services, settings)
    if role == "edge":
        yield
        return
    rounds = AlertRounds(
        services.database,
        services.tenants.all,
        services.contracts,
        courier,
        SystemClock(),
        backlog,
        watches=settings.evaluator == "built-in",
    )
    loop = AlertLoop(owner_engine(services.database.owner_url), rounds, services.http)
    loop.start()
    try:
        yield
    finally:
        loop.stop()


def open_courier(services: Services, settings: AlertSettings) -> Courier:
    """Return who tells the sinks of this installation."""
    sinks = open_sinks(settings, services.http, services.settings.data_dir, SystemClock())
    return Courier(sinks, settings, services.settings.people_url)


def alertmanager_bridge(services: Services) -> APIRouter:
    """Build what Alertmanager posts to."""
    settings, token = AlertSettings(), None
    if settings.bridge_token is not None:
        token = settings.bridge_token.get_secret_value()
    whatsapp = open_courier(services, settings).sinks.get("whatsapp_founder")
    return alertmanager_router(token, whatsapp, DeadMansSwitch(services.http, settings), SystemClock())
