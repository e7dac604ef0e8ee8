"""Promises kept and broken: the verdict on a turn, the arithmetic of the budget, and `smos slo`."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.flow.bench import TENANT, Bench
from tests.unit.store.queued import a_start
from typer.testing import CliRunner

from smarteros.cli.main import app
from smarteros.contracts.loader import load_contracts
from smarteros.domain.errors import PermanentError
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import Outcome, TurnCause, TurnRecord, Verdict
from smarteros.flow.workflow import TurnWorkflow
from smarteros.observability.metrics import REGISTRY
from smarteros.observability.slo import Promises, budgets, verdict
from smarteros.settings import default_contracts_dir
from smarteros.store.database import Database
from smarteros.store.turns import list_turns, save_turn

CONTRACTS = load_contracts(default_contracts_dir())
FAQ = CONTRACTS.by_id["e2e_faq_quick"]  # 98 % succeed, 95 % within 2 s
NOW = datetime.now(UTC)
_verdict_counts = st.integers(min_value=0, max_value=10_000)


@pytest.mark.parametrize(
    ("outcome", "cause", "waited_ms", "judged"),
    [
        ("answered", "message", 2_000, "kept"),
        ("escalated", "message", 2_000, "kept"),  # a person in time is a success
        ("answered", "message", 2_001, "late"),
        ("answered", "message", 6_000, "late"),
        ("answered", "message", 6_001, "broken"),  # nobody waits three times as long as was promised
        ("failed", "message", 10, "broken"),  # no exception left the house, and yet there was silence
        ("merged", "message", 10, None),
        ("muted", "message", 10, None),  # a person has the conversation: silence is right
        ("escalated", "delivery_failed", 10, None),
        ("failed", "human_reply", 10, None),
    ],
)
def test_a_turn_is_judged_by_what_the_customer_got_and_when(
    outcome: Outcome, cause: TurnCause, waited_ms: int, judged: Verdict | None
) -> None:
    assert verdict(outcome, cause, waited_ms, FAQ.slo) == judged


def test_the_budget_of_a_promise_is_what_may_be_missed_and_who_still_waits_has_been_failed() -> None:
    window = Promises(kept=970, late=20, broken=8, overdue=2)
    success, latency = budgets("SHOP", FAQ, window, recent=Promises(kept=9, broken=1))

    assert (success.turns, success.bad, success.reached, success.left) == (1000, 10, 0.99, 0.5)
    assert (latency.bad, latency.reached, latency.left) == (30, 0.97, 0.4)
    assert (success.burn_rate, latency.burn_rate) == (5.0, 2.0)
    assert success.window == "30d"


def test_without_turns_nothing_is_claimed() -> None:
    for budget in budgets("SHOP", FAQ, Promises(), Promises()):
        assert (budget.turns, budget.reached, budget.left, budget.burn_rate) == (0, None, None, None)


@given(_verdict_counts, _verdict_counts, _verdict_counts)
def test_a_budget_is_overdrawn_exactly_when_the_promise_is_not_reached(kept: int, late: int, broken: int) -> None:
    window = Promises(kept=kept, late=late, broken=broken)
    for budget in budgets("SHOP", FAQ, window, window):
        if budget.left is not None and budget.reached is not None and budget.burn_rate is not None:
            assert (budget.left < 0) == (budget.reached < budget.promised) or budget.left == pytest.approx(0, abs=1e-4)
            assert budget.burn_rate == pytest.approx(1 - budget.left, abs=1e-5)


def test_a_broken_promise_is_in_the_record_and_in_the_figures(bench: Bench) -> None:
    labels = {"tenant": TENANT.tenant_id, "flow": FAQ.flow_id, "verdict": "broken"}
    before = REGISTRY.get_sample_value("smos_slo_turns_total", labels) or 0.0

    class Broken:
        def decide(self, request: object) -> Any:
            raise PermanentError("agent_broken", "for the test")

    class Away:
        """Nothing can be said or handed over."""

        def __getattr__(self, name: str) -> Any:
            raise PermanentError("channel_away", "for the test")

    bench.receive(1)
    parts = replace(bench.parts, contracts=CONTRACTS, agent=cast("Any", Broken()), channel=cast("Any", Away()))
    assert TurnWorkflow(parts).run(bench.claim(1)) == "failed"
    with bench.database.tenant(TENANT.scope) as connection:
        (record,) = list_turns(connection, TENANT.tenant_id, bench.conversation_id, 1)
    assert record.verdict == "broken"
    assert REGISTRY.get_sample_value("smos_slo_turns_total", labels) == before + 1


@pytest.fixture
def shop(database: Database, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    """A shop whose installation the command opens."""
    tenant = TENANT.model_copy(update={"tenant_id": "SLO_SHOP"})
    tenants = SimpleNamespace(all=lambda: (tenant,), get=lambda _: tenant)

    @contextmanager
    def services(_settings: object) -> Generator[Any]:
        yield SimpleNamespace(database=database, tenants=tenants, contracts=CONTRACTS)

    monkeypatch.setattr("smarteros.bootstrap.open_services", services)
    with database.tenant(tenant.scope) as connection:
        connection.exec_driver_sql("DELETE FROM smos.turns WHERE tenant_id = 'SLO_SHOP'")
    return tenant


def ended(database: Database, tenant: Tenant, flow_id: str, *verdicts: Verdict | None) -> None:
    with database.tenant(tenant.scope) as connection:
        for number, judged in enumerate(verdicts):
            record = TurnRecord(
                turn_id=f"{tenant.tenant_id}:{flow_id}:{number}",
                tenant_id=tenant.tenant_id,
                flow_id=flow_id,
                conversation_id=1,
                message_id=number,
                received_at=NOW,
                outcome="answered",
                verdict=judged,
            )
            save_turn(connection, record)


def told(*arguments: str) -> tuple[int, dict[tuple[str, str], dict[str, Any]]]:
    done = CliRunner().invoke(app, ["slo", "--json", *arguments])
    return done.exit_code, {(each["flow_id"], each["objective"]): each for each in json.loads(done.stdout)}


def test_the_command_tells_what_is_left_of_every_flow(database: Database, shop: Tenant, turn_queue: object) -> None:
    ended(database, shop, "e2e_shopify_sales", *["kept"] * 39, "late", None)
    code, found = told("--tenant", shop.tenant_id)

    assert code == 0
    assert {flow for flow, _ in found} == set(CONTRACTS.by_id)
    success, latency = (found["e2e_shopify_sales", objective] for objective in ("success", "latency"))
    assert (success["turns"], success["bad"], success["left"]) == (40, 0, 1.0)
    assert (latency["turns"], latency["bad"], latency["reached"], latency["left"]) == (40, 1, 0.975, 0.5)
    assert found["e2e_faq_quick", "success"]["left"] is None
    shown = CliRunner().invoke(app, ["slo"], env={"COLUMNS": "200"})
    assert "97.5%" in shown.stdout
    assert "50.0%" in shown.stdout


def test_a_budget_that_is_spent_is_an_exit_code(database: Database, shop: Tenant, turn_queue: object) -> None:
    ended(database, shop, FAQ.flow_id, *["kept"] * 9, "broken")
    code, found = told()
    assert code == 1
    assert found[FAQ.flow_id, "success"]["left"] == -4.0


def test_customers_nobody_has_answered_yet_count_once_they_have_waited_too_long(
    database: Database, shop: Tenant, turn_queue: Any
) -> None:
    ended(database, shop, FAQ.flow_id, *["kept"] * 98)
    for conversation, ago in ((1, timedelta(seconds=30)), (2, timedelta(seconds=1))):
        start = a_start(shop.tenant_id, conversation)
        turn_queue.enqueue(start)
        turn_queue.ask(
            "UPDATE smos.waiting_turns SET enqueued_at = clock_timestamp() - %s::interval WHERE turn_id = %s",
            ago,
            start.turn_id,
        )
    _, found = told()
    assert (found[FAQ.flow_id, "success"]["turns"], found[FAQ.flow_id, "success"]["bad"]) == (99, 1)
    assert found["e2e_ocr_support", "success"]["turns"] == 0
