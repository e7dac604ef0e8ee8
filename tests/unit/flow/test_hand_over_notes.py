"""What people find when a conversation is handed to them: the note with its links, and where the flow put it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support import MemorySecrets
from tests.unit.flow.bench import LOADED, TENANT, Bench

from smarteros.contracts.models import HandOver
from smarteros.domain.errors import ConfigError, PermanentError
from smarteros.domain.messages import Attachment, Contact, Desk, IncomingMessage
from smarteros.domain.tools import ToolResult
from smarteros.domain.turns import BUILT_IN_RULES, ResolvedTurn, ToolsCalled
from smarteros.flow.escalate import EscalateStep
from smarteros.flow.links import Links
from smarteros.flow.over_limit import OVER_LIMIT
from smarteros.flow.summary import summary_for_agent
from smarteros.privacy.opt_out import RULE

ORDER = {
    "number": "#1001",
    "placed_on": "2026-11-02",
    "payment": "paid",
    "delivery": "in_transit",
    "lines": [],
    "total_price": 39990,
    "currency": "CLP",
}
INVOICE = {
    "record_id": 771,
    "number": "B 1042",
    "date": "2026-11-02",
    "product_name": "Zapatilla Running Azul",
    "price": 39990,
    "warranty_expiration": "2027-01-31",
    "warranty_status": "active",
    "legal_guarantee_until": "2027-05-02",
    "return_eligible": True,
    "return_deadline": "2026-12-02",
}


def looked_up(tool: str, **data: Any) -> ToolsCalled:
    return ToolsCalled(results=(ToolResult(tool=tool, outcome="ok", data={"identity_verified": True, **data}),))


def note(called: ToolsCalled, secrets: dict[str, str], resolved: ResolvedTurn | None = None) -> str:
    held = MemorySecrets({(TENANT.tenant_id, path): value for path, value in secrets.items()})
    return summary_for_agent(Links("https://bots.example", held), TENANT, resolved or ResolvedTurn(), None, called)


def test_the_note_leads_to_the_order_in_shopify() -> None:
    said = note(looked_up("shopify_order_status", found=True, order=ORDER), {"shopify/store_domain": "nandu.example"})
    assert "Pedido #1001: https://nandu.example/admin/orders?query=name%3A%231001" in said


@pytest.mark.parametrize("url", ["https://odoo.example", "https://odoo.example/"])
def test_the_note_leads_to_the_invoice_in_odoo(url: str) -> None:
    said = note(looked_up("odoo_find_invoice", found=True, invoice=INVOICE), {"odoo/instance_url": url})
    assert "B 1042: https://odoo.example/web#id=771&model=account.move&view_type=form" in said


def test_the_note_leads_to_the_photo_the_customer_sent() -> None:
    photo = Attachment(id=4, kind="image", url="https://chat.example/boleta.jpg")
    message = IncomingMessage(
        id=1,
        tenant_id=TENANT.tenant_id,
        account_id=31,
        conversation_id=9,
        inbox_id=52,
        channel="whatsapp",
        contact=Contact(id=5, name="Ana"),
        attachments=(photo,),
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
    )
    assert "(foto): https://chat.example/boleta.jpg" in note(ToolsCalled(), {}, ResolvedTurn(messages=(message,)))


def test_a_note_without_known_addresses_is_a_note_all_the_same() -> None:
    called = looked_up("odoo_find_invoice", found=True, invoice=INVOICE)
    assert "B 1042: sin enlace" in note(called, {})
    closed = summary_for_agent(Links(None, ClosedSecrets({})), TENANT, ResolvedTurn(), None, called)
    assert "B 1042: sin enlace" in closed


class ClosedSecrets(MemorySecrets):
    """A secret store that is away."""

    def find(self, scope: Any, path: str) -> str | None:
        raise ConfigError("secrets_away", "closed")


@pytest.mark.parametrize(
    ("data", "said"),
    [({"found": False}, "sin encontrar nada"), ({"found": True, "identity_verified": False}, "no consta que sea")],
)
def test_the_note_tells_what_a_look_up_came_to(data: dict[str, Any], said: str) -> None:
    assert said in note(looked_up("odoo_find_invoice", **data), {})


def test_a_turn_that_broke_is_handed_over_with_the_labels_of_its_contract(bench: Bench) -> None:
    bench.receive(1)
    turn = bench.claim(1)
    replied = EscalateStep(bench.parts)(turn, ResolvedTurn(messages=bench.held(1)), PermanentError("x", "y"))

    assert replied.outcome == "escalated"
    assert bench.channel.desks == [LOADED.default_flow.hand_over.of("error")]
    assert "falla-del-bot" in bench.channel.desks[0].labels


def test_a_rule_adds_labels_and_takes_the_place_of_team_and_priority() -> None:
    section = HandOver(labels=("bot",), team="ventas", by_rule={"angry": Desk(labels=("molesto",), priority="urgent")})
    assert section.of("angry") == Desk(labels=("bot", "molesto"), team="ventas", priority="urgent")
    assert section.of("another") == section.of(None) == Desk(labels=("bot",), team="ventas")


def test_contracts_may_name_every_rule_of_ours() -> None:
    assert {OVER_LIMIT, RULE, "error"} <= BUILT_IN_RULES
