"""Shopify's answers and faults, from a loopback server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from smarteros.domain.errors import ConfigError, PermanentError, SmosError, TransientError
from smarteros.domain.tenants import Tenant
from smarteros.kit.http import HttpClient
from smarteros.tools.deadline import Deadline, DeadlineError
from smarteros.tools.shopify.answers import SEARCH_DOCUMENT, SearchAnswer
from smarteros.tools.shopify.client import ShopifyClient
from smarteros.tools.shopify.credentials import ShopifyCredentials
from smarteros.tools.shopify.versions import expiry_warning

if TYPE_CHECKING:
    from tests.unit.tools.conftest import Loopback, MemorySecrets, Request

EMPTY_PAGE = {
    "data": {
        "shop": {"currencyCode": "CLP"},
        "products": {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": []},
    }
}


TOKEN = "shpat_very_secret_token"


def throttled(requested: float, available: float) -> dict[str, Any]:
    status = {"maximumAvailable": 2000, "currentlyAvailable": available, "restoreRate": 100}
    return {
        "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
        "extensions": {"cost": {"requestedQueryCost": requested, "throttleStatus": status}},
    }


def ask(client: ShopifyClient, tenant: Tenant, seconds: float = 5) -> SearchAnswer:
    return client.query(tenant, SEARCH_DOCUMENT, {"query": "x"}, SearchAnswer, Deadline.after(seconds))


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def client(http: HttpClient, secrets: MemorySecrets, waits: list[float]) -> ShopifyClient:
    return ShopifyClient(http, secrets, waits.append)


def test_a_query_goes_to_the_version_with_token_and_shop_name(
    client: ShopifyClient, tenant: Tenant, server: Loopback
) -> None:
    server.respond = lambda _: (200, EMPTY_PAGE)
    assert ask(client, tenant).catalogue() == []
    request = server.requests[0]
    assert request.path == "/admin/api/2026-10/graphql.json"
    assert request.headers["x-shopify-access-token"] == TOKEN
    assert request.headers["host"] == "tienda-demo.myshopify.com"
    assert request.body["variables"] == {"query": "x"}


def test_a_throttled_query_waits_until_the_bucket_has_refilled(
    client: ShopifyClient, tenant: Tenant, server: Loopback, waits: list[float]
) -> None:
    answers = iter([(200, throttled(300, 100)), (200, EMPTY_PAGE)])
    server.respond = lambda _: next(answers)
    ask(client, tenant)
    assert waits == [2.0]


def test_a_throttled_query_without_time_to_wait_is_given_up_at_once(
    client: ShopifyClient, tenant: Tenant, server: Loopback, waits: list[float]
) -> None:
    server.respond = lambda _: (200, throttled(900, 0))
    with pytest.raises(TransientError) as caught:
        ask(client, tenant)
    assert caught.value.code == "shopify_throttled"
    assert waits == []


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (401, {"errors": "[API] Invalid API key"}, ConfigError, "shopify_access_refused"),
        (403, {}, ConfigError, "shopify_access_refused"),
        (404, {"errors": "Not Found"}, PermanentError, "shopify_request_refused"),
        (500, {}, TransientError, "shopify_unavailable"),
        (429, {}, TransientError, "shopify_unavailable"),
        (
            200,
            {"errors": [{"message": "denied", "extensions": {"code": "ACCESS_DENIED"}}]},
            ConfigError,
            "shopify_access_refused",
        ),
        (200, {"errors": [{"message": "Field 'x' doesn't exist"}]}, PermanentError, "shopify_request_refused"),
        (200, {"errors": [{"extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}, TransientError, "shopify_unavailable"),
        (200, {"data": {"shop": {}}}, PermanentError, "shopify_answer_unreadable"),
        (200, ["surprise"], PermanentError, "shopify_answer_unreadable"),
        (200, {}, PermanentError, "shopify_request_refused"),
    ],
)
def test_every_fault_is_sorted_and_names_no_secret(
    client: ShopifyClient, tenant: Tenant, server: Loopback, status: int, body: Any, kind: type[SmosError], code: str
) -> None:
    server.respond = lambda _: (status, body)
    with pytest.raises(kind) as caught:
        ask(client, tenant)
    assert caught.value.code == code
    assert TOKEN not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_a_server_that_hangs_is_left_at_the_deadline(client: ShopifyClient, tenant: Tenant, server: Loopback) -> None:
    server.respond = server.hang
    with pytest.raises(TransientError):
        ask(client, tenant, seconds=0.1)


def test_a_passed_deadline_makes_no_request(client: ShopifyClient, tenant: Tenant, server: Loopback) -> None:
    with pytest.raises(DeadlineError):
        ask(client, tenant, seconds=-1)
    assert server.requests == []


@pytest.mark.parametrize("domain", ["evil.example/x?", "a b.cl", "user@shop.cl", "localhost", "", "shop.cl:8080"])
def test_a_store_domain_that_is_no_host_name_is_refused(
    client: ShopifyClient, tenant: Tenant, secrets: MemorySecrets, domain: str
) -> None:
    secrets.write(tenant.scope, "shopify/store_domain", domain)
    with pytest.raises(ConfigError) as caught:
        ask(client, tenant)
    assert caught.value.code == "secret_malformed"


@pytest.mark.parametrize("token", ["shpat_ñ", "shpat\r\nX-Evil: 1", " "])
def test_a_token_that_does_not_fit_a_header_is_refused_without_being_quoted(
    client: ShopifyClient, tenant: Tenant, secrets: MemorySecrets, token: str
) -> None:
    secrets.write(tenant.scope, "shopify/admin_token", token)
    with pytest.raises(ConfigError) as caught:
        ask(client, tenant)
    assert caught.value.code == "secret_malformed"
    assert "shpat" not in str(caught.value)


def test_a_missing_token_fails_closed(
    client: ShopifyClient, tenant: Tenant, secrets: MemorySecrets, server: Loopback
) -> None:
    del secrets.values[tenant.tenant_id, "shopify/admin_token"]
    with pytest.raises(ConfigError):
        ask(client, tenant)
    assert server.requests == []


def test_the_shop_of_another_tenant_is_never_asked(client: ShopifyClient, tenant: Tenant, server: Loopback) -> None:
    other = tenant.model_copy(update={"tenant_id": "TENANT_OTHER"})
    with pytest.raises(ConfigError) as caught:
        ask(client, other)
    assert caught.value.code == "secret_missing"
    assert server.requests == []


def test_numbers_in_json_keep_their_pesos(client: ShopifyClient, tenant: Tenant, server: Loopback) -> None:
    variant = {
        "id": "gid://shopify/ProductVariant/1",
        "price": "39990.50",
        "availableForSale": True,
        "inventoryQuantity": None,
        "selectedOptions": [],
    }
    product = {
        "id": "gid://shopify/Product/1",
        "title": "Gorro",
        "productType": "",
        "vendor": "",
        "tags": [],
        "onlineStoreUrl": "https://x.cl/p",
        "options": [],
        "variants": {"nodes": [variant]},
    }
    hidden = {**product, "onlineStoreUrl": None}
    page = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": [product, hidden]}
    server.respond = lambda _: (200, {"data": {"shop": {"currencyCode": "CLP"}, "products": page}})
    (only,) = ask(client, tenant).catalogue()
    assert (only.variants[0].price, only.variants[0].stock, only.currency) == (39991, None, "CLP")


def granting(*tokens: str, expires_in: float = 86_399) -> Callable[[Request], tuple[int, Any]]:
    """Grant these tokens one after the other; only the last one granted is accepted."""
    left = list(tokens)
    valid = [""]

    def respond(request: Request) -> tuple[int, Any]:
        if request.path == "/admin/oauth/access_token":
            valid[0] = left.pop(0)
            return 200, {"access_token": valid[0], "scope": "read_products", "expires_in": expires_in}
        accepted = request.headers["x-shopify-access-token"] == valid[0]
        return (200, EMPTY_PAGE) if accepted else (401, {"errors": "[API] Invalid API key or access token"})

    return respond


@pytest.fixture
def app_of_the_shop(secrets: MemorySecrets, tenant: Tenant) -> None:
    secrets.write(tenant.scope, "shopify/client_id", "an_app")
    secrets.write(tenant.scope, "shopify/client_secret", "shpss_its_secret")


def grants(server: Loopback) -> list[Any]:
    return [request.body for request in server.requests if request.path == "/admin/oauth/access_token"]


@pytest.mark.usefixtures("app_of_the_shop")
def test_a_token_of_24_hours_is_got_once_for_the_apps_credentials(
    client: ShopifyClient, tenant: Tenant, server: Loopback
) -> None:
    server.respond = granting("first")
    ask(client, tenant)
    ask(client, tenant)
    assert grants(server) == [
        {"grant_type": "client_credentials", "client_id": "an_app", "client_secret": "shpss_its_secret"}
    ]


@pytest.mark.usefixtures("app_of_the_shop")
def test_the_next_token_is_got_before_the_last_one_ends(
    http: HttpClient, secrets: MemorySecrets, tenant: Tenant, server: Loopback
) -> None:
    now = [0.0]
    credentials = ShopifyCredentials(http, secrets, monotonic=lambda: now[0])
    server.respond = granting("first", "second", expires_in=1000)
    tokens: list[str] = []
    for now[0] in (0, 899, 901):
        tokens.append(credentials.token(tenant, server.url, "tienda-demo.myshopify.com", Deadline.after(5)))
    assert tokens == ["first", "first", "second"]


@pytest.mark.usefixtures("app_of_the_shop")
def test_a_token_that_ended_early_is_replaced_once(client: ShopifyClient, tenant: Tenant, server: Loopback) -> None:
    server.respond = granting("first", "second")
    ask(client, tenant)
    revoked = granting("second")
    server.respond = revoked
    ask(client, tenant)
    assert len(grants(server)) == 2


@pytest.mark.usefixtures("app_of_the_shop")
def test_tokens_that_are_refused_again_and_again_are_an_error_of_the_configuration(
    client: ShopifyClient, tenant: Tenant, server: Loopback
) -> None:
    def respond(request: Request) -> tuple[int, Any]:
        if request.path == "/admin/oauth/access_token":
            return 200, {"access_token": "useless", "expires_in": 86_399}
        return 401, {}

    server.respond = respond
    with pytest.raises(ConfigError) as caught:
        ask(client, tenant)
    assert caught.value.code == "shopify_access_refused"
    assert len(server.requests) == 4


@pytest.mark.usefixtures("app_of_the_shop")
@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, {"error": "invalid_client"}, ConfigError, "shopify_access_refused"),
        (500, {}, TransientError, "shopify_unavailable"),
        (200, {"token": "x"}, PermanentError, "shopify_answer_unreadable"),
        (200, {"access_token": "\u00f1", "expires_in": 5}, ConfigError, "secret_malformed"),
    ],
)
def test_a_grant_that_fails_is_sorted_and_names_no_secret(
    client: ShopifyClient, tenant: Tenant, server: Loopback, status: int, body: Any, kind: type[SmosError], code: str
) -> None:
    server.respond = lambda _: (status, body)
    with pytest.raises(kind) as caught:
        ask(client, tenant)
    assert caught.value.code == code
    assert "shpss" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_the_version_is_a_setting(http: HttpClient, secrets: MemorySecrets, tenant: Tenant, server: Loopback) -> None:
    server.respond = lambda _: (200, EMPTY_PAGE)
    ask(ShopifyClient(http, secrets, version="2027-01"), tenant)
    assert server.requests[0].path == "/admin/api/2027-01/graphql.json"


@pytest.mark.parametrize(
    ("today", "said"),
    [(date(2027, 8, 1), None), (date(2027, 8, 3), "ends on 2027-10-01"), (date(2027, 10, 1), "ended on 2027-10-01")],
)
def test_a_version_that_ends_soon_is_told_to_the_operator(today: date, said: str | None) -> None:
    warning = expiry_warning("2026-10", today)
    assert (warning is None) if said is None else (warning is not None and said in warning)


def test_what_is_no_version_is_refused() -> None:
    with pytest.raises(ValueError, match="2026-11"):
        expiry_warning("2026-11", date(2026, 11, 23))
