"""The console over the parts of an installation, and who may come into it."""

from __future__ import annotations

from fastapi import APIRouter

from smarteros.alerts.settings import AlertSettings
from smarteros.bootstrap.audit import audit_seal
from smarteros.bootstrap.services import Services
from smarteros.bootstrap.upkeep import open_upkeep
from smarteros.console.access import Access
from smarteros.console.invitations import Invitations
from smarteros.console.parts import ConsoleParts
from smarteros.console.passwords import Passwords
from smarteros.console.router import console_router
from smarteros.console.tokens import console_link
from smarteros.edge.health import HealthChecks
from smarteros.flow.engine import Engine
from smarteros.kit.clock import Clock, SystemClock
from smarteros.replay.replayer import Replayer


def open_door(services: Services, clock: Clock | None = None) -> tuple[Access, Invitations]:
    """Return who may come into the console, and how people are let in."""
    clock, passwords = clock or SystemClock(), Passwords()
    access = Access(services.database, clock, passwords)
    known = services.tenants.find
    return access, Invitations(
        services.database, clock, passwords, access, lambda tenant_id: known(tenant_id) is not None
    )


def console(services: Services, engine: Engine, health: HealthChecks) -> APIRouter:
    """Build the console's routes."""
    clock = SystemClock()
    access, invitations = open_door(services, clock)
    replayer = Replayer(
        services.database, services.tenants, services.agent.recorded, services.contracts, services.knowledge
    )
    return console_router(
        ConsoleParts(
            database=services.database,
            tenants=services.tenants,
            knowledge=services.knowledge,
            upkeep=open_upkeep(services, clock).texts,
            contracts=services.contracts,
            hand_overs=services.hand_overs,
            engine=engine,
            clock=clock,
            access=access,
            invitations=invitations,
            health=health.now,
            play_again=replayer.replay,
            llm_calls=services.llm_ledger.calls,
            seal=audit_seal(services.settings),
            public_url=services.settings.public_url,
            alerts_elsewhere=AlertSettings().evaluator != "built-in",
        )
    )


def first_console_link(services: Services, url: str) -> str | None:
    """Return the address that makes the first operator; None when there is one."""
    _, invitations = open_door(services)
    token = invitations.first_operator_link()
    return None if token is None else console_link(url, token)


def demo_console_link(services: Services, url: str) -> str:
    """Return an address that signs the demo's operator in once."""
    _, invitations = open_door(services)
    return console_link(url, invitations.enter_as("operador@smarteros.example", "operator", name="Operador de la demo"))
