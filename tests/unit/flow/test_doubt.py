"""A doubtful decision becomes a question with options, in the words of the contract."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from tests.unit.flow.bench import TENANT
from tests.unit.store.queued import a_start

from smarteros.contracts.expressions import ReplyContext
from smarteros.contracts.loader import load_contracts
from smarteros.domain.decisions import (
    ROUTE_OF_INTENT,
    AgentRequest,
    Candidate,
    Decision,
    DialogueState,
    Intent,
    Route,
)
from smarteros.domain.knowledge import Policy
from smarteros.domain.messages import Contact, IncomingMessage
from smarteros.domain.tools import ToolResult
from smarteros.domain.turns import ClaimedTurn, DecidedTurn, ResolvedTurn
from smarteros.flow.context import reply_context
from smarteros.flow.decide import DecideStep
from smarteros.flow.sources import Sources
from smarteros.flow.wording import ChosenText, written_reply
from smarteros.kit.stated_facts import Fact

CONTRACTS = load_contracts(Path(__file__).parents[3] / "contracts")
DOUBTFUL = Decision(
    intent="faq_shipping",
    confidence=0.5,
    route="kb_direct",
    reply="El envío cuesta $3.990.",
    candidates=(
        Candidate(intent="faq_shipping", probability=0.5),
        Candidate(intent="order_status", probability=0.4),
        Candidate(intent="greeting", probability=0.1),
    ),
)


class Tenants:
    def get(self, _tenant_id: str) -> object:
        return TENANT


class Parts:
    """What the decide step works with, around an agent that always decides the same."""

    tenants, contracts = Tenants(), CONTRACTS

    def __init__(self, decision: Decision) -> None:
        self.agent, self._decision = self, decision

    def decide(self, _request: AgentRequest) -> Decision:
        return self._decision

    def patiently(self, work: Any) -> Any:
        return work()


def resolved(**state: Any) -> ResolvedTurn:
    message = IncomingMessage(
        id=1,
        tenant_id=TENANT.tenant_id,
        account_id=31,
        conversation_id=1,
        inbox_id=7,
        channel="whatsapp",
        contact=Contact(id=1),
        text="quiero saber del envío",
        created_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
    )
    return ResolvedTurn(messages=(message,), state=DialogueState(**state))


def decided(decision: Decision) -> DecidedTurn:
    turn = ClaimedTurn(start=a_start(TENANT.tenant_id, 1), claims=1)
    return DecideStep(cast(Any, Parts(decision)))(turn, resolved())


class Founded(Sources):
    """Whatever is said has a source: what is asked here is which of the contract's texts is said."""

    def unfounded(self, text: str, *, bounds: bool = False, also: tuple[str, ...] = ()) -> tuple[Fact, ...]:
        return ()


def worded(turn: DecidedTurn, *results: ToolResult, **state: Any) -> ChosenText:
    facts: ReplyContext = reply_context(TENANT, Policy(), resolved(**state), turn, results)
    assert facts.today == date(2026, 11, 22)
    sources = Founded(cast(Any, None), TENANT, Policy(), resolved(**state), turn, results)
    return written_reply(CONTRACTS.by_id[turn.flow_id], facts, sources)


def said(turn: DecidedTurn, **state: Any) -> tuple[str, str, bool]:
    chosen = worded(turn, **state)
    return chosen.rule, chosen.text, chosen.escalate


@pytest.mark.parametrize(
    ("intent", "confidence", "route"),
    [
        ("faq_shipping", 0.79, "clarify"),
        ("faq_shipping", 0.80, "kb_direct"),
        ("product_query", 0.49, "clarify"),
        ("product_query", 0.50, "shopify_sales"),
        ("warranty_inquiry", 0.49, "clarify"),
        ("warranty_inquiry", 0.50, "odoo_invoice_lookup"),
    ],
)
def test_each_intent_is_believed_from_the_threshold_its_contract_gives_it(
    intent: Intent, confidence: float, route: Route
):
    decision = DOUBTFUL.model_copy(
        update={"intent": intent, "confidence": confidence, "route": ROUTE_OF_INTENT[intent]}
    )
    assert decided(decision).decision.route == route


def test_what_is_probable_is_offered_and_nothing_is_answered():
    turn = decided(DOUBTFUL)
    assert (turn.decision.route, turn.decision.reply) == ("clarify", None)
    assert turn.decision.options == ("faq_shipping", "order_status")
    assert said(turn) == (
        "clarify_options",
        "No estoy seguro de entender. ¿Preguntas por los costos y plazos de envío o por el despacho de un pedido "
        "que ya hiciste?",
        False,
    )


def test_in_english_too():
    turn = decided(DOUBTFUL.model_copy(update={"language": "en"}))
    assert said(turn)[1].startswith("I'm not sure I understand. Are you asking about shipping costs and times or about")


def test_a_second_doubt_goes_to_a_person():
    rule, text, escalate = said(decided(DOUBTFUL), clarifications=1)
    assert (rule, escalate) == ("clarified_before", True)
    assert "agente humano" in text


def test_without_anything_probable_the_question_is_plain():
    turn = decided(DOUBTFUL.model_copy(update={"intent": "ambiguous", "route": "clarify", "candidates": ()}))
    assert turn.decision.options == ()
    assert said(turn)[1] == "No estoy seguro de entender. ¿Podrías ser más específico?"


def test_what_is_sure_is_answered():
    assert decided(DOUBTFUL.model_copy(update={"confidence": 0.95})).decision.route == "kb_direct"


@pytest.mark.parametrize(("told", "expected"), [(None, True), ("pt", False)])
def test_portuguese_is_told_once_that_the_answer_is_spanish(told: str | None, expected: bool):
    turn = decided(DOUBTFUL.model_copy(update={"confidence": 0.95, "foreign": "pt"}))
    text = said(turn, foreign=told)[1]
    assert ("Vi que escribes en portugués" in text) is expected
    assert "El envío cuesta $3.990." in text
