"""The catalogue of a shop that gave us no credentials, as its UCP endpoint shows it to any visitor's agent.

It is a search engine's view: related products are among what is found, only some variants of each are shown, and how
many there are of one is often not said. So what is found is looked at again here, variants are asked for by their
options, and what is not told stays unknown (decision 36).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from smarteros.domain.errors import PermanentError
from smarteros.tools.catalogue import CatalogueProduct, best_variant, fitting_label
from smarteros.tools.product_search import Gathered
from smarteros.tools.ranking import names_all, words_for
from smarteros.tools.registry import ToolRun
from smarteros.tools.ucp.answers import ProductAnswer, ProductsAnswer, UcpProduct
from smarteros.tools.ucp.client import UcpClient
from smarteros.tools.wanted import Wanted

PAGE = 10
MOST_PAGES = 3
MOST_WORDINGS = 3
"""How often a search is worded anew: by the thing's other names."""
MOST_LOOKS = 24
"""Values of an option that are looked at to see all variants of a product; of a search, products looked at again."""
_AT_ONCE = 4
_LOOKUP = 10
"""Ids a shop must take in one ``lookup_catalog``."""
_BUYER = {"address_country": "CL", "language": "es"}

Selected = list[dict[str, str]]


@dataclass(frozen=True)
class UcpCatalogue:
    """Catalogue of a shop by its UCP endpoint."""

    client: UcpClient

    def gather(self, wanted: Wanted, run: ToolRun, limit: int) -> Gathered:
        """Search by all terms, then by other names of the thing, until enough of what fits is found.

        Complete only when every page was read and every product was shown whole: "not in 45" must not be told later
        from a search that was made for 42.
        """
        products: dict[str, CatalogueProduct] = {}
        looks, complete = iter(range(MOST_LOOKS)), True
        by_price = wanted.cheapest_first or wanted.dearest_first
        for text in _wordings(wanted):
            more = False
            for answer in self._pages(run, text):
                more = answer.next_page is not None
                for found in answer.products:
                    product = found.in_our_terms(self.client.domain(run.tenant))
                    if product is not None and product.id not in products and names_all(product, wanted):
                        complete = complete and found.whole
                        products[product.id] = self._with_fitting(found, product, wanted, run, looks)
                fitting = sum(best_variant(product, wanted) is not None for product in products.values())
                if fitting >= limit and not by_price:
                    return Gathered(products=tuple(products.values()), complete=False)
            complete = complete and not more
        return Gathered(products=tuple(products.values()), complete=complete)

    def read(self, variant_ids: Sequence[str], run: ToolRun) -> tuple[CatalogueProduct, ...]:
        """Read these variants; only what was asked for is taken from the answers."""
        found: dict[str, CatalogueProduct] = {}
        ids = list(dict.fromkeys(variant_ids))
        for first in range(0, len(ids), _LOOKUP):
            asked = {"ids": ids[first : first + _LOOKUP], "context": _BUYER}
            answer = self.client.ask(run.tenant, "lookup_catalog", asked, ProductsAnswer, run.deadline)
            for each in answer.products:
                product = each.in_our_terms(self.client.domain(run.tenant))
                for variant in product.variants if product is not None else ():
                    if product is not None and variant.id in variant_ids:
                        found[variant.id] = product.model_copy(update={"variants": (variant,)})
        return tuple(found[variant_id] for variant_id in variant_ids if variant_id in found)

    def product(self, product_id: str, run: ToolRun) -> CatalogueProduct | None:
        """Read a product; what its first answer does not show is asked for, one value of its widest option at a time.

        PermanentError when that would be too many questions: part of a product is no answer to "which are there?".
        """
        shown = self._look(product_id, [], run)
        if shown is None:
            return None
        domain = self.client.domain(run.tenant)
        if shown.whole:
            return shown.in_our_terms(domain)
        widest = max(shown.options, key=lambda option: len(option.labels))
        if len(widest.labels) > MOST_LOOKS:
            raise PermanentError("ucp_product_too_wide", f"{shown.id} has {len(widest.labels)} of {widest.name}.")

        def of(label: str) -> UcpProduct | None:
            return self._look(shown.id, [{"name": widest.name, "label": label}], run)

        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="smos-ucp") as pool:
            parts = list(pool.map(of, [value.label for value in widest.labels]))
        variants = {variant.id: variant for part in (shown, *parts) if part is not None for variant in part.variants}
        return shown.model_copy(update={"variants": list(variants.values())}).in_our_terms(domain)

    def _with_fitting(
        self, found: UcpProduct, product: CatalogueProduct, wanted: Wanted, run: ToolRun, looks: Iterator[int]
    ) -> CatalogueProduct:
        """Return a found product; one whose shown variants do not fit with those of the wanted size and colour."""
        if found.whole or best_variant(product, wanted) is not None or next(looks, None) is None:
            return product
        labels = {option.name: [value.label for value in option.labels] for option in found.options}
        selected = [
            {"name": name, "label": label}
            for name, values in labels.items()
            if (label := fitting_label(product, name, values, wanted)) is not None
        ]
        if not selected and (wanted.sizes or wanted.colour or wanted.numbers):
            return product  # none of its options is what is wanted
        part = self._look(found.id, selected, run)
        seen = part.in_our_terms(self.client.domain(run.tenant)) if part is not None else None
        if seen is None:
            return product
        variants = {variant.id: variant for variant in (*product.variants, *seen.variants)}
        return product.model_copy(update={"variants": tuple(variants.values())})

    def _look(self, product_id: str, selected: Selected, run: ToolRun) -> UcpProduct | None:
        asked: dict[str, Any] = {"id": product_id, "context": _BUYER}
        if selected:
            asked["selected"] = selected
        answer = self.client.ask(run.tenant, "get_product", asked, ProductAnswer, run.deadline)
        product = answer.product
        if product is None:
            if answer.not_found:
                return None
            raise PermanentError("shopify_answer_unreadable", "The shop says neither a product nor that there is none.")
        # Another product than the one asked for is none.
        known = product_id in (product.id, *(variant.id for variant in product.variants))
        return product if known else None

    def _pages(self, run: ToolRun, text: str) -> Iterator[ProductsAnswer]:
        asked: dict[str, Any] = {"filters": {"available": True}, "context": _BUYER, **({"query": text} if text else {})}
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            place = {"limit": PAGE} if cursor is None else {"limit": PAGE, "cursor": cursor}
            asked["pagination"] = place
            answer = self.client.ask(run.tenant, "search_catalog", asked, ProductsAnswer, run.deadline)
            yield answer
            cursor = answer.next_page
            if cursor is None:
                return


def _wordings(wanted: Wanted) -> Iterator[str]:
    """Word a search: all its terms, then with the thing's other names."""
    brand = wanted.brand or ""
    if not wanted.terms:
        yield brand
        return
    thing = wanted.terms[wanted.thing]
    for name in words_for(thing)[:MOST_WORDINGS]:
        yield " ".join([*(name if term == thing else term for term in wanted.terms), *brand.split()])
