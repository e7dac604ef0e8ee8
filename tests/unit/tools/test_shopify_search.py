"""Reading a shop's catalogue page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from smarteros.kit.http import HttpClient
from smarteros.tools.registry import ToolRun
from smarteros.tools.shopify.client import ShopifyClient
from smarteros.tools.shopify.search import MOST_PAGES, ShopifyCatalogue, search_text
from smarteros.tools.wanted import Wanted

if TYPE_CHECKING:
    from tests.unit.tools.conftest import Loopback, MemorySecrets, Request


def node(name: str, size: str) -> dict[str, Any]:
    variant = {
        "id": f"gid://shopify/ProductVariant/{name}",
        "price": "39990.00",
        "availableForSale": True,
        "inventoryQuantity": 3,
        "selectedOptions": [{"name": "Talla", "value": size}],
    }
    return {
        "id": f"gid://shopify/Product/{name}",
        "title": f"Zapatilla {name}",
        "productType": "Zapatillas",
        "vendor": "Andes Run",
        "tags": [],
        "onlineStoreUrl": f"https://tienda-demo.myshopify.com/products/{name}",
        "options": [{"name": "Talla", "values": ["41", "42"]}],
        "variants": {"nodes": [variant]},
    }


class Pages:
    """Serves pages of two products, whose sizes are given; the cursor is the page's number."""

    def __init__(self, *sizes: tuple[str, str]) -> None:
        self.sizes = sizes

    def __call__(self, request: Request) -> tuple[int, Any]:
        page = int(request.body["variables"]["after"] or 0)
        nodes = [node(f"{page}{place}", size) for place, size in enumerate(self.sizes[page])]
        info = {"hasNextPage": page + 1 < len(self.sizes), "endCursor": str(page + 1)}
        return 200, {"data": {"shop": {"currencyCode": "CLP"}, "products": {"pageInfo": info, "nodes": nodes}}}


@pytest.fixture
def catalogue(http: HttpClient, secrets: MemorySecrets) -> ShopifyCatalogue:
    return ShopifyCatalogue(ShopifyClient(http, secrets))


def gather(catalogue: ShopifyCatalogue, run: ToolRun, wanted: Wanted, limit: int) -> tuple[int, bool]:
    found = catalogue.gather(wanted, run, limit)
    return len(found.products), found.complete


def test_pages_are_read_until_enough_fits(catalogue: ShopifyCatalogue, run: ToolRun, server: Loopback) -> None:
    server.respond = Pages(("41", "41"), ("42", "41"), ("42", "42"))
    assert gather(catalogue, run, Wanted(size="42"), 1) == (4, False)
    assert [request.body["variables"]["after"] for request in server.requests] == [None, "1"]


def test_a_catalogue_read_to_its_end_is_complete(catalogue: ShopifyCatalogue, run: ToolRun, server: Loopback) -> None:
    server.respond = Pages(("41", "41"), ("42", "41"))
    assert gather(catalogue, run, Wanted(size="99"), 1) == (4, True)


def test_the_cheapest_is_looked_for_on_every_page(catalogue: ShopifyCatalogue, run: ToolRun, server: Loopback) -> None:
    server.respond = Pages(("42", "42"), ("42", "42"))
    assert gather(catalogue, run, Wanted(cheapest_first=True), 1) == (4, True)


def test_a_huge_catalogue_is_not_read_without_end(catalogue: ShopifyCatalogue, run: ToolRun, server: Loopback) -> None:
    server.respond = Pages(*[("41", "41")] * (MOST_PAGES + 1))
    assert gather(catalogue, run, Wanted(size="42"), 1) == (2 * MOST_PAGES, False)
    assert len(server.requests) == MOST_PAGES


def test_a_brand_is_searched_as_vendor_or_in_the_title() -> None:
    text = search_text(Wanted(brand="andes run"))
    assert text.endswith("AND (vendor:andes* OR title:andes*) AND (vendor:run OR title:run)")
