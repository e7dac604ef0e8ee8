"""How long a shop stands still when it moves: ``python -m tests.dedicated_bench [20000 [200000]]``.

A shop with so many conversations, each with a turn, its audit event and a reply, and so many webhooks received, moves
from one PostgreSQL server to another, each with its disk, on this machine. Prints a table for docs/dedicated.md.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from cryptography.fernet import Fernet

from smarteros.contracts.loader import load_contracts
from smarteros.dedicated.moving import Mover, Step
from smarteros.dedicated.passing_on import PassingOn
from smarteros.dedicated.sides import Side
from smarteros.domain.audit import AuditEvent
from smarteros.domain.audit_chain import AuditSeal
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import SystemClock
from smarteros.kit.http import HttpClient
from smarteros.secrets.encrypted_file import EncryptedFileSecretStore
from smarteros.secrets.keys import GivenKeys
from smarteros.settings import default_contracts_dir
from smarteros.store.audit import append_event
from smarteros.store.database import Database, migrate
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.tenants.directory import TenantDirectory
from tests.support import free_port, serving
from tests.unit.console.conftest import shop
from tests.unit.console.seeds import seed_turn
from tests.unit.tenants.moving_world import Customers, Place

_SHOP = "BENCH_MOVING"
# Each is what the flow has written once, again for every number.
_AGAIN = {
    "conversations": ("conversation_id", "n"),
    "received_events": ("event_key", "'bench:' || n"),
    "turns": ("turn_id, conversation_id, message_id", "t.tenant_id || ':' || n || ':' || n, n, n"),
    "replies": (
        "reply_id, turn_id, conversation_id",
        "md5(n::text)::uuid::text, t.tenant_id || ':' || n || ':' || n, n",
    ),
}
_COLUMNS = sa.text(
    "SELECT column_name FROM information_schema.columns WHERE table_schema = 'smos' AND table_name = :table"
    " AND is_identity = 'NO' AND is_generated = 'NEVER' AND NOT column_name = ANY(:but)"
)
_EVENTS_AT_ONCE = 1000


def main() -> None:
    conversations, webhooks = (int(given) for given in (*sys.argv[1:], "20000", "200000")[:2])
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        http = HttpClient()
        stack.callback(http.close)
        here, there = (_side(Path(folder) / name, name, stack) for name in ("here", "there"))
        for side in (here, there):
            stack.enter_context(serving(Place(side, Customers(), http).edge, port=int(side.url.rpartition(":")[2])))
        tenant = shop(_SHOP, 1)
        here.tenants.save(tenant)
        here.secrets.write(tenant.scope, "chatwoot/hmac_secret", "measured")
        _fill(here.database, tenant, conversations, webhooks)
        _move(here, there, http)


def _side(folder: Path, name: str, stack: ExitStack) -> Side:
    server = stack.enter_context(EmbeddedPostgres(folder / "postgres"))
    migrate(server.url())
    database = Database(server.url(), server.url("smos_app"))
    stack.callback(database.dispose)
    return Side(
        database=database,
        tenants=TenantDirectory(database),
        secrets=EncryptedFileSecretStore(folder / "secrets.enc", GivenKeys(Fernet.generate_key().decode())),
        store=name,
        seal=AuditSeal((name,)),
        operator_token=name,
        url=f"http://127.0.0.1:{free_port()}",
        place=name,
    )


def _fill(database: Database, tenant: Tenant, conversations: int, webhooks: int) -> None:
    """Write the rows of one conversation, and all of them again by SQL; the audit's by who chains them."""
    record = seed_turn(database, tenant, load_contracts(default_contracts_dir()), datetime.now(UTC))
    owner = sa.create_engine(database.owner_url, poolclass=sa.NullPool)
    with owner.begin() as connection:
        for table, (keys, values) in _AGAIN.items():
            others = ", ".join(connection.scalars(_COLUMNS, {"table": table, "but": keys.split(", ")}))
            count = webhooks if table == "received_events" else conversations
            connection.exec_driver_sql(
                f"INSERT INTO smos.{table} ({keys}, {others}) SELECT {values}, {others}"
                f" FROM (SELECT * FROM smos.{table} WHERE tenant_id = '{tenant.tenant_id}' LIMIT 1) AS t,"
                f" generate_series(10000001, {10_000_000 + count}) AS n"
            )
    for first in range(0, conversations, _EVENTS_AT_ONCE):
        with database.tenant(tenant.scope) as connection:
            for number in range(first, min(first + _EVENTS_AT_ONCE, conversations)):
                event = AuditEvent(
                    event_id=f"bench:{number}", topic="smarteros.turns", kind="turn", tenant_id=tenant.tenant_id,
                    flow_id=record.flow_id, timestamp=datetime.now(UTC), details={"outcome": record.outcome},
                )  # fmt: skip
                append_event(connection, event)
    with owner.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")
        size = connection.scalar(sa.text("SELECT pg_database_size(current_database())"))
    print(f"{conversations} conversations, {webhooks} webhooks; the database holds {size / 1e6:.0f} MB")


def _move(here: Side, there: Side, http: HttpClient) -> None:
    began: list[tuple[Step, float]] = []
    clock = SystemClock()
    passing = PassingOn(here.database, here.tenants, here.secrets, http, clock, lambda *_: None)
    mover = Mover(here, there, http, clock, passing, lambda step: began.append((step, time.monotonic())))
    moved = mover.move(_SHOP)
    times = {step: end - at for (step, at), (_, end) in itertools.pairwise(began)}
    print("| step | time |\n|---|---:|")
    for step, time_s in times.items():
        print(f"| `{step}` | {time_s:.1f} s |")
    print(f"{moved.rows} rows, copied at {moved.rows / times['copy']:.0f} rows/s")
    held = ("hold", "drain", "freeze", "catch_up", "switch", "begin")
    print(f"A customer's message waited for {sum(times[step] for step in held):.1f} s at most")


if __name__ == "__main__":
    main()
