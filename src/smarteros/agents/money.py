"""Prices as people in Chile write them: "40 lucas", "entre 20 y 30 mil", "$30.000", "menos de medio millón"."""

from __future__ import annotations

import re
from dataclasses import dataclass

LOWEST_PRICE = 1_000  # a bare number below it is a size or a quantity
HIGHEST_PRICE = 100_000_000

_ONES = {
    "un": 1, "una": 1, "uno": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8,
    "nueve": 9,
}  # fmt: skip
_TENS = {
    "diez": 10, "once": 11, "doce": 12, "trece": 13, "catorce": 14, "quince": 15, "dieciocho": 18, "veinte": 20,
    "veinticinco": 25, "treinta": 30, "cuarenta": 40, "cincuenta": 50, "sesenta": 60, "setenta": 70, "ochenta": 80,
    "noventa": 90, "ten": 10, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
    "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_HUNDREDS = {
    "cien": 100, "ciento": 100, "doscientos": 200, "doscientas": 200, "trescientos": 300, "trescientas": 300,
    "cuatrocientos": 400, "cuatrocientas": 400, "quinientos": 500, "quinientas": 500, "seiscientos": 600,
    "seiscientas": 600, "setecientos": 700, "setecientas": 700, "ochocientos": 800, "ochocientas": 800,
    "novecientos": 900, "novecientas": 900, "hundred": 100, "one hundred": 100, "a hundred": 100,
    "two hundred": 200, "three hundred": 300, "five hundred": 500,
}  # fmt: skip
_HALVES = {"medio": 0.5, "media": 0.5, "half a": 0.5}
_SPOKEN: dict[str, float] = {**_ONES, **_TENS, **_HUNDREDS, **_HALVES}
_UNITS = {
    "mil": 1_000, "luca": 1_000, "lucas": 1_000, "luka": 1_000, "lukas": 1_000, "luquita": 1_000, "luquitas": 1_000,
    "lks": 1_000, "k": 1_000, "thousand": 1_000, "grand": 1_000, "palo": 1_000_000, "palos": 1_000_000,
    "millon": 1_000_000, "millones": 1_000_000, "million": 1_000_000, "gamba": 100, "gambas": 100,
}  # fmt: skip


def _one_of(words: dict[str, int] | dict[str, float]) -> str:
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


# "ciento cincuenta", "cuarenta y cinco"; not "veinte y treinta", which are two numbers.
_SPOKEN_NUMBER = (
    rf"(?:{_one_of(_HUNDREDS)}(?: {_one_of(_TENS)}(?: y {_one_of(_ONES)})?)?|"
    rf"{_one_of(_TENS)}(?: y {_one_of(_ONES)})?|{_one_of(_ONES)}|{_one_of(_HALVES)})(?![a-z])"
)
_NUMBER = (
    r"(?:\$ ?)?(?:(?:\d{1,3}(?:\.\d{3})+|\d{1,3}(?:,\d{3})+|\d{1,9}(?:[.,]\d)?)(?:\.?-(?! ?\d))?|"
    rf"{_SPOKEN_NUMBER})"
)
_UNIT = r"(?: ?(?:" + "|".join(sorted(_UNITS, key=len, reverse=True)) + r")(?![a-z]))"
_ARTICLE = r"(?:(?:de|a|los|las|unas|unos|como|the|about) ){0,2}"
_BETWEEN = re.compile(
    rf"\b(?:entre|between|desde|de|from) {_ARTICLE}(?P<a>{_NUMBER})(?P<au>{_UNIT})?"
    rf" ?(?:y|a|and|to|hasta|-) ?{_ARTICLE}(?P<b>{_NUMBER})(?P<bu>{_UNIT})?(?![a-z0-9])"
)
_FROM_TO = re.compile(
    rf"(?<![a-z0-9.,#-])(?P<a>\$?\d{{1,3}}(?:\.\d{{3}})?)(?P<au>) ?(?:-|a|to) ?(?P<b>{_NUMBER})(?P<bu>{_UNIT})"
)
_ONE = rf"[ :]+{_ARTICLE}(?P<a>{_NUMBER})(?P<au>{_UNIT})?(?![a-z0-9])"
_AT_MOST = re.compile(
    r"\b(?:menos de|por debajo de|debajo de|bajo|hasta|(?:como|de) maximo|maximo|max|como mucho|a lo mas|no mas de|"
    r"que no (?:pase|pasen|supere|superen|valgan? mas|cuesten? mas|salgan? mas)(?: de)?|no (?:quiero gastar|gastar) mas"
    r"(?: de)?|tope|tengo|ando con|me alcanza(?:n)?|presupuesto(?: (?:es|de|max|maximo)){0,2}|"
    r"(?:mas )?barat[oa]s? (?:de|que)|menor(?:es)? (?:de|a|que)|inferior(?:es)? a|under|less than|below|up to|at most|"
    r"no more than|cheaper than|max of|budget(?: (?:is|of)){0,2})" + _ONE
)
_AT_LEAST = re.compile(
    r"\b(?:mas de|desde|sobre|minimo|a partir de|arriba de|por sobre|mayor(?:es)? (?:de|a|que)|"
    r"(?:mas )?car[oa]s? (?:de|que)|over|more than|above|"
    r"at least|starting at)" + _ONE
)
_AT_MOST_AFTER = re.compile(
    rf"(?<![a-z0-9.,#-])(?P<a>{_NUMBER})(?P<au>{_UNIT})?(?: pesos)?,? "
    r"(?:como )?(?:maximo|max|tope|o menos|como mucho|a lo mas|(?:pa|para|hacia) ?abajo|at most|or less|tops|max)\b"
)
_AT_LEAST_AFTER = re.compile(
    rf"(?<![a-z0-9.,#-])(?P<a>{_NUMBER})(?P<au>{_UNIT})?(?: pesos)?,? "
    r"(?:como )?(?:minimo|o mas|(?:pa|para|hacia) ?arriba|at least|or more|and up)\b"
)
# "entre 20 y 30", "que no pase de 50": round numbers that nothing follows are thousands, if nothing else is counted.
_ROUND = r"\d{1,2}[05]"
_UNSAID = re.compile(
    rf"\b(?:(?:entre|between) (?P<a>{_ROUND}|5) (?:y|and) |(?:menos de|debajo de|bajo|under|less than|below) |"
    rf"no (?:pasen?|superen?|cuesten? mas|valgan? mas) de )(?P<b>{_ROUND})"
    r"(?= ?(?:$|[?!.,;)]|porfa|por favor|please|pls))"
)
_COUNTS_ELSE = re.compile(
    r"\b(?:tall\w*|numeros?|nro|sizes?|calz\w+|eda[dn]\w*|anos|years|horas?|hours?|dias?|days?|abr\w+|cierr\w+|atiend\w+|"
    r"open|close|despach\w+|deliver\w*|lleg\w+|demor\w+|tard\w+|en)\b"
)
_BARE = re.compile(rf"(?<![a-z0-9.,#-])(?P<a>{_NUMBER})(?P<au>{_UNIT})?(?: (?:pesos|clp))?(?![a-z0-9-]|[.,]\d)")


@dataclass(frozen=True)
class Money:
    """Prices named in a message, whole pesos, and where they stand in the folded text."""

    price_min: int | None = None
    price_max: int | None = None
    amount: int | None = None
    spans: tuple[tuple[int, int], ...] = ()


def find_money(folded: str) -> Money:
    """Read the prices of a folded message; a range first, then limits, then a bare amount."""
    for pattern in (_BETWEEN, _FROM_TO):
        for between in pattern.finditer(folded):
            unit = between["bu"]
            low, high = pesos(between["a"], between["au"] or unit), pesos(between["b"], unit)
            if low is not None and high is not None:
                return Money(price_min=min(low, high), price_max=max(low, high), spans=(between.span(),))
    most, most_span = _first(_AT_MOST_AFTER, folded)
    if most is None:
        most, most_span = _first(_AT_MOST, folded)
    least, least_span = None, None
    if most is None:
        least, least_span = _first(_AT_LEAST_AFTER, folded)
        if least is None:
            least, least_span = _first(_AT_LEAST, folded)
    if most is not None or least is not None:
        spans = tuple(span for span in (most_span, least_span) if span is not None)
        return Money(price_min=least, price_max=most, spans=spans)
    if (unsaid := _UNSAID.search(folded)) and not _COUNTS_ELSE.search(folded[: unsaid.start()]):
        lowest, highest = unsaid["a"], unsaid["b"]
        return Money(int(lowest) * 1_000 if lowest else None, int(highest) * 1_000, spans=(unsaid.span(),))
    amount, span = _first(_BARE, folded)
    return Money(amount=amount, spans=(span,) if span is not None else ())


def pesos(number: str, unit: str | None) -> int | None:
    """Value of a written number with its unit, or None when it cannot be a price."""
    written = number.replace("$", "").strip(" .-")
    marked = "$" in number or unit is not None
    if written[0].isalpha():
        value = sum(_SPOKEN[part] for part in _spoken_parts(written))
        if unit is None:
            return None  # "un", "dos" and "media" are quantities unless a unit of money follows
    elif re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", written):
        value, marked = float(re.sub(r"[.,]", "", written)), True
    else:
        value = float(written.replace(",", "."))
    total = round(value * _UNITS.get((unit or "").strip(), 1))
    lowest = LOWEST_PRICE if not marked else 100
    return total if lowest <= total <= HIGHEST_PRICE else None


def _spoken_parts(written: str) -> list[str]:
    if written in _SPOKEN:
        return [written]
    for size in (2, 1):
        words = written.split()
        head = " ".join(words[:size])
        if head in _SPOKEN:
            return [head, *_spoken_parts(" ".join(words[size:]).removeprefix("y "))]
    raise ValueError(f"not a number in words: {written!r}")  # the grammar above matched it, so it is one


def _first(pattern: re.Pattern[str], folded: str) -> tuple[int | None, tuple[int, int] | None]:
    for found in pattern.finditer(folded):
        value = pesos(found["a"], found["au"])
        if value is not None:
            return value, found.span()
    return None, None
