"""Attacks around a rotation of Chatwoot's secret: the old one afterwards, another shop's, forged ones in numbers."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.test_secret_stores import Place, place
from tests.unit.store.queued import TurnQueue, turn_queue
from tests.vault_server import HATS, SHOES, RecordingHttp, Time, VaultServer

from smarteros.channels.chatwoot.signatures import sign_v1
from smarteros.contracts.exporters.vault import OPERATOR, SERVER
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tenants import Tenant, TenantScope
from smarteros.edge.receive import Receiver
from smarteros.flow.engine import Engine
from smarteros.secrets.protocol import SecretStore
from smarteros.store.audit import list_events
from smarteros.store.database import Database
from smarteros.tenants.directory import TenantDirectory

__all__ = ["place", "turn_queue"]
HMAC = "chatwoot/hmac_secret"
BODY = (Path(__file__).parents[1] / "fixtures" / "chatwoot" / "message_created.whatsapp_text.json").read_bytes()
ACCOUNTS = {SHOES.tenant_id: 9711, HATS.tenant_id: 9712}
_ids = itertools.count(710_000)


class Edge:
    """A receiver of two shops, which keeps its secrets for a while, and the operator in another process."""

    def __init__(self, database: Database, place: Place, secrets: SecretStore) -> None:
        self.database, self.place, self.operator = database, place, place.opened()
        directory = TenantDirectory(database)
        for tenant_id, account in ACCOUNTS.items():
            directory.save(shop(tenant_id, account))
            self.operator.write(TenantScope(tenant_id=tenant_id), HMAC, f"old of {tenant_id}")
        engine = Engine(database.owner_url, None)  # it accepts and runs nothing
        self._receiver = Receiver(database, directory, secrets, engine, place.time)

    def post(self, secret: str, scope: TenantScope = SHOES, *, age: timedelta = timedelta()) -> str:
        """Deliver a message signed with a secret; returns what became of it, or the code of the refusal."""
        body: dict[str, Any] = json.loads(BODY)
        body |= {"id": next(_ids), "account": {"id": ACCOUNTS[scope.tenant_id], "name": "x"}}
        raw = json.dumps(body).encode()
        timestamp = int((self.place.time.now() - age).timestamp())
        headers = {"x-chatwoot-signature": sign_v1(raw, secret, timestamp), "x-chatwoot-timestamp": str(timestamp)}
        try:
            return self._receiver.receive(raw, headers, f"key-of-{scope.tenant_id}").status
        except RejectedInputError as refused:
            assert (refused.status, refused.public_message) == (401, "Invalid HMAC signature")
            return refused.code

    def rotate(self, value: str, overlap: timedelta) -> None:
        self.operator.rotate(SHOES, HMAC, value, overlap)
        self.place.time.passed += timedelta(seconds=0.3)


def shop(tenant_id: str, account_id: int) -> Tenant:
    return Tenant(
        tenant_id=tenant_id,
        name="Tienda",
        rut="76192083-9",
        tenant_key=f"key-of-{tenant_id}",
        chatwoot_url="https://rotacion.example.cl",
        chatwoot_account_ids=(account_id,),
    )


@pytest.fixture
def edge(database: Database, place: Place, turn_queue: TurnQueue) -> Iterator[Edge]:
    yield Edge(database, place, place.opened())


def test_the_old_secret_after_its_end(edge: Edge) -> None:
    assert edge.post(f"old of {SHOES.tenant_id}") == "accepted"
    edge.rotate("new", timedelta(hours=24))
    assert (edge.post("new"), edge.post(f"old of {SHOES.tenant_id}")) == ("accepted", "accepted")

    edge.place.time.passed += timedelta(hours=24)
    assert edge.post(f"old of {SHOES.tenant_id}") == "invalid_signature"
    assert edge.post("new") == "accepted"
    with edge.database.unclaimed() as connection:
        refused = list_events(connection, "", None, 1)[0]
    assert refused.details["code"] == "invalid_signature"
    assert "old" not in refused.model_dump_json()


def test_the_old_secret_after_the_operator_ended_the_rotation_because_it_leaked(edge: Edge) -> None:
    edge.rotate("new", timedelta(hours=24))
    assert edge.post(f"old of {SHOES.tenant_id}") == "accepted"
    edge.operator.write(SHOES, HMAC, "newest")
    edge.place.time.passed += timedelta(seconds=61)

    assert edge.post("newest") == "accepted"
    assert [edge.post(secret) for secret in (f"old of {SHOES.tenant_id}", "new")] == ["invalid_signature"] * 2


def test_a_delivery_recorded_during_the_rotation(edge: Edge) -> None:
    edge.rotate("new", timedelta(hours=24))
    assert edge.post("new", age=timedelta(seconds=301)) == "stale_timestamp"
    assert edge.post(f"old of {SHOES.tenant_id}", age=timedelta(seconds=301)) == "stale_timestamp"


def test_one_shops_secrets_at_the_door_of_the_other(edge: Edge) -> None:
    edge.rotate("new", timedelta(hours=24))
    for secret in ("new", f"old of {SHOES.tenant_id}", ""):
        assert edge.post(secret, HATS) == "invalid_signature"
    assert edge.post(f"old of {HATS.tenant_id}", HATS) == "accepted"


def test_a_flood_of_forged_deliveries_asks_vault_once(
    database: Database, vault: VaultServer, turn_queue: TurnQueue, request: pytest.FixtureRequest
) -> None:
    vault.empty()
    time, http = Time(), RecordingHttp(ca_file=vault.ca_file)
    request.addfinalizer(http.close)
    operators = vault.credentials(OPERATOR)
    place = Place(lambda: vault.store(http, operators, time), time)
    edge = Edge(database, place, vault.store(http, vault.credentials(SERVER), time))
    assert edge.post(f"old of {SHOES.tenant_id}") == "accepted"
    time.passed += timedelta(seconds=6)
    http.asked.clear()

    assert [edge.post(f"guess {number}") for number in range(20)] == ["invalid_signature"] * 20
    # Once for each of the three secrets a delivery may be signed with, in both shapes.
    assert len(http.asked) <= 6
