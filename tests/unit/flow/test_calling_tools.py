"""Which tools a turn calls, whatever an agent asks for, and which failures are worth another try."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from tests.unit.flow.bench import TENANT
from tests.unit.store.queued import a_start

from smarteros.contracts.loader import load_contracts
from smarteros.domain.decisions import Action, Decision, DialogueState, Entities, Pending
from smarteros.domain.messages import Contact, IncomingMessage
from smarteros.domain.tools import ToolCall, ToolResult
from smarteros.domain.turns import ClaimedTurn, DecidedTurn, ResolvedTurn
from smarteros.flow.call_tools import CallToolsStep
from smarteros.flow.lanes import SlowLane

CONTRACTS = load_contracts(Path(__file__).parents[3] / "contracts")
TICKET = Action(
    tool="odoo_create_ticket", params={"kind": "return", "invoice_number": "INV-2025-001", "confirmed": True}
)
FIND = Action(tool="odoo_find_invoice", params={"invoice_number": "INV-2025-001"})


class Parts:
    """What the step works with, around tools that always answer the same."""

    contracts, slow_lane = CONTRACTS, SlowLane(1)

    def __init__(self, **result: Any) -> None:
        self.tenants = self.tools = self
        self.calls: list[ToolCall] = []
        self._result = result

    def get(self, _tenant_id: str) -> object:
        return TENANT

    def call(self, _tenant: object, call: ToolCall, _context: object, **_options: Any) -> ToolResult:
        self.calls.append(call)
        return ToolResult(tool=call.tool, **{"outcome": "ok", "data": {}, **self._result})


def play(parts: Parts, action: Action, text: str = "sí", **state: Any) -> ToolResult:
    message = IncomingMessage(
        id=1,
        tenant_id=TENANT.tenant_id,
        account_id=31,
        conversation_id=1,
        inbox_id=3,
        channel="whatsapp",
        contact=Contact(id=1),
        text=text,
        created_at=datetime(2025, 11, 1, tzinfo=UTC),
    )
    decision = Decision(
        intent="return_request", confidence=1.0, route="odoo_invoice_lookup", actions=(action,), entities=ENTITIES
    )
    turn = ClaimedTurn(start=a_start(TENANT.tenant_id, 1), claims=1, lane="slow")
    resolved = ResolvedTurn(messages=(message,), state=DialogueState(**state))
    (result,) = CallToolsStep(cast(Any, parts))(
        turn, resolved, DecidedTurn(flow_id="e2e_ocr_support", decision=decision)
    ).results
    return result


ENTITIES = Entities(amount=39990, date="2025-10-15")


@pytest.mark.parametrize("pending", [None, "cart_offer", "invoice_photo", "invoice_fact"])
def test_an_agent_that_makes_up_a_confirmation_registers_nothing(pending: Pending | None) -> None:
    parts = Parts()
    result = play(parts, TICKET, pending=pending)
    assert (result.outcome, result.error_code, parts.calls) == ("refused", "not_confirmed", [])


def test_a_yes_to_the_offer_is_passed_on() -> None:
    parts = Parts()
    assert play(parts, TICKET, pending="return_offer").outcome == "ok"
    assert [call.tool for call in parts.calls] == ["odoo_create_ticket"]


def test_only_what_may_pass_by_itself_is_tried_again() -> None:
    for retryable, tries in ((True, 2), (False, 1)):
        parts = Parts(outcome="error", data=None, error_code="x", retryable=retryable)
        assert play(parts, FIND).outcome == "error"
        assert len(parts.calls) == tries


def test_the_contract_adds_what_tells_invoices_of_one_number_apart() -> None:
    parts = Parts()
    play(parts, FIND, text="mi boleta es la INV-2025-001, del 15 de octubre, por 39.990")
    (call,) = parts.calls
    assert call.params == {
        "invoice_number": "INV-2025-001",
        "purchase_date": "2025-10-15",
        "total": 39990,
        "document_type": "boleta",
    }
