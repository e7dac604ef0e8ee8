"""Which items of a list or a cart a message means, by the words it says of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from smarteros.agents.entities import Extraction
from smarteros.agents.numbers import find_quantity
from smarteros.agents.spelling import base_speller
from smarteros.domain.carts import CartItem
from smarteros.kit.text import fold

_LEAST_LETTERS = 4
_ROUNDED = 0.02
_COUNT_BEFORE = re.compile(
    r"\b(\d{1,2}|un|una|uno|one|dos|two|tres|three|cuatro|cinco) (?:pares? |pairs? )?(?:de |of )?"
    r"(?:las? |los? |el |the )?$"
)


@dataclass(frozen=True)
class Line:
    """One line of the cart as it is wanted; ``size`` and ``color`` are set when another variant must be found.

    ``like`` is the variant in whose place it comes: what is not said anew stays as it was there.
    """

    item: CartItem
    size: str | None = None
    color: str | None = None
    like: str | None = None

    @property
    def to_be_found(self) -> bool:
        """Whether nobody knows the variant's id yet."""
        return self.size is not None or self.color is not None

    def params(self) -> dict[str, Any]:
        """Write the line for the tool. Of a variant to be found ``call_tools`` fills in the id."""
        if self.to_be_found:
            wanted = {
                "product_id": self.item.product_id, "size": self.size, "color": self.color, "like": self.like
            }  # fmt: skip
            return {**wanted, "quantity": self.item.quantity}
        return {
            "variant_id": self.item.variant_id,
            "quantity": self.item.quantity,
            "seen_price": str(self.item.price),
        }


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
    spelt = f"{plain} {base_speller().all_corrected(plain)}".split()
    said = {_stem(word) for word in spelt if len(word) >= _LEAST_LETTERS}
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
    return named + 2 * _priced(item, entities.amount or entities.price_max)


def _priced(item: CartItem, said: int | None) -> bool:
    """Tell whether a price names the item, in round figures too: 34,990 is "la de 35 lucas"."""
    return said is not None and abs(said - item.price) <= _ROUNDED * float(item.price)


def words_of_item(item: CartItem) -> frozenset[str]:
    """Return the folded words an item is known by."""
    return frozenset(fold(f"{item.title} {item.variant}").replace("/", " ").split())


def has_colour(colour: str, words: frozenset[str]) -> bool:
    """Tell whether a colour is among words, whatever its gender and number."""
    stem = fold(colour).rstrip("aos")
    return len(stem) >= 3 and any(word.startswith(stem) for word in words)


def _stem(word: str) -> str:
    return word.rstrip("s").rstrip("ao")
