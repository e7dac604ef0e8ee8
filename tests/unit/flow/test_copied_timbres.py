"""A copied timbre verifies as well as the original: who shows it first has it, the next one meets a person."""

from __future__ import annotations

from itertools import count

import pytest
import sqlalchemy as sa
from tests.unit.flow.bench import Bench
from tests.unit.flow.test_photos import SURE, Photos, resolve

from smarteros.domain.turns import DocumentReading
from smarteros.flow.resolve import CLAIMED
from smarteros.store.claim_tables import document_claims

_folios = count(1)


@pytest.fixture
def shown() -> DocumentReading:
    """A genuine timbre nobody has shown yet."""
    return SURE.model_copy(update={"document_key": f"76543210-3|39|{next(_folios)}"})


def claimed_by(bench: Bench, reading: DocumentReading, customer: str) -> None:
    tenant = bench.parts.tenants.get("any")
    row = {
        "tenant_id": tenant.tenant_id, "document_key": reading.document_key, "customer": customer, "conversation_id": 1,
    }  # fmt: skip
    with bench.parts.database.tenant(tenant.scope) as connection:
        connection.execute(sa.insert(document_claims).values(**row))


def test_the_first_to_show_a_document_has_it(bench: Bench, shown: DocumentReading) -> None:
    assert resolve(bench, Photos(shown), (0,)).reading == shown


def test_another_customers_document_goes_to_a_person(bench: Bench, shown: DocumentReading) -> None:
    claimed_by(bench, shown, "1:somebody else")
    reading = resolve(bench, Photos(shown), (0,)).reading
    assert reading is not None
    assert (reading.timbre, reading.timbre_reason, reading.fraud) == ("no_verificable", CLAIMED, CLAIMED)
    assert not reading.trusted


def test_a_timbre_that_is_not_verified_claims_nothing(bench: Bench, shown: DocumentReading) -> None:
    unknown = shown.model_copy(update={"timbre": "no_verificable"})
    claimed_by(bench, shown, "1:somebody else")
    assert resolve(bench, Photos(unknown), (0,)).reading == unknown
