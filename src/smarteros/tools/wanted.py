"""Understands a search: what of a customer's words is the thing, its size, its colour and its price.

Explicit parameters win over what the words say. The result is normalised: two ways of asking the same are one
question, also for the 24 h cache.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from pydantic import Field

from smarteros.agents.gazetteer import base_gazetteer
from smarteros.agents.money import find_money
from smarteros.agents.sizes import find_size
from smarteros.domain.model import Model
from smarteros.kit.text import fold, strip_controls
from smarteros.tools.inputs import ShopSearchInput
from smarteros.tools.spelling import ShopWords
from smarteros.tools.vocabulary import (
    colour_of,
    gender_of,
    in_usual_words,
    kind_of,
    load_vocabulary,
    neuter,
    singular,
    without_accents,
    words_of,
)

MOST_TERMS = 5
_ABOUT = (0.7, 1.15)
"""Who names one price ("de 40 lucas") is shown what costs about that: from, up to."""

_COUNTRY_SIZE = re.compile(r"\b(us|usa|uk|eur?|cl)\s?(\d{1,2}(?:[.,]5)?)\b")
_COUNTRY_AFTER = re.compile(r"\b(\d{1,2}(?:[.,]5)?)\s?(us|usa|uk|eur?)\b")
_LETTER = re.compile(r"(?<![\w'-])(x{0,4}[sl]|m)\b(?!['-])")
# A single digit before "g" is a network: "celular 5G".
CAPACITY = re.compile(
    r"\b(\d+(?:[.,]\d+)?(?=\s?(?:gb|tb|w|ml|kg|cm|mm)\b)|\d{2,4}(?=\s?g\b))\s?(gb|tb|w|ml|kg|cm|mm|g)\b"
    r"(?! (?:de )?(?:memoria )?ram)"
)
_TWO_SIZES = re.compile(
    r"\b(?:tallas?|numeros?|size|en)\s+(\d{2}(?:[.,]5)?|x?[sl]|m)\s*(?:o|u|y|or|and|/|-)\s*(\d{2}(?:[.,]5)?|x?[sl]|m)\b"
)
_TWO_SHOES = re.compile(
    r"(?<![\d.,/-])((?:3[3-9]|4[0-9])(?:[.,]5)?)\s*(?:o|u|or|/|-)\s*((?:3[3-9]|4[0-9])(?:[.,]5)?)(?![\d.,/-])"
)
_HALF = re.compile(r"\b([3-4]\d) y medi[oa]\b")
_REDUCED = re.compile(r"\b\d+ ?% ?(?:de )?(?:dcto|descuento|off)\b")
_ENGLISH_LETTER = re.compile(r"\b(small|medium|large)\b")
_ANTI = re.compile(r"\banti[ -](\w{3,})")
_ONE_MORE = {"us": 0, "usa": 0, "uk": 1}


class Wanted(Model):
    """A search, normalised. ``terms`` are folded singulars; ``numbers`` belong to a model or are a size.

    ``thing`` is the place of the term that names the thing itself. ``other_sizes`` would do as well as ``size``, the
    better first. ``pesos`` says that the prices were named in Chilean money.
    """

    terms: tuple[str, ...] = ()
    thing: int = 0
    numbers: tuple[str, ...] = ()
    size: str | None = None
    other_sizes: tuple[str, ...] = ()
    colour: str | None = None
    gender: str | None = None
    brand: str | None = None
    price_min: int | None = None
    price_max: int | None = None
    cheapest_first: bool = False
    dearest_first: bool = False
    pesos: bool = Field(default=False, exclude=True)
    typed: tuple[str, ...] = Field(default=(), exclude=True, description="The terms as typed, with their accents")

    @property
    def sizes(self) -> tuple[str, ...]:
        """All sizes that would do, the best first; none when any does."""
        return () if self.size is None else (self.size, *self.other_sizes)

    @property
    def unfiltered(self) -> Wanted:
        """The same terms, and nothing that chooses among the products that have them."""
        return Wanted(terms=self.terms, thing=self.thing, typed=self.typed, brand=self.brand)

    def only(self, *terms: str) -> Wanted:
        """Return the same search for some of its terms."""
        pairs = [(term, typed) for term, typed in zip(self.terms, self.typed, strict=True) if term in terms]
        thing = self.terms[self.thing] if self.terms else ""
        names = tuple(term for term, _ in pairs)
        place = names.index(thing) if thing in names else 0
        return self.model_copy(update={"terms": names, "typed": tuple(t for _, t in pairs), "thing": place})


class _Prices(NamedTuple):
    lowest: int | None
    highest: int | None


def understand(params: ShopSearchInput, shop: ShopWords | None = None) -> Wanted:
    """Read a search; mistyped words are set right by the words of the ``shop``, when it is known."""
    query = strip_controls(params.query)
    typed = {fold(word): word for word in words_of(query)}
    text = in_usual_words(_ANTI.sub(r"anti\1", without_accents(query)))
    prices, text = _take_prices(_HALF.sub(r"\1.5", _REDUCED.sub(" ", text)))
    brand, text = _take_brand(text)
    sizes, text = _take_sizes(text)
    words = [*words_of(fold(params.category or "")), *words_of(text)]
    sorted_words = _sort_words(words, shop or _no_shop(), params, size=sizes[0] if sizes else None)
    if params.size:
        sizes = _sizes_of(fold(params.size))
    in_english = "size" in typed
    sizes = [near for size in sizes for near in _converted(size, sorted_words.gender, said_in_english=in_english)]
    explicit = params.price_min is not None or params.price_max is not None
    return Wanted(
        terms=tuple(sorted_words.terms),
        thing=_thing_among(tuple(sorted_words.terms), shop),
        typed=tuple(typed.get(word, word) for word in sorted_words.terms.values()),
        numbers=sorted_words.numbers,
        size=sizes[0] if sizes else None,
        other_sizes=tuple(dict.fromkeys(sizes[1:])),
        colour=_named_colour(params.color) if params.color else sorted_words.colour,
        gender=sorted_words.gender,
        brand=fold(params.brand) if params.brand else brand,
        price_min=prices.lowest if params.price_min is None else params.price_min,
        price_max=prices.highest if params.price_max is None else params.price_max,
        pesos=not explicit,
        cheapest_first=sorted_words.cheap,
        dearest_first=sorted_words.dear,
    )


def normal_size(size: str) -> str:
    """Write a size in one way: ``Talla 42,5`` is ``42.5``, ``EU 42`` is ``42``, ``128 GB`` is ``128gb``."""
    plain = re.sub(r"^(?:(?:tallas?|talle|size|numero|nro\.?|n[o°º]|eur?|cl)\b[\s:.]*|\+)", "", fold(size))
    return re.sub(r"\s+", "", plain.replace(",", "."))


def _take_prices(text: str) -> tuple[_Prices, str]:
    """Read ``menos de 40 mil``, ``entre 20 y 30 lucas``, ``desde $15.000`` and cut them out of the text."""
    money = find_money(text)
    marked = any(not text[start:end].strip().isdecimal() for start, end in money.spans)
    prices = _Prices(money.price_min, money.price_max)
    if money.amount is not None and marked:
        prices = _Prices(*(round(money.amount * share) for share in _ABOUT))
    if prices == (None, None):
        return prices, text
    for start, end in sorted(money.spans, reverse=True):
        text = f"{text[:start]} {text[end:]}"
    return prices, text


def _take_brand(text: str) -> tuple[str | None, str]:
    """Read the name of a big maker: who asks for it does not mean another one."""
    for mention in base_gazetteer().find(text):
        if mention.kind == "brand" and mention.word == text[mention.start : mention.end]:
            return fold(mention.value), f"{text[: mention.start]} {text[mention.end :]}"
    return None, text


def _take_sizes(text: str) -> tuple[list[str], str]:
    """Read ``talla 42``, ``us 9``, ``40 o 41``, ``talla mediana``, ``128 GB``, a bare ``M``, and cut them out."""
    for pattern, read in _size_readers():
        if (found := pattern.search(text)) and (sizes := read(found)):
            return sizes, _without(text, found)
    if found := find_size(text, wearable=False):
        return [normal_size(found.value)], f"{text[: found.start]} {text[found.end :]}"
    if letter := _LETTER.search(text):
        return [letter[1]], _without(text, letter)
    return [], text


@cache
def _size_readers() -> tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], list[str]]], ...]:
    """Return how sizes are written, the surest first, and what each way means."""
    letters = load_vocabulary().letter_sizes
    worded = re.compile(rf"\b(?:tallas?|talle|size|tamano)\s+({'|'.join(map(re.escape, letters))})\b")
    return (
        (CAPACITY, lambda found: [normal_size(found[0])]),
        (_COUNTRY_SIZE, lambda found: [_of_country(found[1], found[2])]),
        (_COUNTRY_AFTER, lambda found: [_of_country(found[2], found[1])]),
        (_TWO_SIZES, lambda found: [normal_size(found[1]), normal_size(found[2])]),
        (_TWO_SHOES, lambda found: [normal_size(found[1]), normal_size(found[2])]),
        (worded, lambda found: [letters[found[1]]]),
        (_ENGLISH_LETTER, lambda found: [letters[found[1]]]),
    )


def _of_country(country: str, number: str) -> str:
    size = normal_size(number)
    return country + size if country in _ONE_MORE else size


def _sizes_of(size: str) -> list[str]:
    """Read a size given as a parameter."""
    sizes, _ = _take_sizes(size)
    return sizes or [normal_size(size)]


def _converted(size: str, gender: str | None, *, said_in_english: bool) -> tuple[str, ...]:
    """Return a size and what it is here: ``us9`` is 42. English speakers mean American sizes by small numbers."""
    country = re.match(r"usa?|uk", size)
    number = size[country.end() :] if country else size
    if not re.fullmatch(r"\d{1,2}(?:\.5)?", number) or (country is None and not said_in_english):
        return (size,)
    vocabulary = load_vocabulary()
    more = _ONE_MORE.get(country[0], 0) if country else 0
    women = gender == "mujer"
    american = f"{float(number) + (2 * more if women else more):g}"
    return (size, *(vocabulary.us_women if women else vocabulary.us_men).get(american, ()))


def _without(text: str, match: re.Match[str]) -> str:
    return f"{text[: match.start()]} {text[match.end() :]}"


class _Sorted(NamedTuple):
    """Words by what they say; ``terms`` are folded singulars and the words they were."""

    terms: dict[str, str]
    numbers: tuple[str, ...]
    colour: str | None
    gender: str | None
    cheap: bool
    dear: bool


def _sort_words(words: list[str], shop: ShopWords, params: ShopSearchInput, *, size: str | None) -> _Sorted:
    """Sort folded words.

    Some colours are things when they come first (``café en grano``) or after "de" (``ramo de rosas``), and a number
    before the thing is how many the customer wants (``2 poleras``). A word that only its correction makes one of those
    that say nothing is a thing we do not know, when nothing else is said.
    """
    vocabulary = load_vocabulary()
    terms: dict[str, str] = {}
    numbers: list[str] = []
    said: dict[str, str] = {}
    unknown = ""
    for before, word in zip(("", *words), words, strict=False):
        right = word if word in vocabulary.stop else shop.set_right(word)
        term = singular(right)
        adjective = neuter(term)
        if adjective in vocabulary.cheap or adjective in vocabulary.dear:
            said.setdefault("order", adjective)
        elif right in vocabulary.stop:
            unknown = unknown or word * (right != word)
        elif term[0].isdigit():
            if terms and size != normal_size(word):
                numbers.append(term)
        elif (colour := colour_of(right)) is not None and (term not in vocabulary.things or (terms and before != "de")):
            said.setdefault("colour", colour)
        elif (gender := gender_of(right)) is not None:
            said.setdefault("gender", gender)
        elif len(terms) < MOST_TERMS:
            terms.setdefault(term, word)
    if unknown and not (terms or numbers or said):
        terms[singular(unknown)] = unknown
    order = said.get("order")
    numbers = [] if params.size and set(numbers) == {normal_size(params.size)} else numbers
    return _Sorted(
        terms=terms,
        numbers=tuple(numbers),
        colour=said.get("colour"),
        gender=said.get("gender"),
        cheap=order in vocabulary.cheap,
        dear=order in vocabulary.dear,
    )


def _thing_among(terms: tuple[str, ...], shop: ShopWords | None) -> int:
    """Return the place of the term that names the thing: Spanish puts it first, English last, people anywhere."""
    sold = [place for place, term in enumerate(terms) if shop is not None and shop.is_kind(term)]
    named = sold or [place for place, term in enumerate(terms) if kind_of(term) is not None]
    return named[0] if named else 0


def _named_colour(text: str) -> str:
    return next((colour for word in words_of(text) if (colour := colour_of(word))), fold(text))


@cache
def _no_shop() -> ShopWords:
    return ShopWords()
