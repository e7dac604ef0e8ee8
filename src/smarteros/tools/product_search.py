"""Product search over any shop system, and what it answers in the hours that system is away."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from smarteros.domain.errors import PermanentError
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.domain.tools import ProductList
from smarteros.kit.clock import Clock
from smarteros.tools.cache import FALLBACK_WINDOW, Seen, ToolCache
from smarteros.tools.catalogue import CatalogueProduct
from smarteros.tools.inputs import ShopSearchInput
from smarteros.tools.ranking import Reach, is_about, named, select, select_each, within_reach
from smarteros.tools.registry import ToolRun
from smarteros.tools.spelling import ShopWords
from smarteros.tools.wanted import Wanted, understand

CACHE_KIND = "products:"
_SOME = 30
"""Products among which a recommendation is chosen where the shop itself is asked."""


class Gathered(Model):
    """Published products that a search gave, the best first; ``complete`` when nothing was left to read."""

    products: tuple[CatalogueProduct, ...]
    complete: bool


class Catalogue(Protocol):
    """The catalogue of a shop system, asked now. Raises what the shop's faults are."""

    def gather(self, wanted: Wanted, run: ToolRun, limit: int) -> Gathered:
        """Find published products that have all the terms, at least ``limit`` that fit if there are."""
        ...

    def read(self, variant_ids: Sequence[str], run: ToolRun) -> tuple[CatalogueProduct, ...]:
        """Read these variants now: each with its product, in the given order; what is not sold is left out."""
        ...

    def product(self, product_id: str, run: ToolRun) -> CatalogueProduct | None:
        """Read one product with all its variants, by its id or that of a variant; None when it is not sold."""
        ...


class Remembered(Protocol):
    """The shop's own copy of its catalogue, as we keep it (``tools/mirror``)."""

    def words(self, tenant: Tenant) -> ShopWords | None:
        """Return the words of the catalogue, or None when no copy of the last 24 h is there."""
        ...

    def gather(self, wanted: Wanted, tenant: Tenant, *, wider: bool = False) -> tuple[CatalogueProduct, ...]:
        """Find products that have all the terms; ``wider`` counts the kind of thing a term names as well."""
        ...

    def product(self, product_id: str, tenant: Tenant) -> CatalogueProduct | None:
        """Return one product by its id or that of a variant."""
        ...

    def as_of(self, tenant: Tenant) -> datetime | None:
        """Return when the copy was last compared with the shop; None when that is more than 24 h ago."""
        ...

    def currency(self, tenant: Tenant) -> str | None:
        """Return the currency the copied prices are in; None when there is no copy of the last 24 h."""
        ...


def expect_currency(known: str | None, told: str) -> None:
    """Check the currency a shop answers in; PermanentError when it is not that of our copy, if we have one.

    "39990" in another currency is no price anybody should be told. The copy answers until it has been read anew.
    """
    if known is not None and known != told:
        raise PermanentError("shop_currency_changed", f"The shop sells in {told}; our copy of it is in {known}.")


@dataclass(frozen=True)
class ProductSearch:
    """Searches a catalogue.

    Where there is a copy of the catalogue it is searched and only the prices and stocks of what is offered are read
    in the shop: mistyped words are set right by the shop's own, and a large shop costs no more than a small one.
    Without a copy the shop itself is searched, and what it showed is remembered, with all variants.
    """

    catalogue: Catalogue
    cache: ToolCache
    clock: Clock
    copy: Remembered | None = None

    def run(self, params: ShopSearchInput, run: ToolRun) -> ProductList:
        """Search the shop now."""
        words = self.copy.words(run.tenant) if self.copy is not None else None
        wanted = understand(params, words)
        if self.copy is not None and words is not None:
            offer = self._from_copy(self.copy, wanted, words, run.tenant, params.limit)
            if offer is not None:
                return self.as_of_now(offer, wanted, run)
        wanted, found = self._search(wanted, run, params.limit)
        self.cache.put(run.tenant.scope, _cache_key(wanted), found.model_dump(mode="json"), self.clock.now())
        return select(found.products, wanted, params.limit, wider=True)

    def recall(self, params: ShopSearchInput, run: ToolRun) -> ProductList | None:
        """Answer from the last 24 h: from the copy; else from the same search, else from all products seen that fit.

        "Nothing fits" is an answer only when the very search was made and read to its end: from some products
        nobody can tell that the shop has no other.
        """
        words = self.copy.words(run.tenant) if self.copy is not None else None
        wanted = understand(params, words)
        if self.copy is not None and words is not None:
            offer = self._from_copy(self.copy, wanted, words, run.tenant, params.limit)
            return (offer or ProductList(products=(), total=0)).model_copy(
                update={"as_of": self.copy.as_of(run.tenant)}
            )
        return self._seen(wanted, run, params.limit)

    def _from_copy(
        self, copy: Remembered, wanted: Wanted, words: ShopWords, tenant: Tenant, limit: int
    ) -> ProductList | None:
        """Search the copy, each step wider than the one before; None when the shop has nothing of the kind."""
        for reach in Reach:
            narrowed = within_reach(wanted, reach, words)
            if narrowed is None:
                continue
            wider = reach is not Reach.ALL
            # First without what chooses among them: that nothing fits is an answer, not a reason to look elsewhere.
            if found := named(copy.gather(narrowed, tenant, wider=wider), wanted, words):
                return select(found, wanted, limit, wider=wider)
            if named(copy.gather(narrowed.unfiltered, tenant, wider=wider), wanted, words):
                return ProductList(products=(), total=0)
        return None

    def candidates(self, wanted: Wanted, run: ToolRun) -> tuple[CatalogueProduct, ...]:
        """Return products that are the thing and have all the terms: of the copy, or of the shop's first pages."""
        if self.copy is not None and self.copy.as_of(run.tenant) is not None:
            return named(self.copy.gather(wanted, run.tenant), wanted)
        return named(self.catalogue.gather(wanted, run, _SOME).products, wanted)

    def as_of_now(self, offer: ProductList, wanted: Wanted, run: ToolRun) -> ProductList:
        """Read what is offered in the shop: prices and stock are those of this moment."""
        if not offer.products:
            return offer
        now = self.catalogue.read([product.variant_id for product in offer.products], run)
        for currency in {product.currency for product in now}:
            expect_currency(offer.products[0].currency, currency)
        kept = {row.variant_id: row for row in select_each(now, wanted)}
        rows = tuple(
            # Only the offered variants were read: in what else they come, the copy knows.
            kept[product.variant_id].model_copy(update={"options": product.options})
            for product in offer.products
            if product.variant_id in kept
        )
        return ProductList(products=rows, total=offer.total - len(offer.products) + len(rows))

    def _search(self, wanted: Wanted, run: ToolRun, limit: int) -> tuple[Wanted, Gathered]:
        """Search the shop by all terms, then by the thing itself: ``zapatillas para la nieve`` are still zapatillas."""
        found = self.catalogue.gather(wanted, run, limit)
        if found.products or len(wanted.terms) < 2:
            return wanted, found
        return wanted, self.catalogue.gather(wanted.only(wanted.terms[wanted.thing]), run, limit)

    def _seen(self, wanted: Wanted, run: ToolRun, limit: int) -> ProductList | None:
        not_before = self.clock.now() - FALLBACK_WINDOW
        same = self.cache.latest(run.tenant.scope, _cache_key(wanted), not_before)
        if same is not None:
            found = Gathered.model_validate(same.data)
            offer = select(found.products, wanted, limit, wider=True)
            if offer.products or found.complete:
                return offer.model_copy(update={"as_of": same.seen_at})
        seen = self.cache.recent(run.tenant.scope, CACHE_KIND, not_before)
        products = [product for product in _each_once(seen) if is_about(product, wanted)]
        offer = select(products, wanted, limit, wider=True)
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
