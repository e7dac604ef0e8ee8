"""Large catalogues: read from the file of a bulk operation, or by pages that another process goes on with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from tests.unit.tools.shop_world import NOON, World, a_large_shop, open_world

from smarteros.domain.errors import SmosError
from smarteros.kit.http import HttpClient
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.tools.deadline import Deadline
from smarteros.tools.mirror.comparing import CatalogueKeeper
from smarteros.tools.shopify.answers import BULK_QUERY
from smarteros.tools.shopify.bulk import RUN_DOCUMENT, STATE_DOCUMENT, BulkCatalogue, BulkRefusedError
from smarteros.tools.shopify.client import ShopifyClient
from smarteros_sandbox.shops.loader import load_shops

LARGE = "TENANT_LARGE"
PRODUCTS, VARIANTS_OF_THE_WIDEST = 250, 600


@pytest.fixture(scope="module")
def world(postgres: EmbeddedPostgres) -> Iterator[World]:
    """A shop of some hundred products, one of them in 600 variants, which is large for these tests."""
    shop = a_large_shop(load_shops(date(2026, 11, 1))[0], LARGE, PRODUCTS, VARIANTS_OF_THE_WIDEST)
    with open_world(postgres, [shop]) as opened:
        yield opened._replace(
            keeper=CatalogueKeeper(
                opened.keeper.client, opened.database, opened.clock, opened.waits.append, bulk_from=100
            )
        )


@pytest.fixture(autouse=True)
def _as_before(world: World) -> Iterator[None]:
    yield
    world.faults.clear()


def widest(world: World) -> int:
    product = world.copies.product("gid://shopify/Product/1", world.tenants[LARGE])
    return 0 if product is None else len(product.variants)


def by_pages(world: World) -> CatalogueKeeper:
    return replace(world.keeper, bulk_from=10**6)


def dying(world: World, waits: int, *, bulk_from: int = 10**6) -> CatalogueKeeper:
    """Who reads in a process that ends at the wait after so many."""
    left = iter(range(waits))

    def wait(_seconds: float) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    return replace(world.keeper, bulk_from=bulk_from, sleep=wait)


def test_a_large_catalogue_is_read_from_one_file_with_all_variants(world: World) -> None:
    done = world.keeper.compare(world.tenants[LARGE], full=True)
    assert (done.what, done.read, done.products) == ("full", PRODUCTS, PRODUCTS)
    assert widest(world) == VARIANTS_OF_THE_WIDEST


def test_by_pages_the_same_is_read_when_the_shop_refuses_a_bulk_operation(world: World) -> None:
    world.faults.set("shopify", "bulk_refused")
    done = world.keeper.compare(world.tenants[LARGE], full=True)
    assert (done.what, done.read, done.products) == ("full", PRODUCTS, PRODUCTS)
    assert widest(world) == VARIANTS_OF_THE_WIDEST


def test_a_single_product_is_told_with_all_its_variants(world: World) -> None:
    result = world.call("shopify_get_product", LARGE, product_id="gid://shopify/Product/1")
    assert result.data is not None
    assert len({variant["variant_id"] for variant in result.data["variants"]}) == VARIANTS_OF_THE_WIDEST
    world.keeper.refresh(world.tenants[LARGE], "gid://shopify/Product/1")
    assert widest(world) == VARIANTS_OF_THE_WIDEST


def documents(world: World, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every GraphQL request from now on."""
    asked: list[dict[str, Any]] = []
    ask = HttpClient.json

    def listen(self: HttpClient, method: str, url: str, **options: Any) -> Any:
        asked.append(options["json"])
        return ask(self, method, url, **options)

    monkeypatch.setattr(HttpClient, "json", listen)
    return asked


def test_a_process_that_ends_at_the_tenth_page_is_gone_on_for_at_the_eleventh(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = world.tenants[LARGE]
    with pytest.raises(KeyboardInterrupt):
        dying(world, 10).compare(tenant, full=True)
    asked = documents(world, monkeypatch)
    done = by_pages(world).compare(tenant, full=True)
    begun_after = {one["variables"]["after"] for one in asked if "ReadCatalogue" in one["query"]}
    assert (done.read, done.products, done.forgotten) == (PRODUCTS, PRODUCTS, 0)
    assert len(begun_after) == -(-PRODUCTS // 8) - 10
    assert None not in begun_after


def test_a_bulk_operation_outlives_the_process_that_began_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = world.tenants[LARGE]
    with pytest.raises(KeyboardInterrupt):
        dying(world, 0, bulk_from=100).compare(tenant, full=True)
    asked = documents(world, monkeypatch)
    assert world.keeper.compare(tenant, full=True).products == PRODUCTS
    assert not [one for one in asked if "RunBulkQuery" in one["query"]]


def test_a_reading_begun_too_long_ago_is_begun_anew(world: World) -> None:
    tenant = world.tenants[LARGE]
    with pytest.raises(KeyboardInterrupt):
        dying(world, 3).compare(tenant, full=True)
    world.clock.instant = NOON + timedelta(hours=7)
    before = len(world.waits)
    by_pages(world).compare(tenant, full=True)
    assert len(world.waits) - before == -(-PRODUCTS // 8)
    world.clock.instant = NOON
    world.keeper.compare(tenant, full=True)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("{ shop { name } }", "at least one connection"),
        ("{ products { edges { node { naem } } } }", "Invalid bulk query"),
        ('{ node(id: "x") { id } products { edges { node { id } } } }', "top level node"),
    ],
)
def test_the_stand_in_refuses_what_shopify_refuses(world: World, query: str, said: str) -> None:
    answer = raw(world, RUN_DOCUMENT, {"query": query})["bulkOperationRunQuery"]
    assert answer["bulkOperation"] is None
    assert answer["userErrors"][0]["code"] == "INVALID"
    assert said in answer["userErrors"][0]["message"]


def test_the_lines_of_a_file_are_products_each_followed_by_its_variants(world: World) -> None:
    started = raw(world, RUN_DOCUMENT, {"query": BULK_QUERY})["bulkOperationRunQuery"]["bulkOperation"]
    states = [raw(world, STATE_DOCUMENT, {"id": started["id"]})["bulkOperation"] for _ in range(2)]
    assert [state["status"] for state in states] == ["RUNNING", "COMPLETED"]
    assert states[0]["url"] is None
    fetch = world.keeper.client.http.lines(states[1]["url"], max_bytes=10**7, longest=10**5, timeout_s=30)
    lines = [json.loads(line) for line in fetch]
    assert len(lines) == PRODUCTS + VARIANTS_OF_THE_WIDEST + 2 * (PRODUCTS - 1)
    last = ""
    for line in lines:
        last = last if "__parentId" in line else line["id"]
        assert line.get("__parentId", last) == last


def raw(world: World, document: str, variables: dict[str, Any]) -> Any:
    """The data of one GraphQL answer."""
    tenant, client = world.tenants[LARGE], world.keeper.client
    headers = {"X-Shopify-Access-Token": world.secrets.read(tenant.scope, "shopify/admin_token")}
    url = f"{tenant.shopify_url}/admin/api/2026-10/graphql.json"
    body = {"query": document, "variables": variables}
    return client.http.json("POST", url, headers=headers, json=body)["data"]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/shopify-tiers/x",
        "http://storage.googleapis.com/shopify-tiers/x",
        "https://storage.googleapis.com/somebody/x",
        "https://storage.googleapis.com.evil.example/shopify-tiers/x",
        "https://storage.googleapis.com@evil.example/shopify-tiers/x",
        "https://storage.googleapis.com:444/shopify-tiers/x",
    ],
)
def test_a_file_elsewhere_than_in_shopifys_storage_is_not_fetched(world: World, url: str) -> None:
    class Lying(ShopifyClient):
        def query(self, tenant: Any, document: Any, variables: Any, shape: Any, deadline: Deadline) -> Any:
            answer = {"shop": {"currencyCode": "CLP"}, "bulkOperation": {"status": "COMPLETED", "url": url}}
            return shape.model_validate(answer)

    bulk = BulkCatalogue(Lying(world.keeper.client.http, world.secrets))
    with pytest.raises(BulkRefusedError):
        list(bulk.products(world.tenants[LARGE], "gid://shopify/BulkOperation/1"))


def test_a_cursor_the_shop_refuses_costs_one_reading_only(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = world.tenants[LARGE]
    with pytest.raises(KeyboardInterrupt):
        dying(world, 2).compare(tenant, full=True)
    with monkeypatch.context() as patched:
        ask = HttpClient.json

        def spoil(self: HttpClient, method: str, url: str, **options: Any) -> Any:
            if options["json"].get("variables", {}).get("after"):
                options["json"]["variables"]["after"] = "bm8="
            return ask(self, method, url, **options)

        patched.setattr(HttpClient, "json", spoil)
        with pytest.raises(SmosError):
            by_pages(world).compare(tenant, full=True)
    assert by_pages(world).compare(tenant, full=True).read == PRODUCTS
