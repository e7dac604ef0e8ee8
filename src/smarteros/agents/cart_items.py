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
from smarteros.tools.vocabulary import forms_of, singular

_LEAST_LETTERS = 4
_ROUNDED = 0.02
_LONGEST_LETTER_SIZE = 3  # XXL
_NOT_A_VALUE = frozenset({"quantity", "price", "phone", "order_number", "invoice_number"})
_TOKEN = re.compile(r"[a-z0-9]+(?:[.,/x-][0-9]+)*")
_COUNT_BEFORE = re.compile(
    r"\b(\d{1,2}|un|una|uno|one|dos|two|tres|three|cuatro|cinco) (?:pares? |pairs? )?(?:de |of )?"
    r"(?:las? |los? |el |the )?$"
)


@dataclass(frozen=True)
class Line:
    """One line of the cart as it is wanted.

    ``size``, ``color`` or ``values``, those of the product's options that were named, are set when another variant must
    be found. ``like`` is the variant in whose place it comes: what is not said anew stays as it was there.
    """

    item: CartItem
    size: str | None = None
    color: str | None = None
    like: str | None = None
    values: tuple[str, ...] = ()

    @property
    def to_be_found(self) -> bool:
        """Whether nobody knows the variant's id yet."""
        return self.size is not None or self.color is not None or bool(self.values)

    def params(self) -> dict[str, Any]:
        """Write the line for the tool. Of a variant to be found ``call_tools`` fills in the id."""
        if self.to_be_found:
            wanted = {
                "product_id": self.item.product_id, "size": self.size, "color": self.color, "like": self.like,
                "values": list(self.values), "near": self.item.variant_id,
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
    kinds = [mention for mention in extraction.mentions if mention.kind == "category"]
    spelt += [word for mention in kinds for word in fold(mention.value).split()]  # "boots" are botas
    said = {_stem(word) for word in spelt if len(word) >= _LEAST_LETTERS}
    named = len(said & {_stem(word) for word in fold(item.title).split() if len(word) >= _LEAST_LETTERS})
    figures = {token for _, token in tokens_of(extraction) if any(sign.isdigit() for sign in token)}
    named += 2 * len({figure for figure in figures if len(figure) > 1} & set(fold(item.title).split()))
    # Of another thing than this the size or colour may be as well: "una calza talla M".
    choices = values_named(extraction, item) if named or not kinds else ()
    if not size:
        choices = tuple(value for value in choices if fold(value) != fold(entities.size or ""))
    colour = entities.color
    if refused:
        named += 2 * (
            sum(has_colour(word, words) for word in said) or (colour is not None and has_colour(colour, words))
        )
    elif colour is not None:
        named += 2 if has_colour(colour, words) else 1 if choices else -2
    elif choices:
        named += 1
    if size and entities.size is not None:
        if fold(entities.size) not in words:
            return 0
        named += 1
    return named + 2 * _priced(item, entities.amount or entities.price_max)


def _priced(item: CartItem, said: int | None) -> bool:
    """Tell whether a price names the item, in round figures too: 34,990 is "la de 35 lucas"."""
    return said is not None and abs(said - item.price) <= _ROUNDED * float(item.price)


def tokens_of(extraction: Extraction) -> list[tuple[int, str]]:
    """Return the words and figures of a message with their places: "0.73" and "3/4" are one each.

    What is a number of pieces, a price or a document's number is left out.
    """
    text = extraction.folded
    for span in extraction.spans:
        if span.kind in _NOT_A_VALUE:
            text = text[: span.start] + " " * (span.end - span.start) + text[span.end :]
    return [(found.start(), found.group()) for found in _TOKEN.finditer(text)]


def values_named(extraction: Extraction, item: CartItem) -> tuple[str, ...]:
    """Return the values of the item's options that a message names, at most one of each option."""
    return tuple(values[0][1] for values in places_of_values(extraction, item).values() if values)


def places_of_values(extraction: Extraction, item: CartItem) -> dict[str, list[tuple[int, str]]]:
    """Return where in a message values of each of the item's options are named, in the message's order."""
    tokens = tokens_of(extraction)
    return {
        name: sorted((place, value) for value in values if (place := _place_of(value, tokens, extraction)) is not None)
        for name, values in item.options.items()
    }


def _place_of(value: str, tokens: Sequence[tuple[int, str]], extraction: Extraction) -> int | None:
    """Return where a value is named: by its figures if it has any ("0.73" is "0.73 mm"), else by all its words."""
    parts = _TOKEN.findall(fold(value))
    telling = [part for part in parts if any(sign.isdigit() for sign in part)] or parts
    if telling == parts and len(value) <= _LONGEST_LETTER_SIZE and value.isalpha():
        span = next((span for span in extraction.spans if span.kind == "size"), None)
        is_it = span is not None and fold(extraction.entities.size or "") == fold(value)
        return span.start if span is not None and is_it else None
    places = [
        next((at for at, token in tokens if singular(token) in forms_of(singular(part))), None) for part in telling
    ]
    if not places or any(place is None for place in places):
        colours = (mention for mention in extraction.mentions if mention.kind == "color")
        return next((colour.start for colour in colours if has_colour(colour.value, frozenset(parts))), None)
    return places[0]


def token_words(text: str) -> list[str]:
    """Return the folded words and figures of a text."""
    return _TOKEN.findall(fold(text))


def is_said(value: str, words: frozenset[str]) -> bool:
    """Tell whether an option's value is among folded words, by its figures if it has any."""
    parts = token_words(value)
    telling = [part for part in parts if any(sign.isdigit() for sign in part)] or parts
    return all(part in words for part in telling)


def is_of(item: CartItem, value: str) -> bool:
    """Tell whether an option's value is that of the item's own variant."""
    own = [fold(part) for part in item.variant.split(" / ")]
    return any(part == fold(value) or part.endswith(f" {fold(value)}") for part in own)


def words_of_item(item: CartItem) -> frozenset[str]:
    """Return the folded words an item is known by."""
    return frozenset(fold(f"{item.title} {item.variant}").replace("/", " ").split())


def has_colour(colour: str, words: frozenset[str]) -> bool:
    """Tell whether a colour is among words, whatever its gender and number."""
    stem = fold(colour).rstrip("aos")
    return len(stem) >= 3 and any(word.startswith(stem) for word in words)


def _stem(word: str) -> str:
    return word.rstrip("s").rstrip("ao")
