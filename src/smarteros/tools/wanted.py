"""Understands a search: what of a customer's words is the thing, its size, its colour and its price.

Explicit parameters win over what the words say. The result is normalised: two ways of asking the same are one
question, also for the 24 h cache.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pydantic import Field

from smarteros.domain.model import Model
from smarteros.kit.text import fold, strip_controls
from smarteros.tools.inputs import ShopSearchInput
from smarteros.tools.vocabulary import colour_of, load_vocabulary, singular, words_of

MOST_TERMS = 4
LOWEST_PRICE = 1000
"""A bare number below this is a size or a quantity, not a price: nobody in Chile sells for less than $1.000."""

_UNITS = {
    "mil": 1000,
    "luca": 1000,
    "lucas": 1000,
    "k": 1000,
    "palo": 10**6,
    "palos": 10**6,
    "millon": 10**6,
    "millones": 10**6,
}
_AMOUNT = r"\$?\s*(\d{1,3}(?:[.,]\d{3})+|\d+)\s*(mil|lucas?|k|palos?|millon(?:es)?)?\b"
_BETWEEN = re.compile(rf"\b(?:entre|between)\s+(?:los\s+)?{_AMOUNT}\s*(?:y|a|and|-)\s*(?:los\s+)?{_AMOUNT}")
_AT_MOST = re.compile(
    r"\b(?:(?:no mas|menos|por debajo) de|menor(?:es)? (?:a|de|que)|bajo|hasta|maximo|max|under|below|less than|up to)"
    rf"\s+(?:de\s+)?(?:los\s+|las\s+)?{_AMOUNT}"
)
_AT_LEAST = re.compile(
    r"\b(?:mas de|mayor(?:es)? (?:a|de|que)|sobre|desde|minimo|a partir de|over|above|more than|from)"
    rf"\s+(?:de\s+)?(?:los\s+|las\s+)?{_AMOUNT}"
)
_SIZE = re.compile(
    r"\b(?:talla|tallas|talle|size|numero|nro\.?|n[o°º])\s*:?\s*"
    r"((?:us|eu|uk)?\s?\d{1,3}(?:[.,]5)?|x{0,3}s|x{0,3}l|m|unica)\b"
)
_CAPACITY = re.compile(r"\b(\d+)\s?(gb|tb|w|ml)\b")


class PriceRange(NamedTuple):
    """Lowest and highest price, either may be open."""

    lowest: int | None
    highest: int | None


class Wanted(Model):
    """A search, normalised. ``terms`` are folded singulars, the thing itself first; ``numbers`` belong to a model."""

    terms: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    size: str | None = None
    colour: str | None = None
    brand: str | None = None
    price_min: int | None = None
    price_max: int | None = None
    cheapest_first: bool = False
    typed: tuple[str, ...] = Field(default=(), exclude=True, description="The terms as typed, with their accents")


def understand(params: ShopSearchInput) -> Wanted:
    """Read a search."""
    text = strip_controls(params.query).lower()
    prices, text = _take_prices(text)
    size, text = _take_size(text)
    words = [*words_of(params.category or ""), *words_of(text)]
    terms, numbers, colour = _sort_words(words, explicit_colour=params.color is not None, size=params.size)
    cheap = load_vocabulary().cheap
    return Wanted(
        terms=tuple(terms),
        typed=tuple(terms.values()),
        numbers=numbers,
        size=normal_size(params.size) if params.size else size,
        colour=_named_colour(params.color) if params.color else colour,
        brand=fold(params.brand) if params.brand else None,
        price_min=prices.lowest if params.price_min is None else params.price_min,
        price_max=prices.highest if params.price_max is None else params.price_max,
        cheapest_first=any(_neuter(singular(word)) in cheap for word in words),
    )


def normal_size(size: str) -> str:
    """Write a size in one way: ``Talla 42,5`` is ``42.5``, ``EU 42`` is ``42``, ``128 GB`` is ``128gb``."""
    plain = re.sub(r"^(?:tallas?|talle|size|numero|nro\.?|n[o°º]|eur?|cl)\b[\s:.]*", "", fold(size))
    return re.sub(r"\s+", "", plain.replace(",", "."))


def _take_prices(text: str) -> tuple[PriceRange, str]:
    """Read ``menos de 40 mil``, ``entre 20 y 30 lucas``, ``desde $15.000`` and cut them out of the text."""
    plain = fold(text)
    if between := _BETWEEN.search(plain):
        first, first_unit, second, second_unit = between.groups()
        lowest, highest = _pesos(first, first_unit or second_unit), _pesos(second, second_unit)
        if lowest is not None and highest is not None:
            return PriceRange(lowest, highest), _without(plain, between)
    highest, text = _take_price(_AT_MOST, plain, text)
    lowest, text = _take_price(_AT_LEAST, fold(text), text)
    return PriceRange(lowest, highest), text


def _take_price(pattern: re.Pattern[str], plain: str, text: str) -> tuple[int | None, str]:
    match = pattern.search(plain)
    price = _pesos(match[1], match[2]) if match else None
    return (price, _without(plain, match)) if match and price is not None else (None, text)


def _pesos(digits: str, unit: str | None) -> int | None:
    amount = int(re.sub(r"[.,]", "", digits)) * _UNITS.get(unit or "", 1)
    return amount if amount >= LOWEST_PRICE else None


def _take_size(text: str) -> tuple[str | None, str]:
    """Read ``talla 42``, ``nº 38,5``, ``size M`` or ``128 GB`` and cut it out of the text."""
    match = _SIZE.search(text) or _CAPACITY.search(text)
    if match is None:
        return None, text
    return normal_size(match[1] if match.re is _SIZE else match[0]), _without(text, match)


def _without(text: str, match: re.Match[str]) -> str:
    return f"{text[: match.start()]} {text[match.end() :]}"


def _sort_words(
    words: list[str], *, explicit_colour: bool, size: str | None
) -> tuple[dict[str, str], tuple[str, ...], str | None]:
    """Sort words into terms (folded to typed), numbers and the colour.

    Some colours are things when they come first (``café en grano``), and a number before the thing is how many the
    customer wants (``2 poleras``).
    """
    vocabulary = load_vocabulary()
    terms: dict[str, str] = {}
    numbers: list[str] = []
    colour: str | None = None
    for word in words:
        term = singular(word)
        if fold(word) in vocabulary.stop or _neuter(term) in vocabulary.cheap:
            continue
        if term[0].isdigit():
            if terms and (size is None or normal_size(size) != normal_size(word)):
                numbers.append(term)
        elif colour_of(word) is not None and (terms or term not in vocabulary.things):
            colour = colour if explicit_colour else colour or colour_of(word)
        elif len(terms) < MOST_TERMS:
            terms.setdefault(term, word)
    return terms, tuple(numbers), colour


def _named_colour(text: str) -> str:
    return next((colour for word in words_of(text) if (colour := colour_of(word))), fold(text))


def _neuter(term: str) -> str:
    return term[:-1] + "o" if term.endswith("a") else term
