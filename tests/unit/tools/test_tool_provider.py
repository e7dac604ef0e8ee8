"""The embedded provider: parameters, time, circuit breaker and memory. The shop behind it is a stub that can die."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from smarteros.domain.errors import ConfigError, PermanentError, SmosError, TransientError
from smarteros.domain.tenants import Tenant
from smarteros.domain.tools import ProductList, ToolCall, ToolResult
from smarteros.kit.clock import FixedClock
from smarteros.observability.metrics import REGISTRY
from smarteros.tools.breaker import FAILURES_TO_OPEN, OPEN_FOR_S, CircuitBreaker
from smarteros.tools.cache import MemoryToolCache
from smarteros.tools.catalogue import CatalogueProduct, CatalogueVariant
from smarteros.tools.inputs import ShopSearchInput
from smarteros.tools.product_search import Gathered, ProductSearch
from smarteros.tools.protocol import ToolContext, ToolSpec
from smarteros.tools.provider import EmbeddedToolProvider
from smarteros.tools.registry import EmbeddedTool, ToolRun
from smarteros.tools.wanted import Wanted

NOON = datetime(2025, 11, 17, 12, tzinfo=UTC)


def shoe(title: str, *sizes: str) -> CatalogueProduct:
    variants = tuple(
        CatalogueVariant(id=f"{title} {size}", price=39990, stock=5, buyable=True, options={"Talla": size})
        for size in sizes
    )
    return CatalogueProduct(
        id=title,
        title=title,
        kind="Zapatillas",
        url="https://x.cl",
        currency="CLP",
        varying=("Talla",),
        variants=variants,
    )


@dataclass
class StubShop:
    """A catalogue that answers the same always, or fails, or hangs until released."""

    products: tuple[CatalogueProduct, ...] = (shoe("Zapatilla Running", "41", "42"), shoe("Zapatilla Urbana", "38"))
    complete: bool = True
    error: Exception | None = None
    hanging: bool = False
    asked: int = 0
    released: threading.Event = field(default_factory=threading.Event)

    def gather(self, wanted: Wanted, run: ToolRun, limit: int) -> Gathered:
        self.asked += 1
        if self.hanging:
            self.released.wait(30)
        if self.error is not None:
            raise self.error
        return Gathered(products=self.products, complete=self.complete)

    def read(self, variant_ids: Sequence[str], run: ToolRun) -> tuple[CatalogueProduct, ...]:
        raise NotImplementedError("without a copy nothing is read by its id")


@dataclass
class Bench:
    """A provider with one search tool over a stub shop."""

    tenant: Tenant
    context: ToolContext
    shop: StubShop = field(default_factory=StubShop)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOON))
    cache: MemoryToolCache = field(default_factory=MemoryToolCache)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        search = ProductSearch(self.shop, self.cache, self.clock)
        spec = ToolSpec(
            name="search",
            title="t",
            description="d",
            read_only=True,
            input_model=ShopSearchInput,
            output_model=ProductList,
        )
        tool = EmbeddedTool(spec, "shopify", ShopSearchInput, search.run, search.recall)
        self.provider = EmbeddedToolProvider((tool,), breaker=CircuitBreaker(monotonic=lambda: self.seconds))

    def call(
        self,
        query: str = "zapatillas talla 42",
        *,
        tenant: Tenant | None = None,
        fallback: bool = True,
        timeout_ms: int = 5000,
    ) -> ToolResult:
        call = ToolCall(tool="search", params={"query": query})
        return self.provider.call(tenant or self.tenant, call, self.context, timeout_ms=timeout_ms, fallback=fallback)


@pytest.fixture
def bench(tenant: Tenant, context: ToolContext) -> Bench:
    return Bench(tenant, context)


AWAY = TransientError("shopify_unavailable", "away")


def titles(result: ToolResult) -> list[str]:
    assert result.data is not None
    return [product["title"] for product in result.data["products"]]


def test_a_good_answer_is_ok_and_measured(bench: Bench) -> None:
    result = bench.call()
    assert (result.outcome, result.error_code, titles(result)) == ("ok", None, ["Zapatilla Running"])
    assert result.duration_ms > 0
    assert result.data is not None
    assert result.data["as_of"] is None


@pytest.mark.parametrize(
    ("tool", "params", "code"),
    [
        ("rm", {}, "unknown_tool"),
        ("search", {}, "invalid_params"),
        ("search", {"query": ""}, "invalid_params"),
        ("search", {"query": "x" * 501}, "invalid_params"),
        ("search", {"query": "x", "limit": 0}, "invalid_params"),
        ("search", {"query": "x", "limit": 21}, "invalid_params"),
        ("search", {"query": "x", "price_min": -1}, "invalid_params"),
        ("search", {"query": "x", "tenant_id": "TENANT_OTHER"}, "invalid_params"),
    ],
)
def test_unknown_tools_and_wrong_parameters_are_refused(
    bench: Bench, tool: str, params: dict[str, object], code: str
) -> None:
    call = ToolCall(tool=tool, params=params)
    result = bench.provider.call(bench.tenant, call, bench.context, timeout_ms=1000, fallback=True)
    assert (result.outcome, result.error_code, result.data) == ("refused", code, None)
    assert bench.shop.asked == 0


def test_numbers_and_blanks_of_language_models_are_understood(bench: Bench) -> None:
    call = ToolCall(tool="search", params={"query": "zapatillas", "size": 42, "color": "", "price_max": ""})
    result = bench.provider.call(bench.tenant, call, bench.context, timeout_ms=1000, fallback=False)
    assert titles(result) == ["Zapatilla Running"]


@pytest.mark.parametrize(
    "error", [ConfigError("shopify_access_refused", "token"), PermanentError("shopify_request_refused", "no")]
)
def test_a_fault_only_the_operator_can_mend_is_answered_for_from_memory_and_told_to_him(
    bench: Bench, error: SmosError
) -> None:
    bench.shop.error = error
    assert bench.call().outcome == "error"
    bench.shop.error = None
    bench.call()
    bench.shop.error = error
    with capture_logs() as logs:
        result = bench.call()
    assert (result.outcome, result.error_code, titles(result)) == ("fallback", error.code, ["Zapatilla Running"])
    assert [(log["event"], log["code"]) for log in logs] == [("tool_system_needs_the_operator", error.code)]


def test_the_same_search_is_answered_from_memory_when_the_shop_is_away(bench: Bench) -> None:
    bench.call()
    bench.shop.error = AWAY
    bench.clock.instant = NOON + timedelta(hours=23)
    result = bench.call("Hola, ¿tienen ZAPATILLAS en talla 42?")
    assert (result.outcome, result.error_code, titles(result)) == (
        "fallback",
        "shopify_unavailable",
        ["Zapatilla Running"],
    )
    assert result.data is not None
    assert datetime.fromisoformat(result.data["as_of"]) == NOON


def test_another_size_of_the_same_search_is_chosen_from_memory(bench: Bench) -> None:
    bench.call("zapatillas talla 42")
    bench.shop.error = AWAY
    assert titles(bench.call("zapatillas talla 38")) == ["Zapatilla Urbana"]


def test_another_search_is_answered_from_all_products_seen(bench: Bench) -> None:
    bench.call("zapatillas")
    bench.shop.error = AWAY
    result = bench.call("tenis running 42")
    assert (result.outcome, titles(result)) == ("fallback", ["Zapatilla Running"])
    assert bench.call("botas talla 42").outcome == "error"


def test_nothing_fits_is_an_answer_only_when_the_search_was_read_to_its_end(bench: Bench) -> None:
    bench.call("zapatillas")
    bench.shop.error = AWAY
    assert (bench.call("zapatillas talla 99").outcome, titles(bench.call("zapatillas talla 99"))) == ("fallback", [])
    partial = Bench(bench.tenant, bench.context, StubShop(complete=False))
    partial.call("zapatillas")
    partial.shop.error = AWAY
    assert partial.call("zapatillas talla 99").outcome == "error"


def test_what_was_seen_more_than_24_hours_ago_is_forgotten(bench: Bench) -> None:
    bench.call()
    bench.shop.error = AWAY
    bench.clock.instant = NOON + timedelta(hours=24, seconds=1)
    assert bench.call().outcome == "error"


def test_memory_is_not_used_when_the_contract_does_not_allow_it(bench: Bench) -> None:
    bench.call()
    bench.shop.error = AWAY
    result = bench.call(fallback=False)
    assert (result.outcome, result.data) == ("error", None)


def test_another_tenant_remembers_nothing_of_it(bench: Bench) -> None:
    bench.call()
    bench.shop.error = AWAY
    other = bench.tenant.model_copy(update={"tenant_id": "TENANT_OTHER"})
    result = bench.call(tenant=other)
    assert (result.outcome, result.data) == ("error", None)


def test_a_shop_that_hangs_is_a_time_out_within_the_time(bench: Bench) -> None:
    bench.shop.hanging = True
    result = bench.call(timeout_ms=100)
    bench.shop.released.set()
    assert (result.outcome, result.error_code) == ("timeout", "deadline_exceeded")
    assert 90 <= result.duration_ms < 2000


def test_a_shop_that_hangs_is_answered_from_memory_within_the_time(bench: Bench) -> None:
    bench.call()
    bench.shop.hanging = True
    result = bench.call(timeout_ms=100)
    bench.shop.released.set()
    assert (result.outcome, titles(result)) == ("fallback", ["Zapatilla Running"])


def test_after_five_failures_the_shop_is_left_alone_for_thirty_seconds(bench: Bench) -> None:
    bench.call()
    bench.shop.error = AWAY
    for _ in range(5):
        bench.call()
    asked = bench.shop.asked
    result = bench.call()
    assert (result.outcome, result.error_code, bench.shop.asked) == ("fallback", "circuit_open", asked)
    bench.seconds += 31
    bench.shop.error = None
    assert bench.call().outcome == "ok"
    assert bench.call().outcome == "ok"


def test_refusals_of_a_living_shop_do_not_open_the_circuit(bench: Bench) -> None:
    bench.shop.error = ConfigError("shopify_access_refused", "token")
    for _ in range(9):
        assert bench.call().error_code == "shopify_access_refused"


def test_words_that_no_product_has_are_searched_without_the_details(bench: Bench) -> None:
    bench.shop.products = ()
    bench.call("zapatillas para la nieve")
    assert bench.shop.asked == 2


def test_calls_a_system_did_not_answer_are_counted_until_it_answers(bench: Bench) -> None:
    def in_a_row() -> float | None:
        labels = {"tenant": bench.tenant.tenant_id, "service": "shopify"}
        return REGISTRY.get_sample_value("smos_upstream_consecutive_failures", labels)

    bench.call()
    assert in_a_row() == 0
    bench.shop.error = AWAY
    for _ in range(FAILURES_TO_OPEN + 2):  # the last two are kept back by the circuit breaker
        bench.call()
    assert in_a_row() == FAILURES_TO_OPEN + 2
    bench.shop.error = None
    bench.seconds += OPEN_FOR_S
    bench.call()
    assert in_a_row() == 0
