"""Shopify's search syntax."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarteros_sandbox.shopify.documents import PRODUCT_KEYS, VARIANT_KEYS, product_document, variant_document
from smarteros_sandbox.shopify.search import DEEPEST_GROUP, Document, parse_query

from .shops_stand import DEMO, demo_shops

PRODUCTS = {product.title: product_document(product) for product in demo_shops()[DEMO].products}
VARIANTS = {
    variant.sku: variant_document(product, variant)
    for product in demo_shops()[DEMO].products
    for variant in product.variants
}


def products(query: str) -> set[str]:
    match = parse_query(query, PRODUCT_KEYS).match
    return {title for title, document in PRODUCTS.items() if match(document)}


def variants(query: str) -> set[str]:
    match = parse_query(query, VARIANT_KEYS).match
    return {sku for sku, document in VARIANTS.items() if match(document)}


RUNNING = {"Zapatilla Running Azul", "Zapatilla Running Rosada Atacama"}


@pytest.mark.parametrize(
    "query",
    [
        "zapatilla running",
        "ZAPATILLA RUNNING",
        "zapat runn",
        "running AND zapatillas",
        "title:running -calcetines",
        "title:runn* title:zapatilla",
        'title:"zapatilla running"',
        "tag:running",
        "tag:'running' product_type:Zapatillas",
        "product_type:zapatilla* title:running",
        "(title:azul OR title:rosada) vendor:'Andes Run' tag:running",
        "zapatilla running -trail",
        "running NOT calcetines",
        "id:7891234567890 OR handle:zapatilla-running-rosada-atacama",
    ],
)
def test_many_ways_to_the_running_shoes(query: str):
    assert products(query) == RUNNING


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("nunoa", {"Ballerina Plaza Ñuñoa"}),
        ("Ñuñoa", {"Ballerina Plaza Ñuñoa"}),
        ("sku:ZRA-42", {"Zapatilla Running Azul"}),
        ("price:<8000", {"Calcetines Running Pack 3", "Crema Renovadora de Cuero"}),
        ("price:>=89990", {"Bota Trekking Aconcagua", "Bota Cuero Bernarda"}),
        ("price:>40000 price:<43000", {"Zapatilla Running Rosada Atacama"}),
        ("published_status:unpublished", {"Zapatilla Retro 84 Edición Taller"}),
        ("tag:'edición limitada'", {"Zapatilla Retro 84 Edición Taller"}),
        ("handle:plantillas-de-gel,calcetines-running-pack-3", {"Plantillas de Gel", "Calcetines Running Pack 3"}),
        ("inventory_total:>50", {"Calcetines Running Pack 3"}),
        ("99", set()),
        ("talla:99 zzz", set()),
        ("-status:ACTIVE", set()),
    ],
)
def test_finds_exactly(query: str, expected: set[str]):
    assert products(query) == expected


def test_size_42_in_stock():
    query = "option1:42 product_status:ACTIVE product_type:Zapatillas inventory_quantity:>0"
    assert variants(query) == {"ZRA-42", "ZTN-42", "ZRE-42"}
    assert variants(query + " published_status:published") == {"ZRA-42", "ZTN-42"}
    assert variants("option1:99") == set()


def test_an_unknown_field_is_ignored_and_reported():
    parsed = parse_query("colour:red sandalia", PRODUCT_KEYS)
    assert parsed.unknown_fields == ["colour"]
    assert len(products("colour:red")) == len(PRODUCTS)


def test_a_match_in_the_title_weighs_more():
    match = parse_query("running", PRODUCT_KEYS).match
    assert match(PRODUCTS["Zapatilla Running Azul"]) > match(PRODUCTS["Zapatilla Training Negro"])


def test_nesting_beyond_the_limit_is_harmless():
    depth = DEEPEST_GROUP * 20
    assert products("(" * depth + "title:running" + ")" * depth) >= RUNNING


@given(st.text(max_size=80) | st.text("()\"':*<>=-|ORANDabtitle.,0 ", max_size=120))
def test_any_text_is_a_query(text: str):
    document = Document(
        exact={"tag": ("a",)}, text={"title": "b c"}, numbers={"price": (Decimal(1),)}, default={"b": 1}
    )
    assert parse_query(text, PRODUCT_KEYS).match(document) >= 0
