"""Which turns leave word for the alert sinks, and that they reach them without the turn's doing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.unit.flow.bench import TENANT, Bench

from smarteros.contracts.loader import load_contracts
from smarteros.domain.decisions import Decision
from smarteros.domain.turns import (
    ClaimedTurn,
    DecidedTurn,
    Outcome,
    Replied,
    ResolvedTurn,
    ToolsCalled,
    TurnRecord,
    TurnStory,
)
from smarteros.flow.alarm import moment_of
from smarteros.flow.audit import AuditStep
from smarteros.flow.given_back import OvertakenError
from smarteros.settings import default_contracts_dir
from smarteros.store.alerts import open_alerts

LOADED = load_contracts(default_contracts_dir())
CONTRACTS = LOADED.by_id


def record(flow_id: str, outcome: Outcome, rule: str | None) -> TurnRecord:
    return TurnRecord(
        turn_id="t1",
        tenant_id="FLOW_SHOP",
        flow_id=flow_id,
        conversation_id=9,
        message_id=1,
        received_at=datetime(2026, 11, 23, tzinfo=UTC),
        outcome=outcome,
        rule=rule,
    )


@pytest.mark.parametrize("flow_id", sorted(CONTRACTS))
def test_every_flow_calls_for_help_when_a_customer_loses_patience(flow_id: str) -> None:
    alert = moment_of(CONTRACTS[flow_id], record(flow_id, "escalated", "frustration"))

    assert alert is not None
    assert (alert.notify, alert.subject, alert.moment) == (("slack", "email"), "9", True)


@pytest.mark.parametrize(("outcome", "rule"), [("escalated", "error"), ("answered", "found"), ("muted", None)])
def test_other_turns_call_for_nobody(outcome: Outcome, rule: str | None) -> None:
    assert moment_of(CONTRACTS["e2e_faq_quick"], record("e2e_faq_quick", outcome, rule)) is None


def impatient(bench: Bench, turn: ClaimedTurn) -> None:
    """End a turn as it ends when a customer loses patience."""
    decision = Decision.model_validate({"intent": "complaint", "confidence": 0.9, "route": "human_handoff"})
    story = TurnStory(
        resolved=ResolvedTurn(),
        decided=DecidedTurn(flow_id="e2e_faq_quick", decision=decision),
        called=ToolsCalled(),
        replied=Replied(outcome="escalated", rule="frustration", text="Lamento la molestia."),
    )
    AuditStep(replace(bench.parts, contracts=LOADED))(turn, story)


def words_left(bench: Bench) -> list[str | None]:
    with bench.database.tenant(TENANT.scope) as connection:
        about = [alert.subject for alert in open_alerts(connection, TENANT.tenant_id)]
    return [subject for subject in about if subject == str(bench.conversation_id)]


def test_a_turn_leaves_word_when_it_ends_and_sends_nothing_itself(bench: Bench) -> None:
    bench.receive(1, "¡Llevo una hora esperando!")
    impatient(bench, bench.claim(1))

    assert words_left(bench) == [str(bench.conversation_id)]


def test_a_worker_that_was_taken_for_dead_leaves_no_second_word(bench: Bench) -> None:
    bench.receive(1, "¡Llevo una hora esperando!")
    late = bench.claim(1)
    impatient(bench, bench.take_over(1))
    with pytest.raises(OvertakenError):
        impatient(bench, late)

    assert words_left(bench) == [str(bench.conversation_id)]
