"""Two installations with a database and a worker each, a shop that moves between them, and its customers."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from fastapi import FastAPI, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import DBAPIError
from tests.support import free_port, serving
from tests.unit.tenants.installation import Installation

from smarteros.channels.chatwoot.signatures import sign_v1
from smarteros.dedicated.moving import Moved, Mover, Step
from smarteros.dedicated.passing_on import PassingOn
from smarteros.dedicated.sides import Side
from smarteros.domain.audit_chain import AuditSeal, ChainReport
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import ClaimedTurn
from smarteros.edge.receive import Receiver
from smarteros.flow.engine import Engine
from smarteros.kit.clock import SystemClock
from smarteros.kit.http import HttpClient
from smarteros.secrets.encrypted_file import EncryptedFileSecretStore
from smarteros.secrets.keys import GivenKeys
from smarteros.secrets.stored import SecretEntry
from smarteros.store.audit_chain import verify_chain
from smarteros.store.database import Database, migrate
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.store.queue import end_turn
from smarteros.tenants.application import application
from smarteros.tenants.directory import TenantDirectory
from smarteros.tenants.enrolment import Enroller
from smarteros.tenants.held_rows import held_tables

MESSAGE = Path(__file__).parents[2] / "fixtures" / "chatwoot" / "message_created.whatsapp_text.json"
STEPS: tuple[Step, ...] = get_args(Step)
PATIENCE_S = 30.0
_numbers = itertools.count(1)


class Killed(BaseException):
    """The command ends here, without a word."""


class Customers:
    """Everybody's customers: what they wrote, and what was answered, wherever that was."""

    def __init__(self) -> None:
        self.written: dict[str, list[int]] = {}
        self.answered: list[tuple[str, int]] = []
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.may_end.set()

    def answer(self, place: str, database: Database, turn: ClaimedTurn) -> None:
        """A whole turn: it may take its time, it is posted, and its end is written down."""
        self.begun.set()
        assert self.may_end.wait(PATIENCE_S)
        with database.scoped(turn.start.tenant_id) as connection:
            if end_turn(connection, turn):
                self.answered.append((place, turn.start.message_id))

    def of(self, tenant: Tenant) -> Counter[int]:
        """How often each of a tenant's messages was answered."""
        written = self.written[tenant.tenant_id]
        return Counter({message: sum(message == done for _, done in self.answered) for message in written})


@dataclass
class Place:
    """One installation at work: an edge and a worker over its database."""

    side: Side
    customers: Customers
    http: HttpClient

    def __post_init__(self) -> None:
        side, database = self.side, self.side.database
        self.engine = Engine(
            database.owner_url, lambda turn: self.customers.answer(side.place, database, turn), poll_ms=20
        )
        self.receiver = Receiver(database, side.tenants, side.secrets, self.engine, SystemClock())
        self.passing = PassingOn(database, side.tenants, side.secrets, self.http, SystemClock(), self.receiver.receive)

    @contextmanager
    def engine_connection(self) -> Iterator[sa.Connection]:
        engine = sa.create_engine(self.side.database.owner_url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            yield connection
        engine.dispose()

    @property
    def edge(self) -> FastAPI:
        """What Chatwoot and a move ask of it over the network."""
        app, token = FastAPI(), self.side.operator_token

        @app.get("/health")
        def health(authorization: str = Header(default="")) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
            return {"backlog": {}} if authorization == f"Bearer {token}" else {}

        @app.post("/webhooks/chatwoot/{key}")
        async def webhook(key: str, request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
            raw = await request.body()
            try:
                await run_in_threadpool(self.receiver.receive, raw, dict(request.headers), key)
            except RejectedInputError as error:
                return Response(status_code=error.status)
            return Response()

        return app


@dataclass
class World:
    """Two installations, the shops' Chatwoot, and their customers."""

    installation: Installation
    here: Place
    there: Place
    customers: Customers
    new_url: str

    def tenant(self, name: str) -> Tenant:
        side, http = self.here.side, self.installation.http
        enroller = Enroller(http, side.tenants, side.secrets, side.database, side.url)
        return enroller.enrol(application(self.installation.application(name))).tenant

    def write(self, tenant: Tenant, conversation_id: int | None = None) -> int:
        """Let a customer write, and Chatwoot post it to wherever its bot is pointed at now."""
        number, raw, headers = self.webhook(tenant, conversation_id)
        (bot,) = self.bots(tenant)
        at_home = bot.outgoing_url.startswith(self.here.side.url)
        (self.here if at_home else self.there).receiver.receive(raw, headers, tenant.tenant_key)
        self.customers.written.setdefault(tenant.tenant_id, []).append(number)
        return number

    def webhook(self, tenant: Tenant, conversation_id: int | None = None) -> tuple[int, bytes, dict[str, str]]:
        """What Chatwoot posts when a customer writes: the message's number, the body, the signature."""
        number = next(_numbers)
        account_id = tenant.chatwoot_account_ids[0]
        body = json.loads(MESSAGE.read_text()) | {"id": number, "account": {"id": account_id, "name": "x"}}
        body["conversation"] |= {"id": number if conversation_id is None else conversation_id}
        raw, now = json.dumps(body).encode(), int(time.time())
        secret = self.here.side.secrets.read(tenant.scope, "chatwoot/hmac_secret")
        return number, raw, {"x-chatwoot-timestamp": str(now), "x-chatwoot-signature": sign_v1(raw, secret, now)}

    def mover(self, tell: Callable[[Step], None] = lambda _: None, *, comes_back: bool = False) -> Mover:
        source, target = (self.there, self.here) if comes_back else (self.here, self.there)
        http = self.installation.http
        return Mover(source.side, target.side, http, SystemClock(), source.passing, tell, self._everybody_hears)

    def move(self, tenant: Tenant) -> Moved:
        return self.mover().move(tenant.tenant_id)

    def bots(self, tenant: Tenant) -> list[Any]:
        return self.installation.outside.bots(tenant.chatwoot_account_ids[0])

    def secrets(self, tenant: Tenant) -> tuple[SecretEntry, ...]:
        return self.here.side.secrets.entries(tenant.scope)

    def until_answered(self, tenant: Tenant) -> Counter[int]:
        """Wait until every message has its answer; returns how often each was answered."""
        deadline = time.monotonic() + PATIENCE_S
        while 0 in (answers := self.customers.of(tenant)).values():
            assert time.monotonic() < deadline, f"no answer: {answers}"
            for place in (self.here, self.there):
                known = place.side.tenant(tenant.tenant_id)
                if known is not None:
                    place.passing.tenant(known)
            time.sleep(0.01)
        return answers

    def audit(self, tenant: Tenant, place: Place) -> ChainReport:
        with place.side.database.tenant(tenant.scope) as connection:
            return verify_chain(connection, tenant.tenant_id, place.side.seal, SystemClock().now())

    def _everybody_hears(self, seconds: float) -> None:
        """Every process looks tenants up anew after two seconds; these do at once. A running turn ends when it must."""
        del seconds
        with self.here.engine_connection() as connection:
            parked = connection.scalar(
                sa.text("SELECT count(*) FROM smos.waiting_turns WHERE worker LIKE 'lease:%:move:%'")
            )
        if parked:
            self.customers.may_end.set()
        for place in (self.here, self.there):
            place.side.tenants.forget()


@contextmanager
def new_database(server: EmbeddedPostgres) -> Iterator[tuple[str, str]]:
    """Another database of the same server; yields its addresses for the owner and the application."""
    name = f"moved_{next(_numbers)}"
    engine = sa.create_engine(server.url(), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    urls = [
        sa.make_url(server.url(role)).set(database=name).render_as_string(hide_password=False)
        for role in ("postgres", "smos_app")
    ]
    migrate(urls[0])
    try:
        yield urls[0], urls[1]
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        engine.dispose()


@pytest.fixture
def world(installation: Installation, postgres: EmbeddedPostgres, tmp_path: Path) -> Iterator[World]:
    customers, http = Customers(), installation.http
    old_port, port = free_port(), free_port()
    with ExitStack() as stack:
        here = Place(
            Side(
                database=installation.database,
                tenants=installation.tenants,
                secrets=installation.secrets,
                store="here",
                seal=AuditSeal(("key of the old",)),
                operator_token="old",
                url=f"http://127.0.0.1:{old_port}",
                place="here",
            ),
            customers,
            http,
        )
        owner_url, app_url = stack.enter_context(new_database(postgres))
        database = Database(owner_url, app_url)
        stack.callback(database.dispose)
        side = Side(
            database=database,
            tenants=TenantDirectory(database),
            secrets=EncryptedFileSecretStore(tmp_path / "own.enc", GivenKeys(Fernet.generate_key().decode())),
            store="there",
            seal=AuditSeal(("key of the new",)),
            operator_token="new",
            url=f"http://127.0.0.1:{port}",
            place="there",
        )
        there = Place(side, customers, http)
        for place, its_port in ((here, old_port), (there, port)):
            stack.enter_context(serving(place.edge, port=its_port))
            place.engine.start()
            stack.callback(place.engine.stop)
        yield World(installation, here, there, customers, owner_url)


def changes(url: str, table: str, tenant_id: str) -> bool:
    """Whether the database's owner can change a tenant's rows."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            (found,) = [each for each in held_tables(connection) if each.name == table]
            if not found.is_tenants_own:
                return False
            done = connection.execute(
                sa.text(f"UPDATE {found.qualified} SET tenant_id = tenant_id WHERE {found.is_held}"),
                {"tenant_id": tenant_id},
            )
            assert done.rowcount
    except DBAPIError as refused:
        assert "has moved to another installation" in str(refused) or table == "audit_events"  # nobody ever can
        return False
    finally:
        engine.dispose()
    return True


def rows_of(url: str, tenant_id: str) -> dict[str, str]:
    """A fingerprint of a tenant's rows, by table."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        found = {
            table.name: connection.execute(
                sa.text(
                    f"SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM {table.qualified} t"
                    f" WHERE {table.is_held}"
                ),
                {"tenant_id": tenant_id},
            ).scalar_one()
            for table in held_tables(connection)
        }
    engine.dispose()
    return found
