"""The three contracts of the project: every rule is reached by some turn, and writes its text in both languages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarteros.contracts.expressions import ReplyContext, render, value_of
from smarteros.contracts.lint import lint
from smarteros.contracts.loader import ContractSet, escalation_rule, load_contracts, reply_rule
from smarteros.domain.carts import CartItem, CartWish
from smarteros.domain.decisions import ROUTE_OF_INTENT, Entities
from smarteros.domain.knowledge import Policy
from smarteros.domain.tools import (
    Cart,
    CustomerHistory,
    CustomerPurchases,
    Invoice,
    InvoiceEntry,
    InvoiceList,
    InvoiceLookup,
    Order,
    OrderLine,
    OrderLookup,
    Product,
    ProductDetail,
    Ticket,
    TicketResult,
    Tracking,
    VariantDetail,
)
from smarteros.domain.turns import DocumentReading
from smarteros.domain.warranty import warranty_terms
from smarteros.kit.words import date_in_words

MakeContext = Callable[..., ReplyContext]

FOLDER = Path(__file__).parents[3] / "contracts"
POLICY = Policy(warranty_days=90, return_days=30, refund_working_days=7)
RUNNING = Product(
    id="gid://shopify/Product/7891234567890", title="Zapatilla Running Azul", variant="Talla 42", price=39990,
    stock=5, url="https://tienda-demo.myshopify.com/products/zapatilla-running-azul-42",
)  # fmt: skip
TRAINING = Product(
    id="gid://shopify/Product/7891234567891", title="Zapatilla Training Negro", variant="Talla 42", price=34990,
    stock=3, url="https://tienda-demo.myshopify.com/products/zapatilla-training-negro",
)  # fmt: skip
CART = Cart(
    checkout_url="https://tienda-demo.myshopify.com/cart/1:1", lines=(RUNNING,), quantities=(1,), total_price=39990
)
BLURRED = DocumentReading(text="FACT", confidence=0.41, invoice_detected=True)
CLEAR = DocumentReading(
    text="FACTURA", confidence=0.97, invoice_detected=True, fields={"invoice_number": "INV-2025-001"}
)

DOUBTFUL = CLEAR.model_copy(update={"timbre": "alterado", "fraud": "FRMT no verifica"})


def lookup(bought: date = date(2025, 10, 15), *, today: date = date(2025, 11, 1)) -> InvoiceLookup:
    """The invoice of the demo shop as ``odoo_find_invoice`` gives it: 90 days of warranty, 30 to return."""
    warranty = date.fromordinal(bought.toordinal() + 90)
    deadline = date.fromordinal(bought.toordinal() + 30)
    legal_month = bought.month + 6
    invoice = Invoice(
        number="INV-2025-001",
        date=bought,
        customer_name="María González",
        product_name="Zapatilla Running Azul",
        price=39990,
        warranty_expiration=warranty,
        warranty_status="active" if today <= warranty else "expired",
        legal_guarantee_until=date(bought.year + (legal_month - 1) // 12, (legal_month - 1) % 12 + 1, bought.day),
        return_eligible=today <= deadline,
        return_deadline=deadline,
    )
    return InvoiceLookup(found=True, invoice=invoice, identity_verified=True)


# Rule, and the facts of a turn that reach it.
ITEMS = tuple(CartItem.of(product) for product in (RUNNING, TRAINING))
DETAIL = ProductDetail(
    id=RUNNING.id, title=RUNNING.title, kind="", brand="", url=RUNNING.url, currency="CLP", description="",
    variants=(VariantDetail(variant_id="v", variant="Talla 43", price=39990, stock=1, available=True, options={}),),
)  # fmt: skip
ORDER = OrderLookup(
    found=True,
    identity_verified=True,
    order=Order(
        number="#1001", placed_on=date(2026, 11, 2), payment="paid", delivery="in_transit",
        lines=(OrderLine(title="Zapatilla Running Azul", variant="Talla 42", quantity=1),),
        total_price=39990, currency="CLP", tracking=(Tracking(company="Starken", number="991"),),
    ),
)  # fmt: skip
ORDERED: dict[str, Any] = {"intent": "order_status", "route": "shopify_sales"}
BUYS: dict[str, Any] = {"intent": "cart_request"}
SALES: dict[str, dict[str, Any]] = {
    "shopify_sales/order_told": ORDERED | {"order_lookup": ORDER},
    "shopify_sales/order_to_person": ORDERED | {"order_lookup": OrderLookup(found=True)},
    "shopify_sales/cart_choice": BUYS | {"wish": CartWish(act="add", between=ITEMS)},
    "shopify_sales/cart_no_such_variant": BUYS
    | {"cart_problem": "no_such_variant", "detail": DETAIL, "entities": Entities(size="47"), "tool_failed": True},
    "shopify_sales/cart_sold_out": BUYS | {"cart_problem": "sold_out", "tool_failed": True},
    "shopify_sales/cart_emptied": BUYS | {"wish": CartWish(act="clear"), "had_cart": True},
    "shopify_sales/cart_empty": BUYS | {"wish": CartWish(act="show")},
    "shopify_sales/cart_unavailable": {"intent": "cart_request", "tool_failed": True},
    "shopify_sales/search_unavailable": {"intent": "product_query", "tool_failed": True},
    "shopify_sales/cart_ready": {"intent": "cart_request", "cart": CART},
    "shopify_sales/cart_without_product": {"intent": "cart_request"},
    "shopify_sales/none_found": {"intent": "product_query", "entities": Entities(category="zapatillas", size="99")},
    "shopify_sales/found_in_cache": {"intent": "product_query", "products": (RUNNING,), "stale": True},
    "shopify_sales/found": {"intent": "product_query", "products": (RUNNING, TRAINING), "lead_in": "Claro:"},
}
WARRANTY: dict[str, Any] = {"intent": "warranty_inquiry", "policy": POLICY}
PHOTO: dict[str, Any] = WARRANTY | {"photo": True, "reading": CLEAR}
RETURN: dict[str, Any] = {"intent": "return_request", "policy": POLICY}
HISTORY: dict[str, Any] = {"intent": "order_status", "route": "odoo_invoice_lookup"}
TICKET = Ticket(
    number="SOL-K3QZ7M2A", kind="return", invoice_number="INV-2025-001", product_name="Zapatilla Running Azul",
    created=True, record="helpdesk.ticket",
)  # fmt: skip
PURCHASES = CustomerPurchases(
    identity="verified",
    history=CustomerHistory(total_purchases=2, total_returns=1, customer_tier="regular"),
    last_purchases=(
        InvoiceEntry(
            number="INV-2025-001", date=date(2025, 10, 15), document_type="boleta",
            product_name="Zapatilla Running Azul", total_price=39990, currency="CLP",
        ),
        InvoiceEntry(number="FAC 000123", date=date(2024, 1, 1), total_price=29990, currency="CLP"),
    ),
)  # fmt: skip
SUPPORT: dict[str, dict[str, Any]] = {
    "odoo_invoice_lookup/document_review": PHOTO | {"reading": DOUBTFUL, "lookup": lookup()},
    "odoo_invoice_lookup/no_invoice_twice": WARRANTY
    | {"photo": True, "reading": DocumentReading(), "failed_photos": 1},
    "odoo_invoice_lookup/timbre_unreadable": WARRANTY
    | {"photo": True, "reading": BLURRED.model_copy(update={"advice": "timbre_closeup"})},
    "odoo_invoice_lookup/lookup_unavailable": PHOTO | {"tool_failed": True},
    "odoo_invoice_lookup/request_unavailable": RETURN | {"tool_failed": True, "pending": "return_offer"},
    "odoo_invoice_lookup/return_registered": RETURN | {"request": TicketResult(found=True, ticket=TICKET)},
    "odoo_invoice_lookup/return_to_person": RETURN | {"request": TicketResult(found=True)},
    "odoo_invoice_lookup/purchases_told": HISTORY | {"purchases": PURCHASES},
    "odoo_invoice_lookup/invoices_listed": RETURN
    | {"listed": InvoiceList(identity="verified", invoices=PURCHASES.last_purchases, total=2)},
    "odoo_invoice_lookup/no_purchases": HISTORY
    | {"purchases": CustomerPurchases(identity="verified", history=PURCHASES.history)},
    "odoo_invoice_lookup/purchases_withheld": HISTORY | {"purchases": CustomerPurchases(identity="claimed")},
    "odoo_invoice_lookup/ambiguous_again": PHOTO
    | {"lookup": InvoiceLookup(found=True, ambiguous=True), "pending": "invoice_fact"},
    "odoo_invoice_lookup/ambiguous_invoice": PHOTO | {"lookup": InvoiceLookup(found=True, ambiguous=True)},
    "odoo_invoice_lookup/second_fact_needed": WARRANTY
    | {"lookup": InvoiceLookup(found=True, identity="claimed", second_fact_needed=True)},
    "odoo_invoice_lookup/identity_not_verified": PHOTO | {"lookup": InvoiceLookup(found=True)},
    "odoo_invoice_lookup/legal_guarantee": PHOTO
    | {"today": date(2026, 2, 1), "lookup": lookup(today=date(2026, 2, 1))},
    "odoo_invoice_lookup/warranty_expired": PHOTO | {"lookup": lookup(date(2024, 1, 1))},
    "odoo_invoice_lookup/return_offered": RETURN | {"lookup": lookup()},
    "odoo_invoice_lookup/return_eligible": PHOTO | {"lookup": lookup()},
    "odoo_invoice_lookup/return_expired": PHOTO
    | {"today": date(2025, 12, 1), "lookup": lookup(today=date(2025, 12, 1))},
    "odoo_invoice_lookup/not_in_erp": PHOTO | {"lookup": InvoiceLookup()},
    "odoo_invoice_lookup/photo_failed_twice": WARRANTY | {"photo": True, "reading": BLURRED, "failed_photos": 1},
    "odoo_invoice_lookup/not_an_invoice": WARRANTY | {"photo": True, "reading": DocumentReading()},
    "odoo_invoice_lookup/photo_unclear": WARRANTY | {"photo": True, "reading": BLURRED},
    "odoo_invoice_lookup/photo_needed": WARRANTY | {"answer": "Tienes 90 días de garantía."},
    "support/order_to_person": {"intent": "order_status", "entities": Entities(order_number="10234")},
    "support/order_number_needed": {"intent": "order_status"},
}
FAQ: dict[str, dict[str, Any]] = {
    "kb_direct/not_in_kb": {"intent": "faq_hours"},
    "kb_direct/answered_from_kb": {"intent": "faq_hours", "answer": "Lunes a Viernes", "second_answer": "Centro"},
    "smalltalk/goodbye": {"intent": "thanks_goodbye"},
    "smalltalk/greeting": {"intent": "greeting"},
    "clarify/clarified_before": {"intent": "ambiguous", "clarifications": 1},
    "clarify/clarify_options": {"intent": "ambiguous", "choice": "¿Preguntas por los horarios de atención?"},
    "clarify/clarify": {"intent": "ambiguous"},
    "human_handoff/complaint": {"intent": "complaint"},
    "human_handoff/human_asked": {"intent": "human_request"},
    "fallback/out_of_scope_again": {"intent": "out_of_scope", "clarifications": 1},
    "fallback/out_of_scope": {"intent": "out_of_scope"},
}
CASES = {
    (flow, rule): facts
    for flow, rules in (("e2e_shopify_sales", SALES), ("e2e_ocr_support", SUPPORT), ("e2e_faq_quick", FAQ))
    for rule, facts in rules.items()
}


@pytest.fixture(scope="module")
def contracts() -> ContractSet:
    return load_contracts(FOLDER)


def reply(contracts: ContractSet, context: ReplyContext) -> str:
    rule = reply_rule(contracts.flow_for_intent(context.intent), context)
    return render(rule.text.en if context.language == "en" else rule.text.es, context)


@pytest.fixture
def case(context: MakeContext) -> MakeContext:
    def make(**facts: Any) -> ReplyContext:
        return context(**({"route": ROUTE_OF_INTENT[facts["intent"]]} | facts))

    return make


def test_the_contracts_have_no_mistakes() -> None:
    assert lint([FOLDER]) == []


def test_every_rule_has_a_case_here(contracts: ContractSet) -> None:
    rules = {(flow, f"{rule.route}/{rule.outcome}") for flow, each in contracts.by_id.items() for rule in each.reply}
    assert rules == set(CASES)


@pytest.mark.parametrize(("flow", "rule"), CASES)
@pytest.mark.parametrize("language", ["es", "en"])
def test_every_rule_is_reached_and_writes_its_text(
    flow: str, rule: str, language: str, contracts: ContractSet, case: MakeContext
) -> None:
    facts = case(language=language, **CASES[flow, rule])
    chosen = reply_rule(contracts.get(flow), facts)
    assert f"{chosen.route}/{chosen.outcome}" == rule
    text = render(chosen.text.en if language == "en" else chosen.text.es, facts)
    assert text
    assert "None" not in text
    assert "\n\n\n" not in text


def test_every_intent_belongs_to_one_flow(contracts: ContractSet) -> None:
    owners = {intent: contracts.flow_for_intent(intent).flow_id for intent in ROUTE_OF_INTENT}
    assert owners["cart_request"] == "e2e_shopify_sales"
    assert owners["order_status"] == "e2e_ocr_support"
    assert owners["complaint"] == owners["ambiguous"] == "e2e_faq_quick"
    assert sum(len(contract.entry.intents) for contract in contracts.by_id.values()) == len(ROUTE_OF_INTENT)


def test_every_intent_has_examples_in_both_languages(contracts: ContractSet) -> None:
    for contract in contracts.by_id.values():
        for intent in contract.entry.intents:
            assert len(contract.agent.examples[intent]) >= 10, intent


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_doubtful_document_is_handed_over_without_an_accusation(
    language: str, contracts: ContractSet, case: MakeContext
) -> None:
    facts = case(language=language, **CASES["e2e_ocr_support", "odoo_invoice_lookup/document_review"])
    text = reply(contracts, facts)

    assert reply_rule(contracts.get("e2e_ocr_support"), facts).escalate
    accusing = (
        "fraud",
        "fals",
        "alter",
        "adulter",
        "sospech",
        "suspic",
        "fake",
        "FRMT",
        "timbre",
        "INV-2025",
        "ilegal",
    )
    assert not [word for word in accusing if word.casefold() in text.casefold()]
    if language == "es":
        assert text.startswith("Necesito que una persona de nuestro equipo revise tu boleta.")


@given(bought=st.dates(date(2022, 1, 1), date(2030, 12, 31)), after=st.integers(0, 400), warranty=st.integers(0, 400))
def test_whatever_the_shops_policy_the_legal_guarantee_is_never_denied(bought: date, after: int, warranty: int) -> None:
    contracts = load_contracts_once()
    today = date.fromordinal(bought.toordinal() + after)
    terms = warranty_terms(bought, today, warranty_days=warranty, return_days=10)
    found = lookup(date(2025, 10, 15)).invoice
    assert found is not None
    invoice = found.model_copy(update={"date": bought, **terms.model_dump()})
    for language in ("es", "en"):
        facts = ReplyContext(
            tenant_name="Tienda",
            today=today,
            language=language,
            intent="warranty_inquiry",
            route="odoo_invoice_lookup",
            confidence=0.97,
            lookup=InvoiceLookup(found=True, invoice=invoice, identity_verified=True),
            policy=POLICY,
        )
        text = reply(contracts, facts)
        if today <= terms.legal_guarantee_until:
            assert "garantía expiró" not in text
            assert "warranty expired" not in text
        if terms.warranty_status == "expired" and today <= terms.legal_guarantee_until:
            assert date_in_words(terms.legal_guarantee_until, language) in text


@cache
def load_contracts_once() -> ContractSet:
    return load_contracts(FOLDER)


def test_products_are_listed_as_the_sheet_says(contracts: ContractSet, case: MakeContext) -> None:
    facts = case(
        intent="product_query", products=(RUNNING, TRAINING), lead_in="Claro, te busco zapatillas en talla 42..."
    )
    assert reply(contracts, facts) == (
        "Claro, te busco zapatillas en talla 42...\n"
        "\n"
        "1) Zapatilla Running Azul — 39990 CLP\n"
        "   Link: https://tienda-demo.myshopify.com/products/zapatilla-running-azul-42\n"
        "2) Zapatilla Training Negro — 34990 CLP\n"
        "   Link: https://tienda-demo.myshopify.com/products/zapatilla-training-negro\n"
        "\n"
        "¿Quieres que te prepare el carrito de compra?"
    )


@pytest.mark.parametrize(
    ("entities", "text"),
    [
        ({"category": "zapatillas", "size": "99"}, "No encontré zapatillas en talla 99. ¿Te interesa otra talla?"),
        (
            {"category": "botas", "color": "rojo", "price_max": 40000},
            "No encontré botas color rojo hasta $40.000. ¿Quieres que busque otra cosa?",
        ),
        ({}, "No encontré productos. ¿Quieres que busque otra cosa?"),
    ],
)
def test_what_was_not_found_is_said_in_the_customers_terms(
    entities: dict[str, Any], text: str, contracts: ContractSet, case: MakeContext
) -> None:
    facts = case(intent="product_query", entities=Entities(**entities))
    assert reply(contracts, facts) == text


def test_purchases_are_told_in_words_and_counted(contracts: ContractSet, case: MakeContext) -> None:
    rule = next(r for r in contracts.get("e2e_ocr_support").reply if r.outcome == "purchases_told")
    assert render(rule.text.es, case(**HISTORY, purchases=PURCHASES)) == (
        "Encontré 2 compras tuyas y 1 devolución. Las últimas:\n"
        "• 15 de octubre de 2025: Zapatilla Running Azul, 39990 CLP (INV-2025-001)\n"
        "• 1 de enero de 2024: 29990 CLP (FAC 000123)\n"
        "\n"
        "Si necesitas garantía o devolución de alguna, escríbeme su número."
    )


def test_whether_a_name_is_a_customers_is_not_told(contracts: ContractSet, case: MakeContext) -> None:
    answers = {
        reply(contracts, case(**HISTORY, purchases=CustomerPurchases(identity=identity)))
        for identity in ("claimed", "unknown")
    }
    assert len(answers) == 1


def test_nothing_is_registered_without_the_customers_yes(contracts: ContractSet) -> None:
    assert contracts.get("e2e_ocr_support").tools["odoo_create_ticket"].answers == "return_offer"


def test_the_warranty_reply_is_that_of_the_sheet(contracts: ContractSet, case: MakeContext) -> None:
    text = reply(contracts, case(**PHOTO, lookup=lookup()))
    assert text.startswith("Tu compra tiene garantía de 90 días hasta el 13 de enero de 2026.\n\n📋 **Detalles de tu")
    assert "✅ Puedes hacer devolución gratuita hasta el 14 de noviembre de 2025." in text
    assert text.endswith("¿Qué problema tiene tu Zapatilla Running Azul?")


def test_a_shop_without_published_figures_states_none(contracts: ContractSet, case: MakeContext) -> None:
    text = reply(contracts, case(**(PHOTO | {"policy": Policy()}), lookup=lookup()))
    assert "Tu compra tiene garantía hasta el 13 de enero de 2026." in text
    assert "hábiles" not in text


@pytest.mark.parametrize("day", [date(2026, 1, 14), date(2026, 4, 15)])
def test_the_legal_guarantee_is_never_denied_within_six_months(
    day: date, contracts: ContractSet, case: MakeContext
) -> None:
    facts = case(**PHOTO, today=day, lookup=lookup(today=day))
    assert "garantía legal de seis meses sigue vigente hasta el 15 de abril de 2026" in reply(contracts, facts)
    assert reply_rule(contracts.get("e2e_ocr_support"), facts).escalate


def test_after_six_months_the_warranty_has_expired(contracts: ContractSet, case: MakeContext) -> None:
    day = date(2026, 4, 16)
    text = reply(contracts, case(**PHOTO, today=day, lookup=lookup(today=day)))
    assert text.startswith("Tu garantía expiró el 13 de enero de 2026.")


def test_ninety_days_from_new_year_of_a_leap_year_end_in_march(contracts: ContractSet, case: MakeContext) -> None:
    text = reply(contracts, case(**PHOTO, lookup=lookup(date(2024, 1, 1))))
    assert text.startswith("Tu garantía expiró el 31 de marzo de 2024.")


@pytest.mark.parametrize("flow", ["e2e_shopify_sales", "e2e_ocr_support", "e2e_faq_quick"])
def test_frustration_brings_a_person_in_every_flow(flow: str, contracts: ContractSet, case: MakeContext) -> None:
    rules = contracts.get(flow).escalation
    assert escalation_rule(rules, case(intent="product_query")) is None
    rule = escalation_rule(rules, case(intent="product_query", frustrated=True))
    assert rule is not None
    assert set(rule.notify) == {"slack", "email"}


@pytest.mark.parametrize(
    ("entities", "query"),
    [
        (Entities(category="zapatillas", size="42"), "zapatillas talla 42"),
        (Entities(category="polera", color="negro"), "polera negro"),
        (Entities(), "algo lindo"),
    ],
)
def test_the_search_words_are_made_of_the_entities(
    entities: Entities, query: str, contracts: ContractSet, case: MakeContext
) -> None:
    tool = contracts.get("e2e_shopify_sales").tools["shopify_search_products"]
    facts = case(intent="product_query", entities=entities, text="algo lindo")
    assert value_of(tool.params["query"], facts) == query
    assert value_of(tool.params["limit"], facts) == 5


@pytest.mark.parametrize(
    ("facts", "number"),
    [
        ({"photo": True, "reading": CLEAR}, "INV-2025-001"),
        ({"photo": True, "reading": BLURRED}, None),
        ({"entities": Entities(invoice_number="INV-7")}, "INV-7"),
        ({}, None),
    ],
)
def test_the_invoice_number_comes_from_a_photo_that_was_read_well_or_from_the_text(
    facts: dict[str, Any], number: str | None, contracts: ContractSet, case: MakeContext
) -> None:
    tool = contracts.get("e2e_ocr_support").tools["odoo_find_invoice"]
    assert value_of(tool.params["invoice_number"], case(intent="warranty_inquiry", **facts)) == number
