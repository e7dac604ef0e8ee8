"""How well a product answers a search: by the words of its name first, of its tags and maker then, of its text last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import IntEnum

from smarteros.domain.tools import Product, ProductList
from smarteros.tools.catalogue import CatalogueProduct, CatalogueVariant, as_offer, best_variant
from smarteros.tools.spelling import ShopWords
from smarteros.tools.vocabulary import is_named, kind_of, synonyms_of
from smarteros.tools.wanted import Wanted

_OWN = (4.0, 3.5, 3.0, 0.75)
"""What a term counts when the product's title, its kind, its tags or maker, or its text has it."""
_SYNONYM = (3.0, 2.75, 2.0, 0.25)
_KIND = (1.0, 1.0, 1.0, 0.0)
_HEAD = 2.0
"""What it counts that a title begins with the thing: a guitar comes before a stand for guitars."""

_NAMES = 1.0
"""From this on it is the product that is named, and not something its text speaks of."""


class Reach(IntEnum):
    """How far a search goes. Each step is taken only when the one before found nothing."""

    ALL = 0
    """All terms, each in its own word or a synonym."""
    KNOWN = 1
    """The terms the shop has any product for; the thing itself must be among them. Wider kinds count as well."""
    THING = 2
    """The thing itself; the other terms only rank."""


def words_for(term: str, *, wider: bool = False) -> tuple[str, ...]:
    """Return the folded words one of which begins a word of what a term names."""
    kind = kind_of(term) if wider else None
    return tuple(dict.fromkeys((term, *synonyms_of(term), *([kind] if kind else []))))


def term_score(term: str, product: CatalogueProduct, *, wider: bool = False) -> float:
    """Tell how well a term names a product; 0 when it does not. ``wider`` counts the kind of thing as well."""
    fields = (product.title_words, product.name_words, product.mark_words, product.text_words)
    own = _best(term, fields, _OWN)
    if own == _OWN[0]:
        return own
    best = max((own, *(_best(other, fields, _SYNONYM) for other in synonyms_of(term))))
    if best or not wider:
        return best
    kind = kind_of(term)
    return _best(kind, fields, _KIND) if kind else 0.0


def score(wanted: Wanted, product: CatalogueProduct, *, wider: bool = False) -> float:
    """Tell how well a product answers all terms; more is better. The gender asked for weighs like a tag."""
    found = sum(term_score(term, product, wider=wider) for term in wanted.terms)
    if wanted.gender is not None and wanted.gender in product.genders:
        found += _OWN[2]
    if wanted.terms and _is_head(wanted.terms[wanted.thing], product):
        found += _HEAD
    return found


def _is_head(term: str, product: CatalogueProduct) -> bool:
    return any(is_named(word, product.head) for word in (term, *synonyms_of(term)))


def select(products: Iterable[CatalogueProduct], wanted: Wanted, limit: int, *, wider: bool = False) -> ProductList:
    """Choose what to offer: one buyable variant per product, what lies in stock first.

    What cannot be bought is never offered. Who asks for the cheapest or dearest gets them in that order; among equals
    the order of the shop's search stays.
    """
    offers = [(product, variant) for product in products if (variant := best_variant(product, wanted))]

    def rank(offer: tuple[CatalogueProduct, CatalogueVariant]) -> tuple[bool, bool, Decimal, float]:
        product, variant = offer
        by_price = wanted.cheapest_first - wanted.dearest_first
        # The cheapest of the things themselves: a text may name them as well (a cream for shoes).
        is_other = (
            by_price != 0 and bool(wanted.terms) and term_score(wanted.terms[wanted.thing], product) < _SYNONYM[1]
        )
        price = Decimal(variant.price) * by_price
        return not variant.in_stock, is_other, price, -score(wanted, product, wider=wider)

    offers.sort(key=rank)
    rows = tuple(as_offer(product, variant) for product, variant in offers[:limit])
    return ProductList(products=rows, total=len(offers))


def select_each(products: Iterable[CatalogueProduct], wanted: Wanted) -> tuple[Product, ...]:
    """Return the rows of these products, in their order, each with its variant that fits; others are left out."""
    fitting = ((product, best_variant(product, wanted)) for product in products)
    return tuple(as_offer(product, variant) for product, variant in fitting if variant is not None)


def within_reach(wanted: Wanted, reach: Reach, shop: ShopWords) -> Wanted | None:
    """Return the search with the terms that count at a reach, or None when it would be no wider, or pointless.

    A thing the shop has nothing of is not replaced by something that only shares its other words.
    """
    if reach is Reach.ALL or not wanted.terms:
        return wanted if reach is Reach.ALL else None
    thing = wanted.terms[wanted.thing]
    known = [term for term in wanted.terms if shop.has(term)]
    if thing not in known and (kind_of(thing) is not None or not known):
        return None
    return wanted.only(*known) if reach is Reach.KNOWN else wanted.only(thing if thing in known else known[0])


def named(
    products: Sequence[CatalogueProduct], wanted: Wanted, shop: ShopWords | None = None
) -> tuple[CatalogueProduct, ...]:
    """Return the products that are the thing itself; all of them when none is, unless the ``shop`` has such things.

    A sandal whose text says that it is "deportiva" is no answer to who asks for zapatillas.
    """
    if not wanted.terms:
        return tuple(products)
    thing = wanted.terms[wanted.thing]
    own = tuple(product for product in products if term_score(thing, product, wider=True) >= _NAMES)
    if own or (shop is not None and shop.is_kind(thing)):
        return own
    # What only a text speaks of, it must speak of in the customer's word: a case for earphones is no phone case.
    return tuple(product for product in products if term_score(thing, product) != _SYNONYM[3])


def names_all(product: CatalogueProduct, wanted: Wanted) -> bool:
    """Tell whether a product's name, kind, maker and tags have all the terms; its text alone is not enough."""
    return all(term_score(term, product) >= _NAMES for term in wanted.terms)


def is_about(product: CatalogueProduct, wanted: Wanted) -> bool:
    """Tell whether a product is the thing that is wanted, or a thing of its kind."""
    return not wanted.terms or term_score(wanted.terms[wanted.thing], product, wider=True) > 0


def _best(term: str, fields: tuple[frozenset[str], ...], weights: tuple[float, ...]) -> float:
    return next((weight for words, weight in zip(fields, weights, strict=True) if is_named(term, words)), 0.0)
