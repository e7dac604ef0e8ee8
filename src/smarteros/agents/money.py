"""Prices as people in Chile write them: "40 lucas", "entre 20 y 30 mil", "$30.000", "menos de medio millón"."""

from __future__ import annotations

import re
from dataclasses import dataclass

LOWEST_PRICE = 1_000  # a bare number below it is a size or a quantity
HIGHEST_PRICE = 100_000_000

_SPOKEN = {
    "cinco": 5, "diez": 10, "quince": 15, "veinte": 20, "veinticinco": 25, "treinta": 30, "cuarenta": 40,
    "cincuenta": 50, "sesenta": 60, "setenta": 70, "ochenta": 80, "noventa": 90, "cien": 100, "doscientos": 200,
    "doscientas": 200, "trescientos": 300, "trescientas": 300, "cuatrocientos": 400, "cuatrocientas": 400,
    "quinientos": 500, "quinientas": 500, "un": 1, "una": 1, "dos": 2, "tres": 3, "medio": 0.5, "media": 0.5,
    "ten": 10, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "hundred": 100, "one hundred": 100,
}  # fmt: skip
_UNITS = {
    "mil": 1_000, "luca": 1_000, "lucas": 1_000, "k": 1_000, "thousand": 1_000, "palo": 1_000_000,
    "palos": 1_000_000, "millon": 1_000_000, "millones": 1_000_000, "million": 1_000_000, "gamba": 100,
    "gambas": 100,
}  # fmt: skip
_NUMBER = (
    r"(?:\$ ?)?(?:\d{1,3}(?:\.\d{3})+|\d{1,3}(?:,\d{3})+|\d{1,9}(?:[.,]\d)?|"
    + "|".join(sorted(_SPOKEN, key=len, reverse=True))
    + ")"
)
_UNIT = r"(?: ?(?:" + "|".join(sorted(_UNITS, key=len, reverse=True)) + r")(?![a-z]))"
_ARTICLE = r"(?:(?:de|a|los|las|unas|unos|the|about) ){0,2}"
_BETWEEN = re.compile(
    rf"\b(?:entre|between|desde|de|from) {_ARTICLE}(?P<a>{_NUMBER})(?P<au>{_UNIT})?"
    rf" ?(?:y|a|and|to|hasta|-) ?{_ARTICLE}(?P<b>{_NUMBER})(?P<bu>{_UNIT})?(?![a-z0-9])"
)
_ONE = rf" {_ARTICLE}(?P<a>{_NUMBER})(?P<au>{_UNIT})?(?![a-z0-9])"
_AT_MOST = re.compile(
    r"\b(?:menos de|por debajo de|bajo|hasta|como maximo|maximo|max|no mas de|que no (?:pase|pasen|supere|superen)|"
    r"tope|tengo|presupuesto|menor(?:es)? (?:de|a|que)|under|less than|below|up to|at most|no more than|budget)" + _ONE
)
_AT_LEAST = re.compile(
    r"\b(?:mas de|desde|sobre|minimo|a partir de|arriba de|mayor(?:es)? (?:de|a|que)|over|more than|above|at least)"
    + _ONE
)
_BARE = re.compile(rf"(?<![a-z0-9.,#-])(?P<a>{_NUMBER})(?P<au>{_UNIT})?(?: (?:pesos|clp))?(?![a-z0-9,-]|\.\d)")


@dataclass(frozen=True)
class Money:
    """Prices named in a message, whole pesos, and where they stand in the folded text."""

    price_min: int | None = None
    price_max: int | None = None
    amount: int | None = None
    spans: tuple[tuple[int, int], ...] = ()


def find_money(folded: str) -> Money:
    """Read the prices of a folded message; a range first, then limits, then a bare amount."""
    for between in _BETWEEN.finditer(folded):
        unit = between["bu"]
        low, high = pesos(between["a"], between["au"] or unit), pesos(between["b"], unit)
        if low is not None and high is not None:
            return Money(price_min=min(low, high), price_max=max(low, high), spans=(between.span(),))
    most, most_span = _first(_AT_MOST, folded)
    least, least_span = _first(_AT_LEAST, folded) if most is None else (None, None)
    if most is not None or least is not None:
        spans = tuple(span for span in (most_span, least_span) if span is not None)
        return Money(price_min=least, price_max=most, spans=spans)
    amount, span = _first(_BARE, folded)
    return Money(amount=amount, spans=(span,) if span is not None else ())


def pesos(number: str, unit: str | None) -> int | None:
    """Value of a written number with its unit, or None when it cannot be a price."""
    written = number.replace("$", "").strip()
    marked = "$" in number or unit is not None
    if written in _SPOKEN:
        value = float(_SPOKEN[written])
        if unit is None:
            return None  # "un", "dos" and "media" are quantities unless a unit of money follows
    elif re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", written):
        value, marked = float(re.sub(r"[.,]", "", written)), True
    else:
        value = float(written.replace(",", "."))
    total = round(value * _UNITS.get((unit or "").strip(), 1))
    lowest = LOWEST_PRICE if not marked else 100
    return total if lowest <= total <= HIGHEST_PRICE else None


def _first(pattern: re.Pattern[str], folded: str) -> tuple[int | None, tuple[int, int] | None]:
    for found in pattern.finditer(folded):
        value = pesos(found["a"], found["au"])
        if value is not None:
            return value, found.span()
    return None, None
