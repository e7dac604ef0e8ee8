"""What tests of several kinds need: an application on loopback, secrets in memory, a burst that is taken."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import sqlalchemy as sa
import uvicorn
from starlette.types import ASGIApp

from smarteros.domain.errors import ConfigError
from smarteros.domain.messages import Contact, IncomingMessage
from smarteros.domain.tenants import Tenant, TenantScope
from smarteros.store.database import migrate
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.store.events import ReceivedEvent, burst, claim_burst
from smarteros_sandbox.shops.models import DemoShop

T = TypeVar("T")
# The machine may be busy.
PATIENCE_S = 60.0


class MemorySecrets:
    """A SecretStore of one test: values by tenant and path."""

    def __init__(self, values: dict[tuple[str, str], str]) -> None:
        self.values = values

    def read(self, scope: TenantScope, path: str) -> str:
        value = self.find(scope, path)
        if value is None:
            raise ConfigError("secret_missing", f"{scope.tenant_id} has no {path}")
        return value

    def find(self, scope: TenantScope, path: str) -> str | None:
        return self.values.get((scope.tenant_id, path))

    def accepted(self, scope: TenantScope, path: str) -> tuple[str, ...]:
        value = self.find(scope, path)
        return () if value is None else (value,)

    def look_again(self, scope: TenantScope) -> bool:
        return False

    def write(self, scope: TenantScope, path: str, value: str) -> None:
        self.values[scope.tenant_id, path] = value

    def write_if_missing(self, scope: TenantScope, path: str, value: str) -> str:
        return self.values.setdefault((scope.tenant_id, path), value)


@contextmanager
def migrated_postgres(directory: Path) -> Iterator[EmbeddedPostgres]:
    """A real PostgreSQL of one's own, with the tables."""
    with EmbeddedPostgres(directory) as server:
        spare_the_disk(server.url())
        migrate(server.url())
        yield server


def postgres_below(data_dir: Path) -> str:
    """The owner's address of the PostgreSQL that an installation runs in its data directory."""
    return f"postgresql+psycopg://postgres@/postgres?host={(data_dir / 'postgres' / 'sockets').read_text()}"


def spare_the_disk(url: str) -> None:
    """Let a PostgreSQL not wait for the disk: tests kill processes, which loses nothing, and no machines."""
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "full_page_writes"):
            connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")


@contextmanager
def serving(app: ASGIApp, *, port: int = 0) -> Iterator[str]:
    """Serve on a free port, or on a given one, and yield the URL.

    Who asks early waits in the listener's queue, not in the test.
    """
    with socket.create_server(("127.0.0.1", port)) as listener:
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


def free_port() -> int:
    """A port nobody listens on just now, for a program that must be told one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def until(seen: Callable[[], T], what: str = "it did not happen in time", within_s: float = PATIENCE_S) -> T:
    """Wait for what other processes or threads do; returns what was seen."""
    deadline = time.monotonic() + within_s
    while not (found := seen()):
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
    return found


def browsing(url: str, **options: Any) -> httpx2.Client:
    """A client of a server on this machine. It trusts nobody: to read the public authorities takes 20 ms of a core."""
    return httpx2.Client(base_url=url, trust_env=False, verify=False, **options)


def heard(message: IncomingMessage, event_key: str | None = None) -> ReceivedEvent:
    """The webhook of a message, believed and read; its key is that of the message's creation unless given."""
    return ReceivedEvent(
        tenant_id=message.tenant_id,
        event_key=event_key or f"{message.account_id}:message_created:{message.id}",
        event="message_created",
        delivery_id=None,
        conversation_id=message.conversation_id,
        message_id=message.id,
        message=message,
        ignore_reason=None,
    )


def whatsapp_message(
    tenant_id: str, conversation_id: int, message_id: int, text: str = "hola", contact: Contact | None = None
) -> IncomingMessage:
    """A customer's message by WhatsApp of the morning of 22 November 2026."""
    return IncomingMessage(
        id=message_id,
        tenant_id=tenant_id,
        account_id=1,
        conversation_id=conversation_id,
        inbox_id=7,
        channel="whatsapp",
        contact=contact or Contact(id=5, name="Ana"),
        text=text,
        created_at=datetime(2026, 11, 22, 8, 30, tzinfo=UTC),
    )


def claim_messages(
    connection: sa.Connection, tenant_id: str, conversation_id: int, turn_id: str
) -> tuple[IncomingMessage, ...]:
    """Look for a burst and give it to the turn, as the flow does when the customer need not be waited for."""
    return claim_burst(connection, tenant_id, turn_id, burst(connection, tenant_id, conversation_id, turn_id))


def demo_tenant(shop: DemoShop, shopify_url: str | None = None) -> Tenant:
    """The tenant of a shop of the sandbox, as far as its tools ask; nobody answers at its Chatwoot."""
    spec = shop.spec
    return Tenant(
        tenant_id=spec.tenant_id,
        name=spec.name,
        rut=spec.rut,
        tenant_key="0123456789abcdef",
        chatwoot_url="http://127.0.0.1:1",
        chatwoot_account_ids=(spec.account_id,),
        shopify_url=shopify_url,
        odoo_company_id=spec.odoo_company_id,
        odoo_database=spec.odoo_database,
    )
