"""What the project's contracts are asked about: products, invoices, and for each rule a turn that reaches it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from smarteros.contracts.expressions import ReplyContext, render
from smarteros.contracts.loader import ContractSet, reply_rule
from smarteros.domain.carts import CartItem, CartWish
from smarteros.domain.decisions import Entities
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


ITEMS = tuple(CartItem.of(product) for product in (RUNNING, TRAINING))
SIZED = ITEMS[0].model_copy(update={"options": {"Talla": ("41", "42")}})
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
# Rule, and the facts of a turn that reach it.
ORDERED: dict[str, Any] = {"intent": "order_status", "route": "shopify_sales"}
BUYS: dict[str, Any] = {"intent": "cart_request"}
SALES: dict[str, dict[str, Any]] = {
    "shopify_sales/order_told": ORDERED | {"order_lookup": ORDER},
    "shopify_sales/order_to_person": ORDERED | {"order_lookup": OrderLookup(found=True)},
    "shopify_sales/cart_which_variant": BUYS | {"wish": CartWish(act="add", between=(SIZED,), missing="Talla")},
    "shopify_sales/product_told": {"intent": "product_query", "detail": DETAIL, "text": "¿cuántas quedan?"},
    "shopify_sales/product_told_beside_cart": {"intent": "product_query", "detail": DETAIL, "had_cart": True},
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


def reply(contracts: ContractSet, context: ReplyContext) -> str:
    """What the customer would read."""
    rule = reply_rule(contracts.flow_for_intent(context.intent), context)
    return render(rule.text.en if context.language == "en" else rule.text.es, context)
