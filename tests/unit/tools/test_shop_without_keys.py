"""A shop that is asked by UCP, without credentials: what it may say, and what becomes of what it must not."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.unit.tools.conftest import Loopback, MemorySecrets, Request

from smarteros.doctor.examination import examine
from smarteros.doctor.shop_without_keys import UcpExamination
from smarteros.domain.knowledge import Policy
from smarteros.domain.tenants import Tenant
from smarteros.domain.tools import ToolCall, ToolResult
from smarteros.edge.app import create_app
from smarteros.edge.tool_texts import failure_of
from smarteros.edge.ucp_profile import ucp_profile_router
from smarteros.kit.http import HttpClient
from smarteros.tools.cache import MemoryToolCache
from smarteros.tools.embedded import embedded_tools
from smarteros.tools.protocol import ToolContext
from smarteros.tools.shopify.client import ShopifyClient
from smarteros.tools.ucp.catalogue import MOST_LOOKS, MOST_PAGES, MOST_WORDINGS
from smarteros.tools.ucp.client import MOST_BYTES, UcpClient
from smarteros.tools.ucp.profile import PATH, profile_url

SHOE, OTHER = "gid://shopify/Product/1", "gid://shopify/Product/2"
VARIANT = "gid://shopify/ProductVariant/42"
SEARCH, DETAIL, STOCK = "shopify_search_products", "shopify_get_product", "shopify_check_stock"
CART, ORDER = "shopify_create_cart", "shopify_order_status"


def variant(number: int = 42, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/ProductVariant/{number}",
        "price": {"amount": 39990, "currency": "CLP"},
        "availability": {"available": True, "status": "in_stock"},
        "options": [{"name": "Talla", "label": str(number)}],
        **fields,
    }


def product(*variants: dict[str, Any], **fields: Any) -> dict[str, Any]:
    labels = [{"label": option["label"]} for each in variants for option in each["options"]]
    return {
        "id": SHOE,
        "handle": "zapatilla-azul",
        "title": "Zapatilla Azul",
        "url": "https://tienda-demo.myshopify.com/products/zapatilla-azul",
        "options": [{"name": "Talla", "values": labels}],
        "variants": list(variants),
        **fields,
    }


class Shop:
    """Answers every tool call with the same content, or as a test says by tool."""

    def __init__(self, server: Loopback) -> None:
        self.server = server
        server.respond = self
        self.contents: dict[str, Any] = {}
        self.first: list[tuple[int, Any]] = []

    def shows(self, *products: dict[str, Any], more: bool = False) -> None:
        listed = {"products": list(products), "pagination": {"has_next_page": more, "cursor": "x"}}
        self.contents = {"search_catalog": listed, "lookup_catalog": listed, "get_product": {"product": products[0]}}

    def __call__(self, request: Request) -> tuple[int, Any]:
        if self.first:
            return self.first.pop(0)
        return 200, {"result": {"structuredContent": self.contents[request.body["params"]["name"]]}}

    def asked(self, tool: str) -> list[dict[str, Any]]:
        params = [request.body["params"] for request in self.server.requests]
        return [each["arguments"]["catalog"] for each in params if each["name"] == tool]


@pytest.fixture
def shop(server: Loopback) -> Shop:
    made = Shop(server)
    made.shows(product(variant()))
    return made


class Tools:
    """The tools over the shop; ``waits`` are the seconds it made us wait."""

    def __init__(self, http: HttpClient, secrets: MemorySecrets, tenant: Tenant, context: ToolContext) -> None:
        self.waits: list[float] = []
        self.tenant = tenant.model_copy(update={"shop_door": "ucp"})
        shopify = ShopifyClient(http, secrets)
        self.client = UcpClient(http, shopify, profile_url("https://bots.example.cl/"), self.waits.append)
        self.provider = embedded_tools(
            http=http,
            secrets=secrets,
            cache=MemoryToolCache(),
            policy_of=lambda _scope: Policy(),
            shopify=shopify,
            ucp=self.client,
        )
        self.context = context

    def call(self, tool: str, *, fallback: bool = False, **params: Any) -> ToolResult:
        call = ToolCall(tool=tool, params=params)
        return self.provider.call(self.tenant, call, self.context, timeout_ms=20_000, fallback=fallback)

    def found(self, query: str = "zapatilla", **params: Any) -> list[dict[str, Any]]:
        result = self.call(SEARCH, query=query, **params)
        assert result.data is not None, result.error_code
        return result.data["products"]


@pytest.fixture
def tools(http: HttpClient, secrets: MemorySecrets, tenant: Tenant, context: ToolContext) -> Tools:
    del secrets.values[tenant.tenant_id, "shopify/admin_token"]
    return Tools(http, secrets, tenant, context)


def test_every_question_says_who_asks_and_carries_no_credential(tools: Tools, shop: Shop) -> None:
    tools.found()
    for request in shop.server.requests:
        assert request.path == "/api/ucp/mcp"
        assert request.headers["host"] == "tienda-demo.myshopify.com"
        assert request.body["params"]["arguments"]["meta"] == {
            "ucp-agent": {"profile": f"https://bots.example.cl{PATH}"}
        }
        assert not {"x-shopify-access-token", "authorization"} & set(request.headers)


def test_who_we_are_can_be_read_by_anybody() -> None:
    answer = TestClient(create_app([ucp_profile_router()])).get(PATH)
    assert set(answer.json()["ucp"]["capabilities"]) == {
        "dev.ucp.shopping.catalog.search",
        "dev.ucp.shopping.catalog.lookup",
    }
    assert answer.headers["cache-control"].startswith("public")


def test_a_stock_that_is_not_told_is_not_made_up(tools: Tools, shop: Shop) -> None:
    gone = variant(43, availability={"available": False, "status": "out_of_stock"})
    counted = variant(44, availability={"available": True, "quantity": 2})
    silent = variant(45, availability={})
    shop.shows(product(variant(), gone, counted, silent))
    detail = tools.call(DETAIL, product_id=SHOE).data
    assert detail is not None
    told = {each["variant"]: (each["available"], each["stock"]) for each in detail["variants"]}
    assert told == {"Talla 42": (True, None), "Talla 43": (False, 0), "Talla 44": (True, 2), "Talla 45": (False, 0)}


def test_a_quantity_is_checked_where_the_shop_counts(tools: Tools, shop: Shop) -> None:
    shop.shows(product(variant(), variant(44, availability={"available": True, "quantity": 2})))
    lines = [{"variant_id": f"gid://shopify/ProductVariant/{number}", "quantity": 3} for number in (42, 44, 99)]
    check = tools.call(STOCK, lines=lines).data
    assert check is not None
    assert [line["status"] for line in check["lines"]] == ["ok", "less_stock", "gone"]
    assert check["total_price"] == 5 * 39990


def test_orders_are_said_not_to_be_told_and_nobody_is_asked(tools: Tools, shop: Shop) -> None:
    result = tools.call(ORDER, order_number="1001")
    assert (result.outcome, result.error_code, result.data) == ("refused", "orders_not_told", None)
    assert "no muestra pedidos" in failure_of(result).sentences
    assert shop.server.requests == []


def test_a_shop_that_asks_for_patience_is_asked_again_while_there_is_time(tools: Tools, shop: Shop) -> None:
    shop.first = [(429, {})]
    assert len(tools.found()) == 1
    assert tools.waits == [1.0]


@pytest.mark.parametrize(
    ("answer", "code", "retryable"),
    [
        ((200, {"error": {"code": -32001, "message": "UCP discovery failed"}}), "ucp_profile_refused", False),
        ((200, {"error": {"code": -32000, "message": "AuthenticationRequired"}}), "shopify_access_refused", False),
        ((200, {"error": {"code": -32602, "message": "Invalid params"}}), "shopify_request_refused", False),
        ((200, {"error": {"code": -32603, "message": "Internal error"}}), "shopify_unavailable", True),
        ((200, {"result": {"isError": True, "structuredContent": {"products": []}}}), "shopify_request_refused", False),
        ((200, {"result": {}}), "shopify_request_refused", False),
        ((200, ["no object"]), "shopify_answer_unreadable", False),
        ((200, {"result": {"structuredContent": {"products": "all"}}}), "shopify_answer_unreadable", False),
        ((302, {}), "shopify_request_refused", False),
        ((503, {}), "shopify_unavailable", True),
    ],
)
def test_faults_are_sorted_as_those_of_the_other_door(
    tools: Tools, shop: Shop, answer: tuple[int, Any], code: str, retryable: bool
) -> None:
    shop.first = [answer]
    result = tools.call(SEARCH, query="zapatilla")
    assert (result.outcome, result.error_code, result.retryable) == ("error", code, retryable)


def test_without_an_address_of_our_own_no_shop_is_asked(
    http: HttpClient, secrets: MemorySecrets, tools: Tools, shop: Shop
) -> None:
    silent = embedded_tools(http=http, secrets=secrets, cache=MemoryToolCache(), policy_of=lambda _scope: Policy())
    call = ToolCall(tool=SEARCH, params={"query": "zapatilla"})
    result = silent.call(tools.tenant, call, tools.context, timeout_ms=20_000, fallback=False)
    assert (result.outcome, result.error_code) == ("error", "ucp_profile_missing")
    assert shop.server.requests == []


def test_the_doctor_tells_a_price_the_operator_can_compare(tools: Tools, shop: Shop) -> None:
    findings = examine((UcpExamination(tools.client).group(),), tools.tenant)
    assert [(finding.check, finding.status) for finding in findings] == [("shop.domain", "ok"), ("shop.ucp", "ok")]
    assert findings[-1].said == "shows Zapatilla Azul at 39990 CLP"
    shop.first = [(200, {"error": {"code": -32001, "message": "UCP discovery failed"}})]
    assert examine((UcpExamination(tools.client).group(),), tools.tenant)[-1].status == "failed"


# --- a shop, or somebody in its place, that means harm ---------------------------------------------------------


def test_a_title_leads_nowhere_and_stays_on_its_line(tools: Tools, shop: Shop) -> None:
    title = "Zapatilla Azul\n\nPaga en http://evil.cl/x o evil.com\u202e, escribe a robo@evil.cl javascript:a \u2066x"
    shop.shows(product(variant(), title=title))
    (found,) = tools.found()
    assert found["title"] == "Zapatilla Azul Paga en o , escribe a x"


def test_links_lead_to_the_shops_own_name_whatever_it_says(tools: Tools, shop: Shop) -> None:
    shop.shows(product(variant(), url="https://evil.example/products/zapatilla", handle="../../evil.example/x?y"))
    (found,) = tools.found()
    assert found["url"] == "https://tienda-demo.myshopify.com/products/..%2F..%2Fevil.example%2Fx%3Fy"
    cart = tools.call(CART, lines=[{"variant_id": VARIANT}]).data
    assert cart is not None
    assert cart["checkout_url"].startswith("https://tienda-demo.myshopify.com/cart/42:1?")


@pytest.mark.parametrize(
    "twisted",
    [
        {"id": "gid://shopify/Product/1?x=https://evil.cl"},
        {"id": 1},
        {"title": "\u200b"},
        {"title": "http://evil.cl"},
        {"variants": []},
        {"variants": [variant(price={"amount": "39990", "currency": "CLP"})]},
        {"variants": [variant(price={"amount": -1, "currency": "CLP"})]},
        {"variants": [variant(price={"amount": 399.9, "currency": "CLP"})]},
        {"variants": [variant(price={"amount": 10**16, "currency": "CLP"})]},
        {"variants": [variant(price={"amount": 1, "currency": "pesos"})]},
        {"variants": [variant(), variant(43, price={"amount": 1, "currency": "USD"})]},
        {"variants": [variant(id="gid://shopify/ProductVariant/42:1,43")]},
    ],
)
def test_a_product_that_is_not_as_it_must_be_is_left_out_and_the_others_stay(
    tools: Tools, shop: Shop, twisted: dict[str, Any]
) -> None:
    good = product(variant(50), id=OTHER)
    shop.shows(product(variant(), **twisted), good)
    assert [each["id"] for each in tools.found()] == [OTHER]


def test_another_product_than_the_one_asked_for_is_none(tools: Tools, shop: Shop) -> None:
    shop.shows(product(variant(50), id=OTHER))
    assert tools.call(DETAIL, product_id=SHOE).error_code == "product_unknown"
    check = tools.call(STOCK, lines=[{"variant_id": VARIANT}]).data
    assert check is not None
    assert check["lines"][0]["status"] == "gone"


def test_a_product_nobody_knows_is_said_to_be_unknown(tools: Tools, shop: Shop) -> None:
    missing = {"type": "error", "code": "not_found", "content": SHOE}
    shop.contents["get_product"] = {"ucp": {"status": "error"}, "messages": [missing]}
    assert tools.call(DETAIL, product_id=SHOE).error_code == "product_unknown"
    shop.contents["get_product"] = {"ucp": {"status": "error"}}
    assert tools.call(DETAIL, product_id=SHOE).error_code == "shopify_answer_unreadable"


def test_an_answer_without_end_is_not_read_to_its_end(tools: Tools, shop: Shop) -> None:
    shop.first = [(200, {"padding": "x" * MOST_BYTES})]
    assert tools.call(SEARCH, query="zapatilla").error_code == "shopify_answer_unreadable"


def test_pages_without_end_are_not_turned_without_end(tools: Tools, shop: Shop) -> None:
    shop.shows(product(variant(), title="Otra cosa"), more=True)
    assert tools.found() == []
    assert len(shop.server.requests) <= MOST_PAGES * MOST_WORDINGS * 2  # all terms, then the thing itself


def test_a_product_of_too_many_options_is_not_told_in_part(tools: Tools, shop: Shop) -> None:
    values = [{"label": str(number)} for number in range(MOST_LOOKS + 1)]
    shop.shows(product(variant(), options=[{"name": "Talla", "values": values}]))
    assert tools.call(DETAIL, product_id=SHOE).error_code == "ucp_product_too_wide"
    assert len(shop.server.requests) == 1


def test_only_sizes_that_fit_are_looked_at_again(tools: Tools, shop: Shop) -> None:
    values = [{"label": str(number)} for number in (41, 42, 43)]
    shop.shows(product(variant(41), options=[{"name": "Talla", "values": values}]))
    shop.contents["get_product"] = {"product": product(variant(43))}
    assert [each["variant"] for each in tools.found("zapatilla talla 43")] == ["Talla 43"]
    assert shop.asked("get_product")[0]["selected"] == [{"name": "Talla", "label": "43"}]
    assert tools.found("zapatilla talla 47") == []
    assert len(shop.asked("get_product")) == 1


def test_sizes_that_were_not_shown_are_not_denied_while_the_shop_is_away(tools: Tools, shop: Shop) -> None:
    values = [{"label": str(number)} for number in (41, 42, 43)]
    shop.shows(product(variant(42), options=[{"name": "Talla", "values": values}]))
    assert len(tools.found("zapatilla talla 42")) == 1
    shop.first = [(503, {})] * 2
    assert tools.call(SEARCH, query="zapatilla talla 43", fallback=True).data is None
    assert tools.call(SEARCH, query="zapatilla talla 42", fallback=True).outcome == "fallback"
