"""Cart links."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from smarteros.domain.errors import PermanentError, RejectedInputError
from smarteros.kit.clock import SystemClock
from smarteros.kit.http import HttpClient
from smarteros.tools.cache import MemoryToolCache
from smarteros.tools.inputs import CartInput
from smarteros.tools.registry import ToolRun
from smarteros.tools.shopify.cart import CartMaker
from smarteros.tools.shopify.client import ShopifyClient
from smarteros.tools.shopify.search import ShopifyCatalogue
from smarteros.tools.shopify.stock import StockReader

if TYPE_CHECKING:
    from tests.unit.tools.conftest import Loopback, MemorySecrets, Request

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
def cart(http: HttpClient, secrets: MemorySecrets) -> CartMaker:
    client = ShopifyClient(http, secrets)
    return CartMaker(client, StockReader(ShopifyCatalogue(client)), MemoryToolCache(), SystemClock())


def serve(server: Loopback, *nodes: dict[str, Any] | None) -> None:
    server.respond = lambda _: (200, {"data": {"shop": {"currencyCode": "CLP"}, "nodes": list(nodes)}})


def lines(*pairs: tuple[int, int]) -> CartInput:
    return CartInput.model_validate({"lines": [{"variant_id": f"{GID}{n}", "quantity": q} for n, q in pairs]})


def test_the_link_holds_variants_quantities_and_the_conversation(
    cart: CartMaker, run: ToolRun, server: Loopback
) -> None:
    serve(server, variant(42), variant(43, price="10000"))
    made = cart.run(lines((42, 2), (43, 1)), run)
    assert made.checkout_url == (
        "https://tienda-demo.myshopify.com/cart/42:2,43:1?attributes[smos_conversation]=12345&ref=smos"
    )
    assert made.total_price == 2 * 39990 + 10000
    assert made.lines[0].variant == "Talla 42"
    assert server.requests[0].body["variables"] == {"ids": [f"{GID}42", f"{GID}43"]}


def test_the_same_variant_twice_is_one_line(cart: CartMaker, run: ToolRun, server: Loopback) -> None:
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
    cart: CartMaker, run: ToolRun, server: Loopback, node: dict[str, Any] | None, code: str
) -> None:
    serve(server, node)
    with pytest.raises(RejectedInputError) as caught:
        cart.run(lines((42, 2)), run)
    assert caught.value.code == code


def test_a_shop_that_sells_without_counted_stock_takes_any_quantity(
    cart: CartMaker, run: ToolRun, server: Loopback
) -> None:
    serve(server, variant(42, inventoryQuantity=None))
    assert cart.run(lines((42, 9)), run).quantities == (9,)


def seen(number: int, quantity: int, price: float | int) -> dict[str, Any]:
    return {"variant_id": f"{GID}{number}", "quantity": quantity, "seen_price": price}


@pytest.mark.parametrize(("price", "status"), [("44990.00", "price_up"), ("35990.00", "price_down"), ("39990", None)])
def test_a_price_that_changed_since_it_was_told_is_reported_and_makes_a_cart_all_the_same(
    cart: CartMaker, run: ToolRun, server: Loopback, price: str, status: str | None
) -> None:
    serve(server, variant(42, price=price))
    made = cart.run(CartInput.model_validate({"lines": [seen(42, 1, 39990)]}), run)
    assert [change.status for change in made.changes] == ([status] if status else [])
    assert made.total_price == int(float(price))


def test_a_partial_cart_holds_what_can_be_had_and_tells_the_rest(
    cart: CartMaker, run: ToolRun, server: Loopback
) -> None:
    serve(server, variant(42, inventoryQuantity=2), variant(43, availableForSale=False), None)
    wanted = [{"variant_id": f"{GID}{number}", "quantity": 3} for number in (42, 43, 44)]
    made = cart.run(CartInput.model_validate({"lines": wanted, "partial": True}), run)
    assert "/cart/42:2?" in made.checkout_url
    assert (made.quantities, made.total_price) == ((2,), 2 * 39990)
    assert [change.status for change in made.changes] == ["less_stock", "sold_out", "gone"]


def test_a_partial_cart_of_nothing_is_refused(cart: CartMaker, run: ToolRun, server: Loopback) -> None:
    serve(server, variant(42, availableForSale=False))
    with pytest.raises(RejectedInputError) as caught:
        cart.run(CartInput.model_validate({"lines": [{"variant_id": f"{GID}42"}], "partial": True}), run)
    assert caught.value.code == "variant_sold_out"


def test_dollars_keep_their_cents(cart: CartMaker, run: ToolRun, server: Loopback) -> None:
    node = variant(42, price="19.99")
    server.respond = lambda _: (200, {"data": {"shop": {"currencyCode": "USD"}, "nodes": [node]}})
    made = cart.run(lines((42, 3)), run)
    assert (made.currency, made.total_price) == ("USD", Decimal("59.97"))
    assert made.model_dump(mode="json")["total_price"] == "59.97"


def test_a_shop_with_a_storefront_token_makes_the_cart_itself_and_once_only(
    cart: CartMaker, run: ToolRun, server: Loopback, secrets: MemorySecrets
) -> None:
    secrets.write(run.tenant.scope, "shopify/storefront_token", "a_public_token")
    checkout = "https://tienda-demo.myshopify.com/cart/c/abc"

    def respond(request: Request) -> tuple[int, Any]:
        if request.path.startswith("/api/"):
            return 200, {"data": {"cartCreate": {"cart": {"checkoutUrl": checkout}, "userErrors": []}}}
        return 200, {"data": {"shop": {"currencyCode": "CLP"}, "nodes": [variant(42)]}}

    server.respond = respond
    assert [cart.run(lines((42, 1)), run).checkout_url for _ in range(2)] == [checkout, checkout]
    made = [request for request in server.requests if request.path.startswith("/api/")]
    assert len(made) == 1
    assert made[0].headers["x-shopify-storefront-access-token"] == "a_public_token"
    assert made[0].body["variables"]["input"]["attributes"] == [{"key": "smos_conversation", "value": "12345"}]


def test_a_storefront_cart_that_shopify_refuses_is_no_link(
    cart: CartMaker, run: ToolRun, server: Loopback, secrets: MemorySecrets
) -> None:
    secrets.write(run.tenant.scope, "shopify/storefront_token", "a_public_token")

    def respond(request: Request) -> tuple[int, Any]:
        if request.path.startswith("/api/"):
            problem = {"code": "INVALID", "field": ["input"], "message": "The merchandise does not exist."}
            return 200, {"data": {"cartCreate": {"cart": None, "userErrors": [problem]}}}
        return 200, {"data": {"shop": {"currencyCode": "CLP"}, "nodes": [variant(42)]}}

    server.respond = respond
    with pytest.raises(PermanentError) as caught:
        cart.run(lines((42, 1)), run)
    assert caught.value.code == "shopify_cart_refused"
