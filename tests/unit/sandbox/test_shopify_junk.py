"""Whatever a stranger sends, the stand-in Shopify answers below 500, and soon."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smarteros_sandbox.shopify import create_shopify_app

from .shops_stand import DEMO, Stand

STAND = Stand(create_shopify_app)
SPEC = STAND.shops[DEMO].spec
HEADERS = {
    "X-Shopify-Access-Token": SPEC.admin_token,
    "X-Shopify-Storefront-Access-Token": SPEC.storefront_token,
}
PATHS = ("/admin/api/2026-10/graphql.json", "/api/2026-10/graphql.json", "/admin/oauth/access_token")
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def post(path: str, content: bytes) -> Any:
    return STAND.http.post(path, content=content, headers=HEADERS)


@pytest.mark.parametrize("path", PATHS)
@quick
@given(content=st.binary(max_size=100))
def test_bytes(path: str, content: bytes):
    assert post(path, content).status_code in (200, 400)


@pytest.mark.parametrize("path", PATHS)
@quick
@given(body=JUNK | st.fixed_dictionaries({"query": JUNK, "variables": JUNK, "operationName": JUNK}))
def test_json(path: str, body: Any):
    assert STAND.http.post(path, json=body, headers=HEADERS).status_code in (200, 400)


@quick
@given(text=st.text(max_size=60), number=st.integers(-(2**40), 2**40))
def test_arguments(text: str, number: int):
    query = """query($q: String, $n: Int, $id: ID!) { products(first: $n, query: $q, after: $q) { nodes { id } }
                 product(id: $id) { id } productVariants(last: 3, query: $q) { nodes { sku } } }"""
    body = {"query": query, "variables": {"q": text, "n": number, "id": text}}
    assert STAND.http.post(PATHS[0], json=body, headers=HEADERS).status_code == 200


@quick
@given(item=st.fixed_dictionaries({"merchandiseId": st.text(max_size=30), "quantity": JUNK, "attributes": JUNK}))
def test_carts(item: Any):
    query = "mutation($i: CartInput!) { cartCreate(input: $i) { cart { id } userErrors { message } } }"
    body = {"query": query, "variables": {"i": {"lines": [item]}}}
    assert STAND.http.post(PATHS[1], json=body, headers=HEADERS).status_code == 200


@quick
@given(amount=JUNK, quantity=st.integers(-(2**31), 2**31 - 1), title=st.text(max_size=20))
def test_draft_orders(amount: Any, quantity: int, title: str):
    query = "mutation($i: DraftOrderInput!) { draftOrderCreate(input: $i) { userErrors { message } } }"
    price = {"amount": amount, "currencyCode": "CLP"}
    line = {"title": title, "quantity": quantity, "originalUnitPriceWithCurrency": price}
    body = {"query": query, "variables": {"i": {"lineItems": [line]}}}
    assert STAND.http.post(PATHS[0], json=body, headers=HEADERS).status_code == 200


@quick
@given(path=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#\\"), max_size=40))
def test_paths(path: str):
    for prefix in ("/cart/", "/cart/c/", "/products/", "/7/invoices/", "/admin/api/", "/"):
        assert STAND.http.get(prefix + path.lstrip("/")).status_code < 500


@pytest.mark.parametrize(
    "query",
    [
        "{" * 3000,
        "{ shop " * 800 + "}" * 800,
        "{ " + "a: shop { name } " * 2000 + "}",
        "query A { shop { name } } query B { shop { name } }",
        "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }",
        "fragment A on QueryRoot { ...B } fragment B on QueryRoot { ...A } { ...A }",
        "{ products(first: 99999999999999999999) { nodes { id } } }",
        "subscription { x }",
        "\x00\ud800",
        "",
    ],
)
def test_hostile_queries_are_refused(query: str):
    body = b'{"query": ' + json.dumps(query).encode() + b"}"
    answer = post(PATHS[0], body)
    assert answer.status_code in (200, 400)
    assert "errors" in answer.json()


def test_a_body_that_is_too_large():
    assert post(PATHS[0], b"x" * 1_000_001).status_code == 413


def test_absurd_nesting():
    assert post(PATHS[0], b"[" * 500_000).status_code == 400
