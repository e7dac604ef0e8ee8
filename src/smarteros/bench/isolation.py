"""What keeping tenants apart costs: row-level security in a turn's statements, and a secret that is read.

``python -m smarteros.bench.isolation`` measures both on an installation of its own and prints them; docs/security.md
has the figures. The same statements run as the application's role, whom the policies bind, and as a superuser, whom
they do not, turn about: what else the machine does meets both alike.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from smarteros.domain.audit import AuditEvent
from smarteros.domain.decisions import DialogueState
from smarteros.domain.ids import turn_id
from smarteros.domain.messages import Contact, IncomingMessage
from smarteros.domain.tenants import TenantScope
from smarteros.domain.turns import TurnRecord, TurnStart
from smarteros.flow.lanes import PLACES
from smarteros.secrets.encrypted_file import EncryptedFileSecretStore
from smarteros.secrets.keys import KeyFile
from smarteros.store.audit import append_event
from smarteros.store.database import Database, migrate
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.store.events import ReceivedEvent, burst, claim_burst
from smarteros.store.queue import accept_message
from smarteros.store.turns import remembered, save_dialogue, save_turn
from smarteros.store.usage import CountedTurn, standing

SCOPE = TenantScope(tenant_id="TENANT_ISOLATION_BENCH")
_WARM_UP = 30
_ROUNDS = 400
_READS = 2000


def main() -> None:
    """Measure and print JSON."""
    with tempfile.TemporaryDirectory(prefix="smos-isolation-") as name:
        folder = Path(name)
        found = secret_reads_us(folder) | statements_ms(folder)
    sys.stdout.write(json.dumps(found) + "\n")


def secret_reads_us(folder: Path) -> dict[str, float]:
    """Time to read a secret that was read before, in microseconds."""
    key = KeyFile(folder / "key")
    key.make_if_absent()
    store = EncryptedFileSecretStore(folder / "secrets", key)
    store.write(SCOPE, "shopify/admin_token", "measured")
    took: list[float] = []
    for _ in range(_READS):
        started = time.perf_counter()
        store.read(SCOPE, "shopify/admin_token")
        took.append(1e6 * (time.perf_counter() - started))
    return {"secret_read_p50_us": _percentile(took, 0.5), "secret_read_p99_us": _percentile(took, 0.99)}


def statements_ms(folder: Path) -> dict[str, float]:
    """Time of a turn's statements, with the policies and without, in milliseconds."""
    with EmbeddedPostgres(folder / "postgres") as postgres:
        migrate(postgres.url())
        bound = Database(postgres.url(), postgres.url("smos_app"), pool_size=1)
        free = Database(postgres.url(), postgres.url(), pool_size=1)
        took: dict[str, list[float]] = {"bound": [], "free": []}
        for number in range(1, _WARM_UP + _ROUNDS + 1):
            for place, (name, database) in enumerate((("bound", bound), ("free", free))):
                started = time.perf_counter()
                _turn(database, 2 * number + place)
                if number > _WARM_UP:
                    took[name].append(1000 * (time.perf_counter() - started))
        bound.dispose()
        free.dispose()
    with_policies, without = statistics.median(took["bound"]), statistics.median(took["free"])
    return {
        "statements_with_policies_ms": round(with_policies, 3),
        "statements_without_ms": round(without, 3),
        "policies_percent": round(100 * (with_policies / without - 1), 1),
    }


def _turn(database: Database, number: int) -> None:
    """The statements of a FAQ turn that touch tables of tenants, in its transactions."""
    tenant_id, now = SCOPE.tenant_id, datetime.now(UTC)
    own_id = turn_id(tenant_id, number, 1)
    start = TurnStart(
        turn_id=own_id, tenant_id=tenant_id, account_id=1, conversation_id=number, message_id=1, received_at=now
    )
    with database.statement() as connection:
        accept_message(connection, _received(number, now), start, PLACES["quick"])
    with database.tenant(SCOPE) as connection:
        remembered(connection, tenant_id, number)
        claim_burst(connection, tenant_id, own_id, burst(connection, tenant_id, number, own_id))
        standing(connection, tenant_id, number, "2026-11")
    record = TurnRecord(
        turn_id=own_id, tenant_id=tenant_id, flow_id="e2e_faq_quick", conversation_id=number, message_id=1,
        received_at=now, finished_at=now, outcome="answered", reply_text="Atendemos de lunes a viernes.",
    )  # fmt: skip
    event = AuditEvent(
        event_id=f"turn:{own_id}", topic="smarteros.audit.faq", kind="turn", tenant_id=tenant_id,
        conversation_id=number, timestamp=now,
    )  # fmt: skip
    with database.tenant(SCOPE) as connection:
        save_dialogue(connection, tenant_id, number, DialogueState(), ("hola",), CountedTurn(month="2026-11", turns=1))
        save_turn(connection, record)
        append_event(connection, event)


def _received(number: int, now: datetime) -> ReceivedEvent:
    message = IncomingMessage(
        id=1, tenant_id=SCOPE.tenant_id, account_id=1, conversation_id=number, inbox_id=1, channel="whatsapp",
        contact=Contact(id=number), text="¿Cuál es el horario de atención?", created_at=now,
    )  # fmt: skip
    return ReceivedEvent(
        tenant_id=SCOPE.tenant_id, event_key=f"1:message_created:{number}", event="message_created", delivery_id=None,
        conversation_id=number, message_id=1, message=message, ignore_reason=None,
    )  # fmt: skip


def _percentile(took: list[float], part: float) -> float:
    return round(sorted(took)[int(part * (len(took) - 1))], 1)


if __name__ == "__main__":
    main()
