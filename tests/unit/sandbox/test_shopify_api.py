"""The stand-in Shopify over HTTP: queries of a real client, errors, limits, pagination, faults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from smarteros_sandbox.shopify import create_shopify_app
from smarteros_sandbox.shopify.cost import LeakyBucket
from smarteros_sandbox.shopify.tenants import TOKEN_SECONDS, ShopifyTenants

from .shops_stand import CLOTHES, DEMO, Stand, demo_shops

ADMIN = "/admin/api/2026-10/graphql.json"
STOREFRONT = "/api/2026-10/graphql.json"
ZRA_42 = demo_shops()[DEMO].products[0].variants[2]
VARIANT_ID = f"gid://shopify/ProductVariant/{ZRA_42.id}"
CART = """id checkoutUrl totalQuantity attributes { key value } cost { totalAmount { amount currencyCode } }
          lines(first: 5) { nodes { id quantity } }"""


@pytest.fixture
def stand() -> Iterator[Stand]:
    yield Stand(create_shopify_app)


def admin(stand: Stand, query: str, variables: Any = None, *, shop: int = DEMO, **headers: str) -> Any:
    token = stand.shops[shop].spec.admin_token
    body = {"query": query, "variables": variables}
    return stand.post(ADMIN, body, **{"X_Shopify_Access_Token": token, **headers}).json()


def storefront(stand: Stand, query: str, variables: Any = None, *, shop: int = DEMO) -> Any:
    token = stand.shops[shop].spec.storefront_token
    body = {"query": query, "variables": variables}
    return stand.post(STOREFRONT, body, X_Shopify_Storefront_Access_Token=token).json()


def test_health_query(stand: Stand):
    answer = admin(stand, "{ shop { name currencyCode myshopifyDomain } }")
    assert answer["data"]["shop"] == {
        "name": "Tienda Demo Calzados",
        "currencyCode": "CLP",
        "myshopifyDomain": "tienda-demo.myshopify.com",
    }


def test_products_with_everything_a_bot_needs(stand: Stand):
    answer = admin(
        stand,
        """query($q: String!) { products(first: 5, query: $q, sortKey: RELEVANCE) { nodes {
             id title handle productType vendor tags status onlineStoreUrl totalInventory
             options { name values }
             priceRangeV2 { minVariantPrice { amount currencyCode } }
             variants(first: 20) { nodes { id sku title price availableForSale inventoryQuantity
                                           sellableOnlineQuantity selectedOptions { name value } } } } } }""",
        {"q": "title:running published_status:published"},
    )
    product = answer["data"]["products"]["nodes"][0]
    variant = product["variants"]["nodes"][2]
    assert product["id"] == "gid://shopify/Product/7891234567890"
    assert product["onlineStoreUrl"] == "https://tienda-demo.myshopify.com/products/zapatilla-running-azul-42"
    assert product["options"][0] == {"name": "Talla", "values": ["40", "41", "42", "43", "44"]}
    assert product["priceRangeV2"]["minVariantPrice"] == {"amount": "39990.0", "currencyCode": "CLP"}
    assert (variant["sku"], variant["price"], variant["inventoryQuantity"]) == ("ZRA-42", "39990", 5)
    assert {"name": "Talla", "value": "42"} in variant["selectedOptions"]


def test_an_unpublished_product_is_active_without_a_url(stand: Stand):
    answer = admin(stand, '{ products(first: 1, query: "title:retro") { nodes { status onlineStoreUrl } } }')
    assert answer["data"]["products"]["nodes"] == [{"status": "ACTIVE", "onlineStoreUrl": None}]


def test_pages_follow_each_other(stand: Stand):
    query = """query($after: String) { products(first: 10, after: $after, sortKey: TITLE) {
                 edges { cursor node { title } } pageInfo { hasNextPage hasPreviousPage endCursor } } }"""
    titles: list[str] = []
    after = None
    while True:
        page = admin(stand, query, {"after": after})["data"]["products"]
        titles += [edge["node"]["title"] for edge in page["edges"]]
        assert page["pageInfo"]["hasPreviousPage"] == (after is not None)
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
        assert after == page["edges"][-1]["cursor"]
    assert len(titles) == len(set(titles)) == len(stand.shops[DEMO].products)


def test_last_and_reverse(stand: Stand):
    last = admin(stand, "{ products(last: 1, sortKey: TITLE) { nodes { title } } }")
    first_reversed = admin(stand, "{ products(first: 1, reverse: true, sortKey: TITLE) { nodes { title } } }")
    assert last["data"] == first_reversed["data"]


@pytest.mark.parametrize(
    ("query", "message", "code"),
    [
        ("{ products { nodes { id } } }", "you must provide one of first or last", "BAD_REQUEST"),
        ('{ products(first: 1, after: "x") { nodes { id } } }', "Invalid cursor", "BAD_REQUEST"),
        ('{ product(id: "gid://shopify/Order/1") { id } }', "Invalid global id", "BAD_REQUEST"),
        ("{ customers(first: 1) { nodes { id } } }", "Access denied for customers field.", "ACCESS_DENIED"),
    ],
)
def test_errors_of_execution(stand: Stand, query: str, message: str, code: str):
    error = admin(stand, query)["errors"][0]
    assert message in error["message"]
    assert error["extensions"]["code"] == code
    assert error["path"] and error["locations"]


def test_errors_of_validation_have_code_and_path(stand: Stand):
    answer = admin(stand, "{ products(first: 1) { nodes { titel } } }")
    assert set(answer) == {"errors"}
    error = answer["errors"][0]
    assert "Cannot query field 'titel'" in error["message"]
    assert error["extensions"] == {"code": "undefinedField"}
    assert error["path"] == ["query", "products", "nodes", "titel"]
    assert error["locations"] == [{"line": 1, "column": 32}]


def test_the_storefront_mutation_is_unknown_to_admin(stand: Stand):
    answer = admin(stand, "mutation { cartCreate(input: {}) { cart { id } } }")
    assert "cartCreate" in answer["errors"][0]["message"]


def test_a_variable_of_the_wrong_type(stand: Stand):
    query = "query($n: Int!) { products(first: $n) { nodes { id } } }"
    assert admin(stand, query, {"n": "many"})["errors"][0]["extensions"]["code"] == "INVALID_VARIABLE"


def test_an_unknown_search_field_is_reported(stand: Stand):
    answer = admin(stand, '{ products(first: 1, query: "colour:red") { nodes { id } } }')
    warning = answer["extensions"]["search"][0]["warnings"][0]
    assert (warning["field"], warning["code"]) == ("colour", "invalid_field")


def test_orders_by_name(stand: Stand):
    query = """{ orders(first: 2, query: "name:#1001") { nodes { name email displayFulfillmentStatus
                   totalPriceSet { shopMoney { amount } } customer { displayName }
                   lineItems(first: 2) { nodes { sku quantity } }
                   fulfillments { trackingInfo { company number } } } } }"""
    order = admin(stand, query)["data"]["orders"]["nodes"]
    assert [one["name"] for one in order] == ["#1001"]
    assert order[0]["customer"]["displayName"] == "María González"
    assert order[0]["lineItems"]["nodes"] == [{"sku": "ZRA-42", "quantity": 1}]
    assert order[0]["fulfillments"][0]["trackingInfo"][0]["company"] == "Chilexpress"


def test_required_fields_without_data_are_empty_not_missing(stand: Stand):
    query = """{ products(first: 1) { nodes { seo { title } metafields(first: 1) { nodes { id } }
                   collections(first: 1) { nodes { id } pageInfo { hasNextPage } } } } }"""
    product = admin(stand, query)["data"]["products"]["nodes"][0]
    assert product["collections"] == {"nodes": [], "pageInfo": {"hasNextPage": False}}


def test_draft_order_leads_to_its_invoice_page(stand: Stand):
    mutation = """mutation($i: DraftOrderInput!) { draftOrderCreate(input: $i) {
        draftOrder { id name status invoiceUrl totalPriceSet { shopMoney { amount } }
                     lineItems(first: 5) { nodes { title quantity sku } } }
        userErrors { field message } } }"""
    wanted = {"lineItems": [{"variantId": VARIANT_ID, "quantity": 2}], "email": "maria@example.cl"}
    payload = admin(stand, mutation, {"i": wanted})["data"]["draftOrderCreate"]
    draft = payload["draftOrder"]
    assert payload["userErrors"] == []
    assert draft["totalPriceSet"]["shopMoney"]["amount"] == "79980.0"
    assert draft["lineItems"]["nodes"][0]["sku"] == "ZRA-42"
    page = stand.http.get(draft["invoiceUrl"].removeprefix("https://tienda-demo.myshopify.com"))
    assert page.status_code == 200 and "$79.980" in page.text


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "Add at least 1 product"),
        ([{"variantId": "gid://shopify/ProductVariant/1", "quantity": 1}], "no longer available"),
        ([{"variantId": VARIANT_ID, "quantity": 0}], "greater than or equal to 1"),
        ([{"title": "Algo", "quantity": 1}], "Title and price"),
    ],
)
def test_draft_order_user_errors(stand: Stand, lines: list[Any], message: str):
    mutation = """mutation($i: DraftOrderInput!) { draftOrderCreate(input: $i) {
        draftOrder { id } userErrors { field message } } }"""
    payload = admin(stand, mutation, {"i": {"lineItems": lines}})["data"]["draftOrderCreate"]
    assert payload["draftOrder"] is None
    assert message in payload["userErrors"][0]["message"]


def test_storefront_search_by_option(stand: Stand):
    query = """{ search(query: "zapatilla", first: 10, types: [PRODUCT], productFilters: [
                   {variantOption: {name: "Talla", value: "42"}}, {available: true}]) {
                 totalCount nodes { ... on Product { title } } } }"""
    titles = {node["title"] for node in storefront(stand, query)["data"]["search"]["nodes"]}
    assert titles == {"Zapatilla Running Azul", "Zapatilla Training Negro", "Zapatilla Trail Torres del Paine"}


def test_storefront_hides_what_is_not_published(stand: Stand):
    answer = storefront(stand, '{ product(handle: "zapatilla-retro-84-edicion-taller") { id } }')
    assert answer == {"data": {"product": None}}


def test_cart_from_creation_to_checkout(stand: Stand):
    create = f"mutation($i: CartInput!) {{ cartCreate(input: $i) {{ cart {{ {CART} }} userErrors {{ message }} }} }}"
    attributes = [{"key": "smos_conversation", "value": "12345"}]
    wanted = {"lines": [{"merchandiseId": VARIANT_ID, "quantity": 2}], "attributes": attributes}
    cart = storefront(stand, create, {"i": wanted})["data"]["cartCreate"]["cart"]
    assert cart["cost"]["totalAmount"] == {"amount": "79980.0", "currencyCode": "CLP"}
    assert cart["attributes"] == attributes
    remove = "mutation($c: ID!, $l: [ID!]) { cartLinesRemove(cartId: $c, lineIds: $l) { cart { totalQuantity } } }"
    page = stand.http.get(cart["checkoutUrl"].removeprefix("https://tienda-demo.myshopify.com"))
    assert "Zapatilla Running Azul" in page.text
    gone = storefront(stand, remove, {"c": cart["id"], "l": [cart["lines"]["nodes"][0]["id"]]})
    assert gone["data"]["cartLinesRemove"]["cart"]["totalQuantity"] == 0
    again = storefront(stand, "query($c: ID!) { cart(id: $c) { totalQuantity } }", {"c": cart["id"]})
    assert again["data"]["cart"] == {"totalQuantity": 0}


def test_cart_takes_no_more_than_the_stock(stand: Stand):
    create = "mutation($i: CartInput!) { cartCreate(input: $i) { cart { totalQuantity } warnings { code } } }"
    wanted = {"lines": [{"merchandiseId": VARIANT_ID, "quantity": 9}]}
    payload = storefront(stand, create, {"i": wanted})["data"]["cartCreate"]
    assert payload == {"cart": {"totalQuantity": 5}, "warnings": [{"code": "MERCHANDISE_NOT_ENOUGH_STOCK"}]}


def test_cart_refuses_the_article_of_another_shop(stand: Stand):
    create = "mutation($i: CartInput!) { cartCreate(input: $i) { cart { id } userErrors { code field } } }"
    wanted = {"lines": [{"merchandiseId": VARIANT_ID, "quantity": 1}]}
    payload = storefront(stand, create, {"i": wanted}, shop=CLOTHES)["data"]["cartCreate"]
    field = ["input", "lines", "0", "merchandiseId"]
    assert payload == {"cart": None, "userErrors": [{"code": "INVALID", "field": field}]}


def test_permalink_shows_the_articles(stand: Stand):
    page = stand.http.get(f"/cart/{ZRA_42.id}:2")
    assert page.status_code == 200
    assert "Zapatilla Running Azul - 42 / Azul" in page.text
    assert stand.http.get("/cart/1:1").status_code == 404
    assert stand.http.get("/cart/x:1").status_code == 404


def test_a_product_page_exists_for_published_products_only(stand: Stand):
    assert stand.http.get("/products/zapatilla-running-azul-42").status_code == 200
    assert stand.http.get("/products/zapatilla-retro-84-edicion-taller").status_code == 404


def test_a_wrong_token_is_refused_as_shopify_does(stand: Stand):
    answer = stand.post(ADMIN, {"query": "{ shop { name } }"}, X_Shopify_Access_Token="shpat_x")
    assert answer.status_code == 401
    assert answer.json() == {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}


def test_the_token_decides_the_shop(stand: Stand):
    answer = admin(stand, '{ products(first: 1, query: "sku:ZRA-42") { nodes { id } } }', shop=CLOTHES)
    assert answer["data"]["products"]["nodes"] == []


def test_a_foreign_myshopify_host_is_not_found(stand: Stand):
    spec = stand.shops[DEMO].spec
    for host, status in ((spec.store_domain, 200), ("ropa-brava.myshopify.com", 404), ("localhost:8000", 200)):
        headers = {"Host": host, "X_Shopify_Access_Token": spec.admin_token}
        assert stand.post(ADMIN, {"query": "{ shop { name } }"}, **headers).status_code == status


def test_versions(stand: Stand):
    token = stand.shops[DEMO].spec.admin_token
    body = {"query": "{ shop { name } }"}
    older = stand.post("/admin/api/2025-01/graphql.json", body, X_Shopify_Access_Token=token)
    assert older.headers["X-Shopify-API-Version"] == "2026-10"
    assert stand.post("/admin/api/banana/graphql.json", body, X_Shopify_Access_Token=token).status_code == 404


def test_client_credentials_token_works_for_24_hours():
    now = [1000.0]
    tenants = ShopifyTenants(demo_shops(), clock=lambda: now[0])
    spec = demo_shops()[CLOTHES].spec
    assert tenants.issue_token(spec.client_id, "wrong") is None
    token = tenants.issue_token(spec.client_id, spec.client_secret)
    assert token is not None
    owner = tenants.by_admin_token(token)
    assert owner is not None and owner.tenant_id == spec.tenant_id
    now[0] += TOKEN_SECONDS + 1
    assert tenants.by_admin_token(token) is None


@pytest.mark.parametrize("kind", ["json", "data"])
def test_client_credentials_over_http(stand: Stand, kind: str):
    spec = stand.shops[DEMO].spec
    grant = {
        "grant_type": "client_credentials",
        "client_id": spec.client_id,
        "client_secret": spec.client_secret,
    }
    answer: Any = stand.http.post("/admin/oauth/access_token", **{kind: grant})  # type: ignore[arg-type]
    assert answer.json()["expires_in"] == TOKEN_SECONDS
    token = answer.json()["access_token"]
    assert admin(stand, "{ shop { name } }", X_Shopify_Access_Token=token)["data"]
    wrong: Any = stand.http.post("/admin/oauth/access_token", json={**grant, "client_secret": "x"})
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_client")


def test_cost_is_computed_and_given_back(stand: Stand):
    query = (
        '{ products(first: 10, query: "zapatillas running") { nodes { title variants(first: 5) { nodes { sku } } } } }'
    )
    cost = admin(stand, query)["extensions"]["cost"]
    # 2 + 10 x (1 + 2 + 5 x 1)
    assert cost["requestedQueryCost"] == 82
    # two products, ten variants: 2 + 2 x (1 + 2) + 10
    assert cost["actualQueryCost"] == 18
    assert cost["throttleStatus"]["maximumAvailable"] == 2000.0
    assert cost["throttleStatus"]["currentlyAvailable"] >= 1980


def test_one_query_may_not_cost_more_than_the_limit(stand: Stand):
    fields = " ".join(f"a{i}: products(first: 200) {{ nodes {{ id }} }}" for i in range(6))
    error = admin(stand, f"fragment F on QueryRoot {{ {fields} }} {{ ...F }}")["errors"][0]
    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert error["extensions"]["cost"] == 6 * 202


def test_fragments_cannot_hide_cost(stand: Stand):
    fragments = " ".join(
        f"fragment F{i} on QueryRoot {{ a{i}: products(first: 200) {{ nodes {{ id }} }} }}" for i in range(6)
    )
    spreads = " ".join(f"...F{i}" for i in range(6))
    assert admin(stand, f"{fragments} {{ {spreads} }}")["errors"][0]["extensions"]["cost"] == 6 * 202


def test_the_bucket_leaks_and_refills():
    now = [0.0]
    bucket = LeakyBucket(clock=lambda: now[0])
    assert bucket.take(1990)
    assert not bucket.take(100)
    now[0] += 0.9
    assert bucket.take(100)
    bucket.give_back(50)
    assert bucket.status()["currentlyAvailable"] == 50
    now[0] += 3600
    assert bucket.status()["currentlyAvailable"] == 2000


def test_throttled_as_documented(stand: Stand):
    stand.faults.set("shopify", "throttle", scope="TENANT_DEMO", times=1)
    answer = admin(stand, "{ shop { name } }")
    assert "data" not in answer
    assert answer["errors"][0]["message"] == "Throttled"
    assert answer["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert answer["extensions"]["cost"]["actualQueryCost"] is None
    assert answer["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] < 100
    assert admin(stand, "{ shop { name } }", shop=CLOTHES)["data"], "another shop has a bucket of its own"


@pytest.mark.parametrize(("kind", "status"), [("http_500", 500), ("hang", 504), ("expired_token", 401), ("slow", 200)])
def test_faults_over_http(stand: Stand, kind: str, status: int):
    stand.faults.set("shopify", kind, scope="TENANT_DEMO", times=1, value=0)
    body, token = {"query": "{ shop { name } }"}, stand.shops[DEMO].spec.admin_token
    assert stand.post(ADMIN, body, X_Shopify_Access_Token=token).status_code == status
    assert stand.post(ADMIN, body, X_Shopify_Access_Token=token).status_code == 200


def test_an_empty_mirror_finds_nothing(stand: Stand):
    stand.faults.set("shopify", "empty_mirror", times=1)
    query = "{ products(first: 1) { nodes { id } } }"
    assert admin(stand, query)["data"]["products"]["nodes"] == []
    assert admin(stand, query)["data"]["products"]["nodes"] != []
