"""What a shop may use: by its tier, by what was agreed with it; and what the operator sees of it."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import uuid4

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from smarteros.agents.llm.protocol import Reservation
from smarteros.agents.llm.stored_ledger import PostgresLlmLedger
from smarteros.cli.main import app
from smarteros.documents.vision_books import PostgresVisionBooks
from smarteros.domain.decisions import DialogueState
from smarteros.domain.limits import AgreedLimits, Limits
from smarteros.domain.llm import SpendLimit
from smarteros.domain.tenants import Tenant
from smarteros.edge.errors import RefusedRequestError
from smarteros.edge.rate_limit import TenantRate
from smarteros.kit.clock import FixedClock
from smarteros.store.audit import list_events
from smarteros.store.database import Database
from smarteros.store.turns import save_dialogue
from smarteros.store.usage import CountedTurn
from smarteros.tenants.limit_notices import LimitNotices

MONTH = "2026-11"
CLOCK = FixedClock(datetime(2026, 11, 30, 15, tzinfo=UTC))


def a_shop(**changes: object) -> Tenant:
    known: dict[str, object] = {
        "tenant_id": f"TENANT_LIMITS_{uuid4().hex[:10].upper()}",
        "name": "Tienda",
        "rut": "76123456-0",
        "tenant_key": "k" * 24,
        "chatwoot_url": "https://chat.example",
        "chatwoot_account_ids": (31,),
    }
    return Tenant.model_validate(known | changes)


@pytest.mark.parametrize(("tier", "most"), [("free", 1_000), ("pro", 10_000), ("enterprise", None)])
def test_a_tier_says_how_many_conversations_a_month_may_have(tier: str, most: int | None) -> None:
    assert a_shop(tier=tier).may_use.conversations_per_month == most


def test_what_was_agreed_stands_in_the_place_of_the_tiers(database: Database) -> None:
    agreed = AgreedLimits(conversations_per_month="unlimited", requests_per_minute=300, monthly_usd_cents=0)

    assert a_shop(limits=agreed).may_use == Limits(requests_per_minute=300, monthly_usd_cents=0)
    assert Tenant.model_validate_json(a_shop(limits=agreed).model_dump_json()).limits == agreed


@pytest.mark.parametrize("wrong", [{"requests_per_minute": 0}, {"monthly_usd_cents": -1}, {"conversations": 5}])
def test_a_limit_that_cannot_be_meant_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        a_shop(limits=wrong)


def test_a_program_over_its_share_is_told_when_to_come_again_and_the_operator_is_told_once(database: Database) -> None:
    shop = a_shop(limits=AgreedLimits(requests_per_minute=2))
    notices = LimitNotices(database, CLOCK)
    rate = TenantRate(1_000, notices)
    for _ in range(2):
        rate.require(shop)
    for _ in range(3):
        with pytest.raises(RefusedRequestError) as refused:
            rate.require(shop)

    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "30"})
    notices.close()
    with database.tenant(shop.scope) as connection:
        events = list_events(connection, shop.tenant_id, None, 10)
    assert [(event.kind, event.details["period"]) for event in events] == [("limit_reached", "2026-11-30T12")]


def test_a_shop_without_a_limit_is_never_counted(database: Database) -> None:
    rate = TenantRate(1, LimitNotices(database, CLOCK))
    shop = a_shop(limits=AgreedLimits(requests_per_minute="unlimited"))

    assert [rate.exceeded_s(shop) for _ in range(50)] == [0.0] * 50


def test_two_processes_that_tell_of_the_same_limit_write_one_event(database: Database) -> None:
    shop = a_shop()
    for _ in range(2):
        LimitNotices(database, CLOCK).tell(shop.scope, "monthly_spend")

    with database.tenant(shop.scope) as connection:
        assert len(list_events(connection, shop.tenant_id, None, 10)) == 1


def test_the_operator_sees_what_a_month_is_billed_by(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = a_shop(limits=AgreedLimits(monthly_usd_cents=500))
    ledger = PostgresLlmLedger(database)
    tenants = SimpleNamespace(get=lambda _id: shop, all=lambda: (shop,))

    @contextmanager
    def services(_settings: object) -> Generator[SimpleNamespace]:
        settings = SimpleNamespace(requests_per_minute=100)
        yield SimpleNamespace(tenants=tenants, database=database, llm_ledger=ledger, settings=settings)

    monkeypatch.setattr("smarteros.bootstrap.open_services", services)
    ledger.reserve(shop.scope, Reservation(MONTH, 120_000, 900), SpendLimit())
    PostgresVisionBooks(database).take(shop.scope, MONTH, None)
    with database.tenant(shop.scope) as connection:
        for conversation_id, counted in ((1, {"turns": 1}), (1, {"turns": 1}), (2, {"refused": 1})):
            worked = CountedTurn(month=MONTH, **counted)
            save_dialogue(connection, shop.tenant_id, conversation_id, DialogueState(), (), worked)

    printed = CliRunner().invoke(app, ["usage", "--month", MONTH, "--json"])
    (used,) = json.loads(printed.stdout)["tenants"]
    assert (used["conversations"], used["turns"], used["refused_conversations"]) == (1, 2, 1)
    assert (used["llm_micro_usd"], used["ocr_images"], used["micro_usd"]) == (120_000, 1, 120_000)
    limits = {"requests_per_minute": 100, "conversations_per_month": 1000, "monthly_usd_cents": 500}
    assert used["limits"] == limits
    in_words = CliRunner().invoke(app, ["usage", "--tenant", shop.tenant_id, "--month", MONTH]).stdout
    assert "1 of 1000, 2 turns" in in_words
    assert "US$ 0.12 of 5.00" in in_words
    assert "1 turns of 1 conversations went to a person" in in_words


@pytest.mark.parametrize("month", ["2026-13", "noviembre", "2026-11-03", ""])
def test_a_month_that_is_none_is_refused(month: str) -> None:
    assert CliRunner().invoke(app, ["usage", "--month", month]).exit_code == 2
