"""Which items of a list or a cart a message means, by the words it says of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from smarteros.agents.entities import Extraction
from smarteros.agents.numbers import find_quantity
from smarteros.domain.carts import CartItem
from smarteros.kit.text import fold

_LEAST_LETTERS = 4
_COUNT_BEFORE = re.compile(
    r"\b(\d{1,2}|un|una|uno|one|dos|two|tres|three|cuatro|cinco) (?:pares? |pairs? )?(?:de |of )?"
    r"(?:las? |los? |el |the )?$"
)


def count_before(text: str) -> int | None:
    """Return the number of pieces at the end of a text: "quiero 2" before "azules"."""
    found = _COUNT_BEFORE.search(text)
    return count_in(found[1]) if found else None


def count_in(word: str) -> int | None:
    """Return the number a word says."""
    found = find_quantity(f"{word} unidades")
    return found[0] if found else None


def several(items: Sequence[CartItem]) -> bool:
    """Tell whether there is more than one."""
    return len(items) > 1


def at_places(items: Sequence[CartItem], places: Sequence[int]) -> tuple[CartItem, ...]:
    """Return the items at these places, from 0."""
    return tuple(items[place] for place in places if place < len(items))


def meant_among(
    extraction: Extraction, plain: str, items: Sequence[CartItem], *, size: bool = True, refused: bool = False
) -> tuple[CartItem, ...]:
    """Return the items that fit best what a message says; none when nothing is said of any.

    ``size``: an item of another size is not meant. ``refused``: colours count also where they are refused.
    """
    fits = [_fit(extraction, plain, item, size=size, refused=refused) for item in items]
    best = max(fits, default=0)
    return tuple(item for item, fit in zip(items, fits, strict=True) if fit == best) if best > 0 else ()


def _fit(extraction: Extraction, plain: str, item: CartItem, *, size: bool, refused: bool) -> int:
    entities, words = extraction.entities, words_of_item(item)
    said = {_stem(word) for word in plain.split() if len(word) >= _LEAST_LETTERS}
    named = len(said & {_stem(word) for word in fold(item.title).split() if len(word) >= _LEAST_LETTERS})
    colour = entities.color
    if refused:
        named += 2 * (
            sum(has_colour(word, words) for word in said) or (colour is not None and has_colour(colour, words))
        )
    elif colour is not None:
        named += 2 if has_colour(colour, words) else -2
    if size and entities.size is not None:
        if fold(entities.size) not in words:
            return 0
        named += 1
    return named + 2 * (entities.amount is not None and entities.amount == item.price)


def words_of_item(item: CartItem) -> frozenset[str]:
    """Return the folded words an item is known by."""
    return frozenset(fold(f"{item.title} {item.variant}").replace("/", " ").split())


def has_colour(colour: str, words: frozenset[str]) -> bool:
    """Tell whether a colour is among words, whatever its gender and number."""
    stem = fold(colour).rstrip("aos")
    return len(stem) >= 3 and any(word.startswith(stem) for word in words)


def _stem(word: str) -> str:
    return word.rstrip("s").rstrip("ao")
