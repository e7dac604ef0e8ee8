"""A receiver that hears of one conversation; what it opens waits in the queue."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import time
from pathlib import Path
from typing import Any, cast

from tests.support import MemorySecrets
from tests.unit.flow.bench import TENANT, Bench

from smarteros.domain.turns import TurnStart
from smarteros.edge.rate_limit import TenantRate
from smarteros.edge.receive import Receipt, Receiver
from smarteros.flow.engine import Engine
from smarteros.kit.clock import SystemClock
from smarteros.store.turns import muted_reason

FIXTURES = Path(__file__).parents[2] / "fixtures" / "chatwoot"
message_ids = itertools.count(700_000)


class Tenants:
    def by_key(self, tenant_key: str) -> Any:
        return TENANT

    def get(self, tenant_id: str) -> Any:
        return TENANT


class Hearing:
    """The receiver, hearing of one conversation."""

    def __init__(self, bench: Bench, rate: TenantRate | None = None) -> None:
        self.bench = bench
        self.engine = Engine(bench.database.owner_url, None)  # it accepts and runs nothing
        secrets = MemorySecrets({(TENANT.tenant_id, "chatwoot/hmac_secret"): "s3cret"})
        self.receiver = Receiver(bench.database, cast("Any", Tenants()), secrets, self.engine, SystemClock(), rate)

    def body(self, name: str, **changes: Any) -> dict[str, Any]:
        """An event of the conversation, by the name of its fixture; ``a__b`` changes ``b`` of ``a``."""
        body: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_bytes())
        body |= {"account": {"id": 31}}
        if "message" in name:
            body |= {"id": next(message_ids)}
            body["conversation"]["id"] = self.bench.conversation_id
        else:
            body |= {"id": self.bench.conversation_id}
        for path, value in changes.items():
            *parents, last = path.split("__")
            target = body
            for parent in parents:
                target = target[parent]
            target[last] = value
        return body

    def hear(self, name: str, **changes: Any) -> Receipt:
        body = self.body(name, **changes)
        raw = json.dumps(body).encode()
        stamp = str(int(time.time()))
        signature = hmac.new(b"s3cret", stamp.encode() + b"." + raw, hashlib.sha256).hexdigest()
        headers = {"x-chatwoot-timestamp": stamp, "x-chatwoot-signature": f"sha256={signature}"}
        return self.receiver.receive(raw, headers, TENANT.tenant_key)

    @property
    def accepted(self) -> list[TurnStart]:
        """The turns that wait, in the order they were opened."""
        return self.bench.queue.starts()

    @property
    def muted_reason(self) -> str | None:
        with self.bench.database.tenant(TENANT.scope) as connection:
            return muted_reason(connection, TENANT.tenant_id, self.bench.conversation_id)
