"""Every fault of the stand-in shop, at every tool: what the customer gets each time, and that nothing is thrown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from tests.unit.tools.shop_world import NOON, SHOES, World, open_world

from smarteros.domain.tools import ToolResult
from smarteros.edge.tool_texts import failure_of, in_words
from smarteros.observability.metrics import REGISTRY
from smarteros.store.embedded import EmbeddedPostgres
from smarteros_sandbox.shops.loader import load_shops

SEARCH, DETAIL, STOCK = "shopify_search_products", "shopify_get_product", "shopify_check_stock"
RECOMMEND, CART, ORDER = "shopify_recommend_products", "shopify_create_cart", "shopify_order_status"
FROM_THE_COPY = (SEARCH, DETAIL, RECOMMEND)
"""What has an answer while the shop has none. What can be bought, paid and is on its way, only the shop knows."""
ONLY_THE_SHOP_KNOWS = (STOCK, CART, ORDER)
TOOLS = FROM_THE_COPY + ONLY_THE_SHOP_KNOWS
WARNING = "Precios y stock pueden haber cambiado"

Armed = dict[str, Any]
FAULTS: dict[str, tuple[Armed, set[str]]] = {
    "throttled": ({"kind": "throttle"}, {"shopify_throttled", "deadline_exceeded"}),  # by what is over first
    "server error": ({"kind": "http_500"}, {"shopify_unavailable"}),
    "time-out": ({"kind": "hang", "value": 0.5}, {"deadline_exceeded"}),
    "expired token": ({"kind": "expired_token"}, {"shopify_access_refused"}),
    "revoked token": ({"kind": "revoked_token"}, {"shopify_access_refused"}),
    "other currency": ({"kind": "wrong_currency"}, {"shop_currency_changed"}),
}
MS = {"time-out": 250, "throttled": 150}


@pytest.fixture(scope="module")
def world(postgres: EmbeddedPostgres) -> Iterator[World]:
    """The shoe shop, read once; its app has credentials of its own, so that its tokens can be renewed."""
    with open_world(postgres, load_shops(date(2026, 11, 1))[:1]) as opened:
        scope, spec = opened.tenants[SHOES].scope, opened.shops[SHOES].spec
        opened.secrets.write(scope, "shopify/client_id", spec.client_id)
        opened.secrets.write(scope, "shopify/client_secret", spec.client_secret)
        opened.keeper.compare(opened.tenants[SHOES], full=True)
        yield opened


@pytest.fixture(autouse=True)
def _as_before(world: World) -> Iterator[None]:
    yield
    world.faults.clear()
    world.clock.instant = NOON


def ask(world: World, tool: str, timeout_ms: int = 5000) -> ToolResult:
    """Ask a tool about the shop's first shoe, with tools that have not met a fault yet."""
    shoe = world.shops[SHOES].products[0]
    variant = next(variant for variant in shoe.variants if variant.stock > 1)
    lines = [{"variant_id": f"gid://shopify/ProductVariant/{variant.id}", "seen_price": variant.price}]
    params: dict[str, dict[str, Any]] = {
        SEARCH: {"query": "zapatillas talla 42"},
        DETAIL: {"product_id": f"gid://shopify/Product/{shoe.id}"},
        RECOMMEND: {"query": "zapatillas"},
        STOCK: {"lines": lines},
        CART: {"lines": lines},
        ORDER: {},
    }
    return world.anew.call(tool, timeout_ms=timeout_ms, **params[tool])


def told(world: World, result: ToolResult) -> str:
    """What a caller from outside reads."""
    if result.data is None:
        return failure_of(result).sentences
    model = next(spec.output_model for spec in world.tools.specs() if spec.name == result.tool)
    return in_words(result, model)


@pytest.mark.parametrize("tool", FROM_THE_COPY)
@pytest.mark.parametrize("fault", FAULTS)
def test_what_the_copy_knows_is_answered_from_it_with_its_warning(world: World, fault: str, tool: str) -> None:
    armed, codes = FAULTS[fault]
    world.faults.set("shopify", **armed)
    result = ask(world, tool, MS.get(fault, 5000))
    assert result.outcome == "fallback"
    assert result.error_code in codes
    assert result.data is not None
    assert result.data["as_of"].startswith(f"{NOON:%Y-%m-%dT%H:%M}")
    assert "USD" not in str(result.data)
    assert WARNING in told(world, result)


@pytest.mark.parametrize(
    ("fault", "tool"),
    [(f, t) for f in FAULTS for t in ONLY_THE_SHOP_KNOWS if (f, t) != ("other currency", ORDER)],  # it tells its own
)
def test_what_only_the_shop_knows_is_refused_in_words_while_it_does_not_say_it(
    world: World, fault: str, tool: str
) -> None:
    armed, codes = FAULTS[fault]
    world.faults.set("shopify", **armed)
    result = ask(world, tool, MS.get(fault, 5000))
    assert result.outcome in {"error", "timeout"}
    assert result.error_code in codes
    assert result.data is None
    assert len(told(world, result)) > 20


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("fault", ["expired_token", "throttle", "empty_mirror"])
def test_a_fault_that_passes_is_not_noticed_by_the_customer(world: World, fault: str, tool: str) -> None:
    """A token that ended is replaced, an empty bucket waited for; an index that is rebuilt finds no order."""
    world.faults.set("shopify", fault, times=1)
    result = ask(world, tool)
    assert (result.outcome, result.error_code) == ("ok", None)
    assert WARNING not in told(world, result)


@pytest.mark.parametrize("tool", FROM_THE_COPY)
def test_a_refused_token_is_no_longer_answered_for_after_a_day(world: World, tool: str) -> None:
    world.faults.set("shopify", "revoked_token")
    world.clock.instant = NOON + timedelta(hours=24, seconds=1)
    result = ask(world, tool)
    assert (result.outcome, result.error_code, result.data) == ("error", "shopify_access_refused", None)


def test_a_refused_token_is_counted_for_the_operator(world: World) -> None:
    labels = {"tenant": SHOES, "service": "shopify", "code": "shopify_access_refused"}
    before = REGISTRY.get_sample_value("smos_tool_faults_total", labels) or 0.0
    world.faults.set("shopify", "revoked_token")
    ask(world, SEARCH)
    assert REGISTRY.get_sample_value("smos_tool_faults_total", labels) == before + 1


def test_a_shop_that_has_changed_its_currency_is_read_anew_and_told_in_the_new_one(world: World) -> None:
    world.faults.set("shopify", "wrong_currency")
    world.clock.instant = NOON + timedelta(minutes=10)
    assert world.keeper.compare(world.tenants[SHOES]).what == "full"
    result = ask(world, SEARCH)
    assert result.data is not None
    assert (result.outcome, {row["currency"] for row in result.data["products"]}) == ("ok", {"USD"})
    world.faults.clear()
    assert world.keeper.compare(world.tenants[SHOES]).what == "full"
