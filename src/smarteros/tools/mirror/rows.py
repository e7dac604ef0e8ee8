"""How a product is kept so that it can be found: by word beginnings, sizes, colours, numbers and for whom it is.

What a search by these finds is looked at again (``best_variant``): they may find too much, never too little.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from smarteros.kit.text import fold
from smarteros.store.catalogue import ProductRow, Search
from smarteros.tools.catalogue import COLOUR_OPTIONS, ONE_SIZE, SIZE_RANGE, CatalogueProduct, sizes_of
from smarteros.tools.ranking import words_for
from smarteros.tools.vocabulary import colour_of, forms_of, is_prefix, size_names, words_of
from smarteros.tools.wanted import Wanted, normal_size

ANY_SIZE, ANYBODY = "s:*", "g:*"
_WIDEST_RANGE = 60.0
_LEADING_NUMBER = re.compile(r"^\d+(?:\.\d)?(?=[a-z])")


def row_of(product: CatalogueProduct) -> ProductRow:
    """Return a product as it is kept."""
    prices = [variant.price for variant in product.variants] or [0]
    kinds = {*words_of(fold(product.kind)), *words_of(fold(product.title))[:1]}
    return ProductRow(
        product_id=product.id,
        product=product.model_dump(mode="json"),
        names=sorted(product.words),
        kinds=sorted(kinds),
        texts=sorted(product.text_words),
        facets=sorted(set(_facets(product))),
        variant_ids=[variant.id for variant in product.variants],
        in_stock=any(variant.in_stock for variant in product.variants),
        lowest_price=Decimal(min(prices)),
        highest_price=Decimal(max(prices)),
    )


def search_for(wanted: Wanted, *, wider: bool = False) -> Search:
    """Write what is wanted as a search of the copy."""
    words = [tuple(_patterns(words_for(term, wider=wider))) for term in wanted.terms]
    words += [(word,) for word in words_of(wanted.brand or "")]
    facets: list[tuple[str, ...]] = [(f"n:{number}", f"s:{normal_size(number)}") for number in wanted.numbers]
    if wanted.sizes:
        facets.append((*(f"s:{name}" for size in wanted.sizes for name in size_names(size)), ANY_SIZE))
    if wanted.colour is not None:
        facets.append((f"c:{wanted.colour}",))
    if wanted.gender is not None:
        facets.append((f"g:{wanted.gender}", ANYBODY))
    return Search(
        words=tuple(words),
        facets=tuple(facets),
        price_min=wanted.price_min,
        price_max=wanted.price_max,
        currency="CLP" if wanted.pesos else None,
        by_price=wanted.cheapest_first - wanted.dearest_first,
    )


def _patterns(words: tuple[str, ...]) -> Iterator[str]:
    """Write words as ``is_named`` compares them."""
    for word in words:
        yield f"{word}*" if is_prefix(word) else word
        yield from forms_of(word)


def _facets(product: CatalogueProduct) -> Iterator[str]:
    for word in product.words | product.text_words:
        if any(character.isdigit() for character in word):
            yield f"n:{word}"
    for variant in product.variants:
        for value in (*sizes_of(variant), *product.capacities):
            yield from (f"s:{name}" for name in _size_names(value))
        colours = [value for name, value in variant.options.items() if fold(name) in COLOUR_OPTIONS]
        for word in words_of(" ".join(colours)) if colours else product.words:
            yield f"c:{colour_of(word) or fold(word)}"
    yield from (f"g:{gender}" for gender in product.genders or {"*"})


def _size_names(value: str) -> Iterator[str]:
    """Return under which sizes wanted a value may be found: "35-39" also as 37 and 37.5."""
    offered = normal_size(value)
    yield offered
    yield from (normal_size(part) for part in value.split("/"))
    if offered in ONE_SIZE:
        yield "*"
    if leading := _LEADING_NUMBER.match(offered):
        yield leading[0]
    if between := SIZE_RANGE.match(offered):
        lowest, highest = float(between[1]), float(between[2])
        for half in range(round(lowest * 2), round(min(highest, lowest + _WIDEST_RANGE) * 2) + 1):
            yield f"{half / 2:g}"
