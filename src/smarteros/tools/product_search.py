"""Product search over any shop system, and what it answers in the hours that system is away."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol

from smarteros.domain.model import Model
from smarteros.domain.tools import ProductList
from smarteros.kit.clock import Clock
from smarteros.tools.cache import FALLBACK_WINDOW, Seen, ToolCache
from smarteros.tools.catalogue import CatalogueProduct, is_about, select
from smarteros.tools.inputs import ShopSearchInput
from smarteros.tools.registry import ToolRun
from smarteros.tools.wanted import Wanted, understand

CACHE_KIND = "products:"


class Gathered(Model):
    """Published products that a search gave, the best first; ``complete`` when nothing was left to read."""

    products: tuple[CatalogueProduct, ...]
    complete: bool


class Catalogue(Protocol):
    """The catalogue of a shop system."""

    def gather(self, wanted: Wanted, run: ToolRun, limit: int, *, only_first_term: bool) -> Gathered:
        """Find products that have all the terms (or the first of them), at least ``limit`` that fit if there are."""
        ...


@dataclass(frozen=True)
class ProductSearch:
    """Searches a catalogue and remembers the products seen, with all their variants."""

    catalogue: Catalogue
    cache: ToolCache
    clock: Clock

    def run(self, params: ShopSearchInput, run: ToolRun) -> ProductList:
        """Search the shop now.

        When no product has all the words, the first of them (the thing itself) is searched alone and the others
        only rank: ``zapatillas para la nieve`` is still answered with zapatillas.
        """
        wanted = understand(params)
        found = self.catalogue.gather(wanted, run, params.limit, only_first_term=False)
        if not found.products and len(wanted.terms) > 1:
            found = self.catalogue.gather(wanted, run, params.limit, only_first_term=True)
        self.cache.put(run.tenant.scope, _cache_key(wanted), found.model_dump(mode="json"), self.clock.now())
        return select(found.products, wanted, params.limit)

    def recall(self, params: ShopSearchInput, run: ToolRun) -> ProductList | None:
        """Answer from the last 24 h: from the same search, else from all products seen that fit.

        "Nothing fits" is an answer only when the very search was made and read to its end: from some products
        nobody can tell that the shop has no other.
        """
        wanted = understand(params)
        not_before = self.clock.now() - FALLBACK_WINDOW
        same = self.cache.latest(run.tenant.scope, _cache_key(wanted), not_before)
        if same is not None:
            found = Gathered.model_validate(same.data)
            offer = select(found.products, wanted, params.limit)
            if offer.products or found.complete:
                return offer.model_copy(update={"as_of": same.seen_at})
        seen = self.cache.recent(run.tenant.scope, CACHE_KIND, not_before)
        products = [product for product in _each_once(seen) if is_about(product, wanted)]
        offer = select(products, wanted, params.limit)
        return offer.model_copy(update={"as_of": seen[-1].seen_at}) if offer.products else None


def _cache_key(wanted: Wanted) -> str:
    """Name a search. Size, colour and price are not part of it: they are chosen among what was seen."""
    return CACHE_KIND + json.dumps([*wanted.terms, wanted.brand], ensure_ascii=False)


def _each_once(seen: tuple[Seen, ...]) -> list[CatalogueProduct]:
    """Return each product as it was seen last (``seen`` is newest first)."""
    products: dict[str, CatalogueProduct] = {}
    for entry in seen:
        for product in Gathered.model_validate(entry.data).products:
            products.setdefault(product.id, product)
    return list(products.values())
