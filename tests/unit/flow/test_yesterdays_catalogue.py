"""What is told from our copy of a catalogue while the shop is away says that it may have changed, whatever it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import pytest
from tests.unit.flow.test_doubt import worded

from smarteros.domain.carts import CartWish
from smarteros.domain.decisions import Decision, Entities
from smarteros.domain.model import Model
from smarteros.domain.tools import Cart, Product, ProductDetail, ProductList, ToolResult, VariantDetail
from smarteros.domain.turns import DecidedTurn
from smarteros.flow.variants import VARIANT_NOT_FOUND

YESTERDAY = datetime(2026, 11, 21, 12, tzinfo=UTC)
WARNING = {"es": "los precios y stock pueden haber cambiado", "en": "prices and stock may have changed"}
SHOE = Product(
    id="gid://shopify/Product/1",
    title="Zapatilla Running Azul",
    variant="Talla 42",
    price=39990,
    stock=5,
    url="https://tienda-demo.myshopify.com/products/azul",
)
DETAIL = ProductDetail(
    id=SHOE.id,
    title=SHOE.title,
    kind="Zapatillas",
    brand="Andes Run",
    url=SHOE.url,
    currency="CLP",
    description="",
    variants=(VariantDetail(variant_id="v", variant="Talla 42", price=39990, stock=5, available=True, options={}),),
)
CART = Cart(
    checkout_url="https://tienda-demo.myshopify.com/cart/1:1", lines=(SHOE,), quantities=(1,), total_price=39990
)
NO_SUCH_SIZE = ToolResult(tool="shopify_create_cart", outcome="refused", error_code=VARIANT_NOT_FOUND)


def found(tool: str, data: Model, *, old: bool) -> ToolResult:
    kept = data.model_copy(update={"as_of": YESTERDAY}) if old else data
    return ToolResult(tool=tool, outcome="fallback" if old else "ok", data=kept.model_dump(mode="json"))


def said(*results: ToolResult, language: Literal["es", "en"] = "es", adds: bool = False) -> tuple[str, str]:
    decision = Decision(
        intent="cart_request" if adds else "product_query",
        confidence=0.9,
        route="shopify_sales",
        language=language,
        entities=Entities(size="47"),
        cart=CartWish(act="add") if adds else None,
    )
    turn = DecidedTurn(decision=decision, flow_id="e2e_shopify_sales", duration_ms=1)
    chosen = worded(turn, *results)
    return chosen.rule, chosen.text


LISTS = ("shopify_search_products", "shopify_recommend_products")


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize("tool", LISTS)
def test_a_list_of_products(tool: str, old: bool, language: Literal["es", "en"]) -> None:
    rule, text = said(found(tool, ProductList(products=(SHOE,), total=1), old=old), language=language)
    assert rule == ("found_in_cache" if old else "found")
    assert text.count(WARNING[language]) == old


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("old", [True, False])
def test_that_there_is_no_such_product(old: bool, language: Literal["es", "en"]) -> None:
    rule, text = said(found(LISTS[0], ProductList(products=(), total=0), old=old), language=language)
    assert rule == "none_found"
    assert text.count(WARNING[language]) == old


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("old", [True, False])
def test_the_sizes_of_a_product(old: bool, language: Literal["es", "en"]) -> None:
    rule, text = said(found("shopify_get_product", DETAIL, old=old), NO_SUCH_SIZE, adds=True, language=language)
    assert rule == "cart_no_such_variant"
    assert text.count(WARNING[language]) == old
    assert "Talla 42" in text


def test_a_cart_was_read_in_the_shop_and_needs_no_warning() -> None:
    rule, text = said(
        found("shopify_get_product", DETAIL, old=True), found("shopify_create_cart", CART, old=False), adds=True
    )
    assert rule == "cart_ready"
    assert WARNING["es"] not in text
