"""``shopify_recommend_products``: what is like a product, what goes with it, or what suits the customer's words.

Only what the catalogue says counts: kind, words, maker, tags, for whom, price and size. Nothing is learnt about people.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tools import ProductList
from smarteros.kit.text import fold
from smarteros.tools.catalogue import CatalogueProduct, as_offer, best_variant
from smarteros.tools.inputs import RecommendInput, ShopSearchInput
from smarteros.tools.product_search import ProductSearch
from smarteros.tools.protocol import ToolSpec
from smarteros.tools.ranking import score
from smarteros.tools.registry import EmbeddedTool, ToolRun
from smarteros.tools.shopify.credentials import SERVICE
from smarteros.tools.vocabulary import load_vocabulary, singular, synonyms_of, words_of
from smarteros.tools.wanted import Wanted, understand

_MAKER, _GENDER, _TAG, _WORD = 1.0, 2.0, 1.5, 1.0
_NEAR_PRICE = Decimal("0.3")
"""Part of its price within which another product costs about the same."""

_SPEC = ToolSpec(
    name="shopify_recommend_products",
    title="Recommend products",
    description=(
        "Recommend products that can be bought now: similar to a product, going together with it (complement), or "
        "suiting the customer's words. Without either: what the shop has most of."
    ),
    read_only=True,
    input_model=RecommendInput,
    output_model=ProductList,
)


@dataclass(frozen=True)
class Recommender:
    """Chooses by what the catalogue says; prices and stock are read in the shop at that moment."""

    search: ProductSearch

    def tool(self) -> EmbeddedTool[RecommendInput]:
        """Offer the recommendation as a tool."""
        return EmbeddedTool(_SPEC, SERVICE, RecommendInput, self.run, self.recall)

    def run(self, params: RecommendInput, run: ToolRun) -> ProductList:
        """Recommend now; refused when the product is not the shop's."""
        base = self.search.catalogue.product(params.product_id, run) if params.product_id is not None else None
        if params.product_id is not None and base is None:
            raise RejectedInputError("product_unknown", "The shop does not offer this product.")
        wanted = _asked_for(params)
        return self.search.as_of_now(self._choose(params, wanted, base, run), wanted, run)

    def recall(self, params: RecommendInput, run: ToolRun) -> ProductList | None:
        """Recommend from the copy of the last 24 h."""
        copy = self.search.copy
        as_of = copy.as_of(run.tenant) if copy is not None else None
        if copy is None or as_of is None:
            return None
        base = copy.product(params.product_id, run.tenant) if params.product_id is not None else None
        if params.product_id is not None and base is None:
            return None
        return self._choose(params, _asked_for(params), base, run).model_copy(update={"as_of": as_of})

    def _choose(
        self, params: RecommendInput, wanted: Wanted, base: CatalogueProduct | None, run: ToolRun
    ) -> ProductList:
        kinds = self._kinds(params, wanted, base)
        found: dict[str, tuple[float, CatalogueProduct]] = {}
        for place, kind in enumerate(kinds):
            lookup = Wanted(terms=(kind,), typed=(kind,)) if kind else Wanted()
            for product in self.search.candidates(lookup, run):
                liking = _likeness(product, base) if base is not None and params.mode == "similar" else 0.0
                points = liking + score(wanted, product) - place * (params.mode == "complement")
                found.setdefault(product.id, (points, product))
        left_out = {*params.exclude, base.id if base is not None else None}
        rows = [
            (points, _in_stock(product), as_offer(product, variant))
            for points, product in found.values()
            if product.id not in left_out and (variant := best_variant(product, wanted)) and variant.in_stock
        ]
        rows.sort(key=lambda row: (-row[0], -row[1]))
        return ProductList(products=tuple(row for _, _, row in rows[: params.limit]), total=len(rows))

    def _kinds(self, params: RecommendInput, wanted: Wanted, base: CatalogueProduct | None) -> tuple[str, ...]:
        """Return the kinds of things to choose among; one empty word means the whole catalogue."""
        own = _kind_of(base) if base is not None else wanted.terms[wanted.thing] if wanted.terms else ""
        if params.mode == "similar":
            return (own,)
        with_it = load_vocabulary().complements
        return next((with_it[name] for name in (own, *synonyms_of(own)) if name in with_it), ())


def _asked_for(params: RecommendInput) -> Wanted:
    query = params.query or "producto"  # a word that says nothing of any product
    return understand(ShopSearchInput(query=query, size=params.size, price_max=params.price_max))


def _kind_of(product: CatalogueProduct) -> str:
    """Return the folded singular of what a product is: the first word of its kind, else of its title."""
    return singular(next(iter(words_of(product.kind) or words_of(product.title)), ""))


def _likeness(product: CatalogueProduct, base: CatalogueProduct) -> float:
    """Count what two products have in common."""
    points = _MAKER * (fold(product.vendor) == fold(base.vendor)) + _GENDER * (product.genders == base.genders)
    points += _TAG * len({fold(tag) for tag in product.tags} & {fold(tag) for tag in base.tags})
    points += _WORD * len(product.name_words & base.name_words)
    price, other = _lowest(product), _lowest(base)
    return points + (1.0 if other and abs(price - other) <= other * _NEAR_PRICE else 0.0)


def _lowest(product: CatalogueProduct) -> Decimal:
    return min((Decimal(variant.price) for variant in product.variants), default=Decimal(0))


def _in_stock(product: CatalogueProduct) -> int:
    return sum(variant.told_stock or 0 for variant in product.variants if variant.buyable)
