"""Our GraphQL documents against Shopify's own 2026-10 schema, and the search syntax we write."""

from __future__ import annotations

import pytest

from smarteros.tools.inputs import ShopSearchInput
from smarteros.tools.mirror.reading import COUNT_DOCUMENT
from smarteros.tools.shopify.answers import (
    BULK_QUERY,
    PAGES_DOCUMENT,
    PRODUCTS_DOCUMENT,
    SEARCH_DOCUMENT,
    VARIANTS_DOCUMENT,
)
from smarteros.tools.shopify.bulk import RUN_DOCUMENT, STATE_DOCUMENT
from smarteros.tools.shopify.cart import CART_DOCUMENT
from smarteros.tools.shopify.orders import ORDERS_DOCUMENT
from smarteros.tools.shopify.search import search_text
from smarteros.tools.shopify.subscriptions import CREATE_DOCUMENT, LIST_DOCUMENT, UPDATE_DOCUMENT
from smarteros.tools.shopify.titles import TITLES_DOCUMENT
from smarteros.tools.wanted import understand

schemas = pytest.importorskip("smarteros_sandbox.shopify.schemas", reason="the sandbox's Shopify schema is absent")


ADMIN = [
    *(SEARCH_DOCUMENT, VARIANTS_DOCUMENT, PRODUCTS_DOCUMENT, PAGES_DOCUMENT, TITLES_DOCUMENT, COUNT_DOCUMENT),
    *(ORDERS_DOCUMENT, BULK_QUERY, RUN_DOCUMENT, STATE_DOCUMENT, LIST_DOCUMENT, CREATE_DOCUMENT, UPDATE_DOCUMENT),
]


@pytest.mark.parametrize(
    ("api", "document"), [*(("admin", document) for document in ADMIN), ("storefront", CART_DOCUMENT)]
)
def test_documents_are_valid_against_shopifys_schema(api: str, document: str) -> None:
    graphql = pytest.importorskip("graphql")
    assert graphql.validate(schemas.SCHEMAS.get(api), graphql.parse(document)) == []


def test_a_search_asks_for_published_products_in_every_spelling() -> None:
    text = search_text(understand(ShopSearchInput(query="botines")))
    assert text.startswith("status:active AND published_status:published AND (title:botin* OR product_type:botin*")
    assert "tag:botín*" in text


def test_a_second_try_may_search_the_thing_itself_only() -> None:
    wanted = understand(ShopSearchInput(query="zapatillas nieve"))
    assert "nieve" in search_text(wanted)
    assert "nieve" not in search_text(wanted.only("zapatilla"))


def test_a_search_without_words_lists_the_shop() -> None:
    assert search_text(understand(ShopSearchInput(query="talla 42"))) == "status:active AND published_status:published"


@pytest.mark.parametrize("query", ["zapatillas) OR status:draft", 'title:"x"', "-published_status:published", "* OR *"])
def test_what_a_customer_types_is_never_syntax(query: str) -> None:
    text = search_text(understand(ShopSearchInput(query=query)))
    assert "status:draft" not in text
    assert text.count("published_status:") == 1
    assert '"' not in text
    assert " -" not in text


def test_the_longest_search_stays_short() -> None:
    query = "zapatillas trekking impermeables inalámbricas oficina hombre mujer niños deporte running training cuero"
    assert len(search_text(understand(ShopSearchInput(query=query)))) < 4000
