"""Cart links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from smarteros.domain.errors import RejectedInputError
from smarteros.kit.http import HttpClient
from smarteros.tools.inputs import CartInput
from smarteros.tools.registry import ToolRun
from smarteros.tools.shopify.cart import CartLink
from smarteros.tools.shopify.client import ShopifyClient

if TYPE_CHECKING:
    from tests.unit.tools.conftest import Loopback, MemorySecrets

GID = "gid://shopify/ProductVariant/"


def variant(number: int, **changes: Any) -> dict[str, Any]:
    product = {
        "id": "gid://shopify/Product/7",
        "title": "Zapatilla Running Azul",
        "productType": "Zapatillas",
        "vendor": "Andes Run",
        "tags": [],
        "onlineStoreUrl": "https://tienda-demo.myshopify.com/products/zapatilla",
        "options": [{"name": "Talla", "values": ["41", "42"]}],
    }
    node = {
        "id": f"{GID}{number}",
        "price": "39990.00",
        "availableForSale": True,
        "inventoryQuantity": 5,
        "selectedOptions": [{"name": "Talla", "value": "42"}],
        "product": product,
    }
    return {**node, **changes}


@pytest.fixture
def cart(http: HttpClient, secrets: MemorySecrets) -> CartLink:
    return CartLink(ShopifyClient(http, secrets))


def serve(server: Loopback, *nodes: dict[str, Any] | None) -> None:
    server.respond = lambda _: (200, {"data": {"shop": {"currencyCode": "CLP"}, "nodes": list(nodes)}})


def lines(*pairs: tuple[int, int]) -> CartInput:
    return CartInput.model_validate({"lines": [{"variant_id": f"{GID}{n}", "quantity": q} for n, q in pairs]})


def test_the_link_holds_variants_quantities_and_the_conversation(
    cart: CartLink, run: ToolRun, server: Loopback
) -> None:
    serve(server, variant(42), variant(43, price="10000"))
    made = cart.run(lines((42, 2), (43, 1)), run)
    assert made.checkout_url == (
        "https://tienda-demo.myshopify.com/cart/42:2,43:1?attributes[smos_conversation]=12345&ref=smos"
    )
    assert made.total_price == 2 * 39990 + 10000
    assert made.lines[0].variant == "Talla 42"
    assert server.requests[0].body["variables"] == {"ids": [f"{GID}42", f"{GID}43"]}


def test_the_same_variant_twice_is_one_line(cart: CartLink, run: ToolRun, server: Loopback) -> None:
    serve(server, variant(42))
    made = cart.run(lines((42, 1), (42, 2)), run)
    assert made.quantities == (3,)
    assert "/cart/42:3?" in made.checkout_url


@pytest.mark.parametrize(
    ("node", "code"),
    [
        (None, "variant_unknown"),
        (variant(42, product={**variant(42)["product"], "onlineStoreUrl": None}), "variant_unknown"),
        (variant(42, availableForSale=False, inventoryQuantity=0), "variant_sold_out"),
        (variant(42, inventoryQuantity=1), "quantity_not_available"),
    ],
)
def test_what_cannot_be_bought_is_refused(
    cart: CartLink, run: ToolRun, server: Loopback, node: dict[str, Any] | None, code: str
) -> None:
    serve(server, node)
    with pytest.raises(RejectedInputError) as caught:
        cart.run(lines((42, 2)), run)
    assert caught.value.code == code


def test_a_shop_that_sells_without_counted_stock_takes_any_quantity(
    cart: CartLink, run: ToolRun, server: Loopback
) -> None:
    serve(server, variant(42, inventoryQuantity=None))
    assert cart.run(lines((42, 9)), run).quantities == (9,)
