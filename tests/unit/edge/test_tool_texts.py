"""What an outside caller reads of a tool's result."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from smarteros.domain.tools import (
    Cart,
    CustomerPurchases,
    InvoiceList,
    InvoiceLookup,
    OrderLookup,
    Product,
    ProductList,
    StockCheck,
    StockLine,
    TicketResult,
    ToolOutcome,
    ToolResult,
)
from smarteros.edge.tool_texts import failure_of, in_words

SHOE = Product(
    id="gid://shopify/Product/1",
    title="Zapatilla Running Azul",
    variant="Talla 42",
    price=39990,
    stock=5,
    url="https://x.cl/azul",
)


def words(tool: str, result: Any) -> str:
    return in_words(ToolResult(tool=tool, outcome="ok", data=result.model_dump(mode="json")), type(result))


def failed(code: str | None, outcome: ToolOutcome = "error") -> str:
    return failure_of(ToolResult(tool="t", outcome=outcome, error_code=code)).sentences


def test_products_are_listed_with_price_stock_and_link() -> None:
    text = words("shopify_search_products", ProductList(products=(SHOE,), total=1))

    assert text == "1 producto:\n• Zapatilla Running Azul (Talla 42): 39990 CLP, stock 5. https://x.cl/azul"


def test_no_product_is_said_in_a_sentence() -> None:
    text = words("shopify_search_products", ProductList(products=(), total=0))

    assert text == "No hay productos que calcen con la búsqueda."


def test_remembered_products_come_with_a_warning() -> None:
    remembered = ProductList(products=(SHOE,), total=1, as_of=datetime(2026, 11, 22, tzinfo=UTC))

    assert "pueden haber cambiado" in words("shopify_search_products", remembered)


def test_a_cart_is_its_total_and_its_link() -> None:
    cart = Cart(checkout_url="https://x.cl/cart/1:2", lines=(SHOE,), quantities=(2,), total_price=79980)

    assert words("shopify_create_cart", cart) == "Carrito listo, total 79980 CLP. Se paga aquí: https://x.cl/cart/1:2"


def test_somebody_elses_invoice_is_said_to_exist_and_no_more() -> None:
    text = words("odoo_find_invoice", InvoiceLookup(found=True))

    assert text == "Existe, pero quien pregunta no es su cliente: no se entregan detalles."


def test_a_tool_without_a_text_is_given_as_json() -> None:
    assert words("a_new_tool", InvoiceLookup(found=True)).startswith('{"found":true,')


def test_what_customers_and_shops_wrote_is_never_a_template() -> None:
    hostile = SHOE.model_copy(update={"title": "{{ 7 * 7 }}"})

    assert "{{ 7 * 7 }}" in words("shopify_search_products", ProductList(products=(hostile,), total=1))


def test_the_other_tools_speak_in_sentences_too() -> None:
    example = {
        "shopify_recommend_products": ProductList(products=(SHOE,), total=1),
        "shopify_order_status": OrderLookup(),
        "shopify_check_stock": StockCheck(
            lines=(StockLine(variant_id="v", product=SHOE, quantity=9, status="less_stock"),),
            total_price=39990,
            currency="CLP",
        ),
        "odoo_customer_history": CustomerPurchases(),
        "odoo_list_invoices_by_contact": InvoiceList(),
        "odoo_create_ticket": TicketResult(found=True),
    }
    for tool, result in example.items():
        assert not words(tool, result).startswith("{"), tool


def test_a_failure_is_what_happened_and_what_to_do() -> None:
    assert failed("variant_sold_out") == "Ese producto se agotó. Búscalo de nuevo y ofrece otra alternativa."


def test_a_code_nobody_described_is_told_by_its_outcome() -> None:
    assert failed("odd_code", "timeout") == (
        "El sistema de la tienda no respondió a tiempo. Vuelve a intentarlo en un minuto."
    )
    assert failed(None, "refused").startswith("La llamada fue rechazada.")
