"""The shop's product names for reading invoices: remembered, and never a reason to fail."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support import MemorySecrets
from tests.unit.tools.conftest import Loopback, Request

from smarteros.domain.tenants import Tenant
from smarteros.kit.http import HttpClient
from smarteros.tools.shopify.client import ShopifyClient
from smarteros.tools.shopify.titles import FRESH_S, TRY_AGAIN_S, ShopifyTitles


def page(*titles: str, after: str | None = None) -> tuple[int, Any]:
    info = {"hasNextPage": after is not None, "endCursor": after}
    return 200, {"data": {"products": {"pageInfo": info, "nodes": [{"title": title} for title in titles]}}}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def titles(server: Loopback, http: HttpClient, secrets: MemorySecrets, clock: Clock) -> ShopifyTitles:
    server.respond = lambda _request: page("Zapatilla Running Azul", "Bota Trekking")
    return ShopifyTitles(ShopifyClient(http, secrets), clock)


def test_all_pages_are_read_and_remembered_for_an_hour(
    titles: ShopifyTitles, server: Loopback, tenant: Tenant, clock: Clock
) -> None:
    def respond(request: Request) -> tuple[int, Any]:
        return page("Bota") if request.body["variables"]["after"] == "c1" else page("Zapatilla", "Bota", after="c1")

    server.respond = respond
    assert titles.of(tenant) == ("Zapatilla", "Bota")
    assert titles.of(tenant) == ("Zapatilla", "Bota")
    assert len(server.requests) == 2

    clock.now = FRESH_S
    titles.of(tenant)
    assert len(server.requests) == 4


def test_a_shop_that_is_away_gives_the_names_known_before_and_is_left_alone_for_a_minute(
    titles: ShopifyTitles, server: Loopback, tenant: Tenant, clock: Clock
) -> None:
    titles.of(tenant)
    server.respond = lambda _request: (503, {})
    clock.now = FRESH_S
    assert titles.of(tenant) == ("Zapatilla Running Azul", "Bota Trekking")
    assert titles.of(tenant) == ("Zapatilla Running Azul", "Bota Trekking")
    assert len(server.requests) == 2

    clock.now += TRY_AGAIN_S
    titles.of(tenant)
    assert len(server.requests) == 3


@pytest.mark.parametrize("answer", [(401, {}), (500, {}), (200, {"errors": [{"message": "no"}]}), (200, {"data": {}})])
def test_without_names_an_invoice_is_read_as_it_is_printed(
    answer: tuple[int, Any], titles: ShopifyTitles, server: Loopback, tenant: Tenant
) -> None:
    server.respond = lambda _request: answer
    assert titles.of(tenant) == ()


def test_one_shops_names_are_not_anothers(titles: ShopifyTitles, server: Loopback, tenant: Tenant) -> None:
    titles.of(tenant)
    other = tenant.model_copy(update={"tenant_id": "TENANT_WITHOUT_SHOP"})
    assert titles.of(other) == ()
