"""A console on loopback over a real database: two shops, a person of every role, and browsers."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import argon2
import httpx2
import pytest
from argon2.profiles import CHEAPEST
from tests.support import MemorySecrets, browsing, serving
from tests.unit.store.queued import plain_traces

from smarteros.alerts.email import Mailer
from smarteros.console.access import Access
from smarteros.console.invitations import Invitations
from smarteros.console.parts import ConsoleParts
from smarteros.console.passwords import Passwords
from smarteros.console.router import console_router
from smarteros.contracts.loader import load_contracts
from smarteros.domain.audit_chain import AuditSeal
from smarteros.domain.messages import Desk
from smarteros.domain.people import Role
from smarteros.domain.tenants import Tenant
from smarteros.edge.app import create_app
from smarteros.edge.health import Health
from smarteros.flow.engine import Engine
from smarteros.flow.hand_overs import HandOvers
from smarteros.flow.links import Links
from smarteros.kit.clock import FixedClock
from smarteros.kit.http import HttpClient
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.upkeep.chatwoot_texts import ChatwootTexts
from smarteros.knowledge.upkeep.check import AnswerCheck
from smarteros.knowledge.upkeep.notices import UpkeepNotices
from smarteros.knowledge.upkeep.pages import PageReader
from smarteros.knowledge.upkeep.upkeep import KnowledgeUpkeep
from smarteros.store.database import Database
from smarteros.store.documents import PostgresDocumentStore
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.tenants.directory import TenantDirectory

__all__ = ["plain_traces"]
NOON = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
PASSWORD = "una frase muy larga"
SHOES, HATS = "CONSOLE_SHOES", "CONSOLE_HATS"
_CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')
_numbers = itertools.count(1)


@dataclass
class Chatwoot:
    """The channel as far as the console uses it: it hands over."""

    handed_over: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    notes: list[str] = field(default_factory=list[str])
    desks: list[Desk | None] = field(default_factory=list["Desk | None"])

    def hand_over(
        self,
        tenant: Tenant,
        conversation_id: int,
        note: str,
        *,
        account_id: int | None = None,
        desk: Desk | None = None,
    ) -> None:
        self.handed_over.append((tenant.tenant_id, conversation_id))
        self.notes.append(note)
        self.desks.append(desk)


@dataclass
class PlayedAgain:
    verdict: str = "same"

    def in_words(self) -> list[str]:
        return [f"{self.verdict} as then"]


class Browser:
    """Somebody's browser: keeps cookies, follows redirects, sends forms with the token of the page before."""

    def __init__(self, url: str, headers: dict[str, str] | None = None) -> None:
        self.http = browsing(url, headers=headers)

    def get(self, path: str, **more: Any) -> httpx2.Response:
        return self.http.get(path, **more)

    def post(self, path: str, form_on: str = "/console/settings", **fields: str) -> httpx2.Response:
        """Send a form as the page ``form_on`` would."""
        return self.http.post(path, data={"csrf": self.csrf(form_on), **fields})

    def csrf(self, page: str) -> str:
        found = _CSRF.search(self.get(page).text)
        assert found is not None, f"{page} has no form"
        return found[1]

    def sign_in(self, email: str, password: str = PASSWORD) -> httpx2.Response:
        return self.post("/console/sign-in", "/console/sign-in", email=email, password=password)


@dataclass
class World:
    """A running console and what stands behind it."""

    url: str
    parts: ConsoleParts
    clock: FixedClock
    chatwoot: Chatwoot
    browsers: list[Browser] = field(default_factory=list[Browser])

    def browser(self, **headers: str) -> Browser:
        opened = Browser(self.url, headers)
        self.browsers.append(opened)
        return opened

    def person(self, role: Role, tenant_id: str | None = None) -> str:
        """Add a person with the password; returns the e-mail address."""
        email = f"person{next(_numbers)}@example.cl"
        _, token = self.parts.invitations.invite(email, role, tenant_id)
        self.parts.invitations.enter_by_link(token, password=PASSWORD)
        return email

    def signed_in(self, role: Role, tenant_id: str | None = None) -> Browser:
        """A browser in which a new person of the role is signed in."""
        browser = self.browser()
        _, token = self.parts.invitations.invite(f"person{next(_numbers)}@example.cl", role, tenant_id, purpose="enter")
        entered = self.parts.invitations.enter_by_link(token)
        browser.http.cookies.set("smos_session", entered.token)
        return browser


def shop(tenant_id: str, number: int) -> Tenant:
    return Tenant(
        tenant_id=tenant_id,
        name=tenant_id.title(),
        rut="76123456-0",
        tenant_key=f"console-tests-{number:010d}",
        chatwoot_url="http://127.0.0.1:1",
        chatwoot_account_ids=(7000 + number,),
    )


@contextmanager
def open_world(postgres: EmbeddedPostgres) -> Iterator[World]:
    """The console over a database with its tables."""
    database = Database(postgres.url(), postgres.url("smos_app"))
    tenants, clock, chatwoot = TenantDirectory(database), FixedClock(NOON), Chatwoot()
    for number, tenant_id in enumerate((SHOES, HATS)):
        tenants.save(shop(tenant_id, number))
    passwords = Passwords(argon2.PasswordHasher.from_parameters(CHEAPEST))
    access = Access(database, clock, passwords)
    contracts = load_contracts(Path(__file__).parents[3] / "contracts")
    knowledge, http = EmbeddedKnowledgeBase(PostgresDocumentStore(database)), HttpClient()
    parts = ConsoleParts(
        database=database,
        tenants=tenants,
        knowledge=knowledge,
        upkeep=KnowledgeUpkeep(
            database=database,
            knowledge=knowledge,
            pages=PageReader(http),
            chatwoot=ChatwootTexts(http, MemorySecrets({})),
            check=AnswerCheck(knowledge, None, clock),
            notices=UpkeepNotices(database, Mailer(lambda _mail: None, "bot@smarteros.example"), clock),
            clock=clock,
            priors=lambda _tenant: lambda _text: None,
        ),
        contracts=contracts,
        hand_overs=HandOvers(chatwoot, contracts, Links("https://bot.example.cl")),  # pyright: ignore[reportArgumentType]
        engine=Engine(postgres.url(), None),
        clock=clock,
        access=access,
        invitations=Invitations(database, clock, passwords, access, lambda t: tenants.find(t) is not None),
        health=lambda: Health(status="ok", checks={"store": "up"}),
        play_again=lambda _turn: PlayedAgain(),
        llm_calls=lambda _scope, _conversation, _message: (),
        seal=AuditSeal(("a key of these tests",)),
    )
    with serving(create_app([console_router(parts)])) as url:
        world = World(url, parts, clock, chatwoot)
        yield world
        for browser in world.browsers:
            browser.http.close()
    http.close()
    database.dispose()


@pytest.fixture(scope="session")
def running(postgres: EmbeddedPostgres) -> Iterator[World]:
    """The console, for all tests of this folder."""
    with open_world(postgres) as world:
        yield world


@pytest.fixture
def world(running: World) -> World:
    """The console at noon."""
    running.clock.instant = NOON
    return running
