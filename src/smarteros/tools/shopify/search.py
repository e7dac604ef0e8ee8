"""``shopify_search_products``: what is wanted, written in Shopify's search syntax."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smarteros.domain.tools import ProductList
from smarteros.tools.catalogue import CatalogueProduct, best_variant
from smarteros.tools.inputs import ShopSearchInput
from smarteros.tools.product_search import Gathered, ProductSearch
from smarteros.tools.protocol import ToolSpec
from smarteros.tools.registry import EmbeddedTool, ToolRun
from smarteros.tools.shopify.answers import PUBLISHED, SEARCH_DOCUMENT, VARIANTS_DOCUMENT, SearchAnswer, VariantsAnswer
from smarteros.tools.shopify.client import SERVICE, ShopifyClient
from smarteros.tools.shopify.products import read_product
from smarteros.tools.vocabulary import is_prefix, spellings_of, words_of
from smarteros.tools.wanted import Wanted

PAGE_SIZES = {"products": 8, "variants": 40}
"""8 products of 40 variants ask for 675 points, a point for each object. One query may cost 1,000, and a shop's
bucket holds 2,000: a few customers can search at the same moment."""
MOST_PAGES = 6
_FIELDS = ("title", "product_type", "tag", "vendor")

_SPEC = ToolSpec(
    name="shopify_search_products",
    title="Search products",
    description=(
        "Find products of the shop that can be bought now. Give the customer's words in Spanish or English; sizes, "
        "colours and prices are understood in them, or can be given as parameters."
    ),
    read_only=True,
    input_model=ShopSearchInput,
    output_model=ProductList,
)


def search_tool(search: ProductSearch) -> EmbeddedTool[ShopSearchInput]:
    """Offer the search as a tool."""
    return EmbeddedTool(_SPEC, SERVICE, ShopSearchInput, search.run, search.recall)


@dataclass(frozen=True)
class ShopifyCatalogue:
    """Catalogue of a Shopify shop. Product.variants cannot be filtered there: size and colour are chosen here."""

    client: ShopifyClient

    def gather(self, wanted: Wanted, run: ToolRun, limit: int) -> Gathered:
        """Read pages until enough of what fits is found (all pages when they are to be ordered by price)."""
        products: list[CatalogueProduct] = []
        fitting = 0
        by_price = wanted.cheapest_first or wanted.dearest_first
        for page, is_last in self._pages(run, search_text(wanted)):
            products += page
            fitting += sum(best_variant(product, wanted) is not None for product in page)
            if is_last or (fitting >= limit and not by_price):
                return Gathered(products=tuple(products), complete=is_last)
        return Gathered(products=tuple(products), complete=False)

    def read(self, variant_ids: Sequence[str], run: ToolRun) -> tuple[CatalogueProduct, ...]:
        """Read these variants, each with its product: a few points of the bucket instead of a search."""
        ids = list(variant_ids)
        answer = self.client.query(run.tenant, VARIANTS_DOCUMENT, {"ids": ids}, VariantsAnswer, run.deadline)
        read = [node.product.in_our_terms(answer.currency, node) for node in answer.nodes if node is not None]
        return tuple(product for product in read if product is not None)

    def product(self, product_id: str, run: ToolRun) -> CatalogueProduct | None:
        """Read a product with all its variants, by its id or that of a variant."""
        if "/ProductVariant/" in product_id:
            of_variant = next(iter(self.read([product_id], run)), None)
            if of_variant is None:
                return None
            product_id = of_variant.id
        return read_product(self.client, run.tenant, product_id, run.deadline)

    def _pages(self, run: ToolRun, text: str) -> Iterator[tuple[list[CatalogueProduct], bool]]:
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            variables = {"query": text, "after": cursor, **PAGE_SIZES}
            answer = self.client.query(run.tenant, SEARCH_DOCUMENT, variables, SearchAnswer, run.deadline)
            cursor = answer.end_cursor
            yield answer.catalogue(), not answer.has_next_page


def search_text(wanted: Wanted) -> str:
    """Write a search in Shopify's syntax: every term in some spelling and some field, published products only.

    Words hold only letters and digits here, so nothing a customer types can act as syntax. For whom a thing is counts
    here only when it is chosen: most products say nothing of it.
    """
    spelled = [spellings_of(term, typed) for term, typed in zip(wanted.terms, wanted.typed, strict=True)]
    conditions = [_any_of(_FIELDS, words) for words in spelled]
    conditions += [_any_of(("vendor", "title"), (word,)) for word in words_of(wanted.brand or "")]
    return " AND ".join([PUBLISHED, *conditions])


def _any_of(fields: tuple[str, ...], words: tuple[str, ...]) -> str:
    patterns = [f"{word}*" if is_prefix(word) else word for word in words]
    return "(" + " OR ".join(f"{field}:{pattern}" for pattern in patterns for field in fields) + ")"
