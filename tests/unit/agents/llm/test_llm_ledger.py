"""The books: one suite over every ledger."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from smarteros.agents.llm.memory_ledger import MemoryLlmLedger
from smarteros.agents.llm.protocol import LlmCall, LlmLedger, Reservation
from smarteros.agents.llm.stored_ledger import PostgresLlmLedger
from smarteros.domain.llm import Spend, SpendLimit
from smarteros.domain.tenants import TenantScope
from smarteros.store.database import Database

MONTH = "2026-11"
NONE = SpendLimit()


@pytest.fixture(params=["memory", "postgres"])
def ledger(request: pytest.FixtureRequest) -> LlmLedger:
    if request.param == "memory":
        return MemoryLlmLedger()
    return PostgresLlmLedger(request.getfixturevalue("database"))


@pytest.fixture
def ours() -> TenantScope:
    return TenantScope(tenant_id=f"TENANT_LLM_{uuid4().hex[:12].upper()}")


@pytest.fixture
def theirs() -> TenantScope:
    return TenantScope(tenant_id=f"TENANT_LLM_{uuid4().hex[:12].upper()}")


def call(**more: object) -> LlmCall:
    known: dict[str, object] = {
        "conversation_id": 7,
        "message_id": 11,
        "request_hash": "a" * 64,
        "provider": "openai",
        "model": "gpt-4o-mini",
        "outcome": "answered",
        "output": {"reply": "Sí", "citations": [1]},
        "input_tokens": 300,
        "output_tokens": 40,
        "micro_usd": 69,
        "called_at": datetime(2026, 11, 23, 15, tzinfo=UTC),
    }
    return LlmCall.model_validate({**known, **more})


def reservation(micro_usd: int = 500, tokens: int = 2_000, month: str = MONTH) -> Reservation:
    return Reservation(month=month, micro_usd=micro_usd, tokens=tokens)


def test_what_is_set_aside_counts_until_it_is_settled(ledger: LlmLedger, ours: TenantScope):
    assert ledger.reserve(ours, reservation(), NONE)
    assert ledger.spent(ours, MONTH) == Spend(month=MONTH, micro_usd=500, tokens=2_000, calls=0)
    ledger.settle(ours, reservation(), call())
    assert ledger.spent(ours, MONTH) == Spend(month=MONTH, micro_usd=69, tokens=340, calls=1)


@pytest.mark.parametrize("limit", [SpendLimit(micro_usd=999), SpendLimit(tokens=3_999)])
def test_a_reservation_that_does_not_fit_is_refused(ledger: LlmLedger, ours: TenantScope, limit: SpendLimit):
    assert ledger.reserve(ours, reservation(), limit)
    assert not ledger.reserve(ours, reservation(), limit)
    assert ledger.spent(ours, MONTH).micro_usd == 500


def test_the_limit_may_be_reached_exactly(ledger: LlmLedger, ours: TenantScope):
    assert ledger.reserve(ours, reservation(), SpendLimit(micro_usd=500, tokens=2_000))


def test_a_month_and_a_tenant_have_books_of_their_own(ledger: LlmLedger, ours: TenantScope, theirs: TenantScope):
    limit = SpendLimit(micro_usd=500)
    assert ledger.reserve(ours, reservation(), limit)
    assert ledger.reserve(ours, reservation(month="2026-12"), limit)
    assert ledger.reserve(theirs, reservation(), limit)
    assert not ledger.reserve(ours, reservation(), limit)


def test_of_many_calls_at_once_only_as_many_are_let_through_as_fit(ledger: LlmLedger, ours: TenantScope):
    taken: list[bool] = []
    threads = [
        threading.Thread(target=lambda: taken.append(ledger.reserve(ours, reservation(), SpendLimit(micro_usd=1_600))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(taken) == [False] * 5 + [True] * 3


def test_a_call_is_found_again_by_its_message(ledger: LlmLedger, ours: TenantScope, theirs: TenantScope):
    assert ledger.calls(ours, 7, 11) == ()
    ledger.reserve(ours, reservation(), NONE)
    ledger.settle(ours, reservation(), call())
    assert ledger.calls(ours, 7, 11) == (call(),)
    assert ledger.calls(ours, 7, 12) == ()
    assert ledger.calls(theirs, 7, 11) == ()


def test_an_answer_is_kept_as_it_came_first_and_a_fault_is_replaced(ledger: LlmLedger, ours: TenantScope):
    for kept in (
        call(outcome="timeout", output=None),
        call(),
        call(output={"reply": "No", "citations": [1]}),
        call(outcome="unavailable", output=None),
    ):
        ledger.reserve(ours, reservation(), NONE)
        ledger.settle(ours, reservation(), kept)
    assert ledger.calls(ours, 7, 11) == (call(),)
    assert ledger.spent(ours, MONTH).calls == 4


def test_books_are_not_seen_without_their_scope_nor_torn_out(
    database: Database, ours: TenantScope, theirs: TenantScope
):
    ledger = PostgresLlmLedger(database)
    ledger.reserve(ours, reservation(), NONE)
    ledger.settle(ours, reservation(), call())
    for table in ("llm_calls", "llm_spend"):
        count = sa.text(f"SELECT count(*) FROM smos.{table} WHERE tenant_id = :tenant")
        with database.tenant(theirs) as connection:
            assert connection.execute(count, {"tenant": ours.tenant_id}).scalar_one() == 0
        with database.unclaimed() as connection:
            assert connection.execute(count, {"tenant": ours.tenant_id}).scalar_one() == 0
    # What a customer asked may be erased for him; what it cost stays in the books.
    with pytest.raises(ProgrammingError, match="permission denied"), database.tenant(ours) as connection:
        connection.execute(sa.text("DELETE FROM smos.llm_spend"))
