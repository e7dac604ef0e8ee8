"""What a text states that can be looked up: amounts, prices, periods, dates, hours, links, codes, promises. Pure.

Spanish (as written in Chile) and English. Two texts that state the same give equal facts: ``$39.990``, ``39990 CLP``
and ``39 mil 990 pesos``; ``9:00`` and ``9 am``; ``30 días`` and ``treinta días``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from smarteros.kit.calendar_facts import calendar_facts
from smarteros.kit.number_words import numbers_as_digits
from smarteros.kit.text import fold
from smarteros.kit.untrusted import plain_text


@dataclass(frozen=True, order=True)
class Fact:
    """One thing stated; ``value`` is canonical for its ``kind``."""

    kind: str
    value: str


def without_links(text: str) -> str:
    """Return a text without anything in it that leads somewhere: addresses of the web, of mail, of apps."""
    return _EMAIL.sub("", _LINK.sub("", text))


NUMERIC_KINDS = frozenset(
    [
        "money",
        "usd",
        "uf",
        "percent",
        "day",
        "working_day",
        "week",
        "month_count",
        "year",
        "hour",
        "minute",
        "instalment",
        "count",
        "size",
        "measure",
        "number",
    ]
)

_TLDS = "cl|com|net|org|info|io|app|store|shop|me|ly|es|eu|us|uk|ar|pe|mx|co|dev|xyz|online|site|link|page|to|ru|tk|gg"
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LINK = re.compile(
    rf"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{{0,30}}://[^\s<>\"]+|www\.[^\s<>\"]+|(?<![\w@.-])(?:[\w-]+\.)+(?:{_TLDS})(?![\w-])(?:\.[\w-]+)*(?:[/?#][^\s<>\"]*)?"
    r"|(?<!\w)(?:javascript|data|tel|mailto|sms|whatsapp|intent|file):[^\s<>\"]+",
    re.IGNORECASE,
)
_HANDLE = re.compile(r"(?<![\w.])@[A-Za-z0-9_][\w.]{2,}")
_TRAILING = ".,;:!?)]}»”’\"'*_|"
_NUMBER = r"\d+(?:[.,]\d+)*"
_MONEY_BEFORE = re.compile(
    rf"(?P<currency>us\$|usd\s?\$?|clp\s?\$?|uf\s|\$)\s?(?P<number>{_NUMBER})(?P<scale>\s?(?:mil(?:lones|lon)?\b|lucas?\b|k\b|m\b))?"
)
_MONEY_AFTER = re.compile(
    rf"(?P<number>{_NUMBER})(?P<scale>\s?(?:mil|k|m))?\s?(?P<currency>lucas?|lukas?|luquitas|gambas?|palos?|clp|pesos?|usd|dolar(?:es)?|dollars?|uf)\b"
)
# "cuesta 42" states a price although no currency stands there.
_PRICED = re.compile(
    r"\b(?:cuestan?|valen?|costara|precios?|costs?|priced?|total)(?: (?:es|son|de|a|is|at|of))?:? "
    rf"(?:(?:solo|apenas|only|just) )?(?P<number>{_NUMBER})(?![\w%])(?! ?(?:\w+ )?(?:dias?|cuotas?|pares|unidades))"
)
_SPACED = re.compile(r"(?<![\d.,])\d(?: \d){3,}(?![\d.,])")
_K = re.compile(rf"\b(?P<number>{_NUMBER})\s?k\b")
_PERCENT = re.compile(rf"(?P<number>{_NUMBER})\s?(?:%|por ?ciento\b|percent\b|per cent\b)")
_UNITS: tuple[tuple[str, str], ...] = (
    ("working_day", r"dias? (?:habiles|habil|laborales|laboral)|(?:business|working) days?"),
    ("day", r"dias?(?: corridos?)?|days?"),
    ("week", r"semanas?|weeks?"),
    ("month_count", r"mes(?:es)?|months?"),
    ("year", r"ano?s?|years?"),
    ("hour", r"horas?|hrs?\.?|hs?\.?|hours?"),
    ("minute", r"minutos?|min\.?|minutes?"),
    ("instalment", r"cuotas?|instal+ments?"),
    (
        "count",
        r"unidad(?:es)?|pares|par|productos?|articulos?|personas?|tiendas?|locales|sucursales|units?|pairs?|items?|stores?",
    ),
    (
        "measure",
        r"(?:mm|cm|mts?|metros?|km|kilometros?|grs?|gramos?|kg|kilos?|ml|lts?|litros?|cuadras?|blocks?|pisos?)",
    ),
)
_WITH_UNIT = tuple((kind, re.compile(rf"(?P<number>{_NUMBER})[ -]?(?P<unit>{unit})(?![a-z])")) for kind, unit in _UNITS)
_RANGE = re.compile(
    rf"\b(?P<low>{_NUMBER})\s*(?:a|al|-|–|—|y|o|u|hasta|to|and|or)\s*"
    rf"(?P<rest>{_NUMBER}[ -]?(?P<unit>{'|'.join(unit for _, unit in _UNITS)}|%|por ciento|lucas?|pesos?)(?![a-z]))"
)
_SIZE = re.compile(rf"\b(?:tallas?|size|nro\.?|n[º°]|numero)\s*(?P<number>{_NUMBER})\b")
_DIGITS = re.compile(r"(?<![\d$])\+?\(?\d[\d ().-]{6,}\d(?!\d)")
_CODE = re.compile(
    r"(?<![\w/-])(?=[\w/-]*\d)(?=[\w/-]*[A-Za-zÑñ])[A-Za-zÑñ0-9][\w/-]*[A-Za-zÑñ0-9](?![\w/-])|\b\d+/\d+\b"
)
_ANY_DIGIT = re.compile(r"\d")
_PLAIN = re.compile(rf"(?<![\w]){_NUMBER}(?![\w])|{_NUMBER}")
# "tienda punto cl" is read as it is meant.
_SPELT_DOT = re.compile(rf"(?<=\w)\s*(?:\[|\(|\s)(?:punto|dot)(?:\]|\)|\s)\s*(?=(?:{_TLDS})\b)", re.IGNORECASE)
# What a text may hold without anything in it being hidden or written in unusual signs.
_UNUSUAL = re.compile(r"[^\t\n\x20-\x7e¡¿°º–—…•“”‘’«»€ÁÉÍÓÚÜÑáéíóúüñ✅\U0001f300-\U0001faff]")
_KEYCAPS = re.compile(r"[\ufe0f\u20e3]")
_LIST_MARK = re.compile(r"^\s*(?:\d{1,2}[.)]|[•*-])\s+(?=\S)")
_SCALES = {"mil": 1e3, "k": 1e3, "luca": 1e3, "lucas": 1e3, "luka": 1e3, "lukas": 1e3, "luquitas": 1e3, "gamba": 100,
           "gambas": 100, "palo": 1e6, "palos": 1e6, "m": 1e6, "millon": 1e6, "millones": 1e6}  # fmt: skip
_CURRENCIES = {
    "us$": "usd",
    "usd": "usd",
    "dolar": "usd",
    "dolares": "usd",
    "dollar": "usd",
    "dollars": "usd",
    "uf": "uf",
}
# Promises without a figure in them. A text that makes one needs a source that makes it as well.
_CLAIMS: dict[str, str] = {
    "free": r"gratis|gratuit[oa]s?|sin (?:ningun )?(?:costo|cargo|recargo)s?|liberad[oa]s?|bonificad[oa]s?|"
    r"costo cero|cero costo|no (?:lo |la |los |las )?(?:pagas|paga|pagan|se pagan?)|sin pagar|de yapa|invita la casa|"
    r"por cuenta (?:de la casa|nuestra)|on the house|"
    r"free(?! to)|no (?:extra )?(?:cost|charge|fee)s?|complimentary",
    "discount": r"descuent\w+|rebaj\w+|ofertas?|promo(?:cion(?:es)?)?s?|liquidacion|cupon(?:es)?|regal\w+|"
    r"discount\w*|on sale|deals?|coupons?|vouchers?|gift ?cards?|gifts?",
    "no_interest": r"sin intereses?|interest[- ]free|no interest",
    "in_stock": r"(?:en|tenemos|hay|queda\w*) stock|stock disponible|in stock|"
    r"disponibles? (?:ahora|de inmediato|en tienda)|available now",
    "out_of_stock": r"agotad[oa]s?|sin stock|out of stock|sold out|no queda\w*",
    "warranty": r"garanti\w+|guarante\w+|warrant\w+",
    "refund": r"reembols\w+|devoluci?on(?:es)? (?:del|de) dinero|refund\w*|money back",
    "always": r"siempre|24 ?/ ?7|24 horas|always|around the clock|dia y noche",
    "today": r"hoy|today|tonight|esta (?:tarde|noche|semana)|this (?:week|evening)",
    "tomorrow": r"tomorrow|(?<!la )(?<!por la )(?<!de la )(?<!en la )manana|pasado manana",
    "half_price": r"mitad de precio|half[- ]price|half off|(?:a|por) la mitad(?! de la)|"
    r"(?:dos|2) por (?:uno|1)|(?:tres|3) por (?:dos|2)|two for one|buy one,? get one",
    "same_day": r"mismo dia|same[- ]day|al tiro|de inmediato|inmediat\w+|immediate\w*|right away",
    "unlimited": r"ilimitad\w+|unlimited|de por vida|lifetime|para siempre|forever",
}
_CLAIM_PATTERNS = tuple((name, re.compile(rf"(?<![a-z])(?:{pattern})(?![a-z])")) for name, pattern in _CLAIMS.items())


@lru_cache(maxsize=2_048)
def facts_in(text: str) -> frozenset[Fact]:
    """Return everything a text states. Enumeration marks at the start of a line ("1)") are no facts.

    Remembered for the texts met last: a shop's passages, and the answers made of them, come again and again.
    """
    found: set[Fact] = set()
    lines = [_LIST_MARK.sub("", line) for line in _as_seen(text).splitlines()]
    prepared: list[str] = []
    for line in lines:
        rest = _names(line, found)
        folded = numbers_as_digits(fold(rest).replace("por ciento", "%"))
        prepared.append(folded)
        found |= {Fact("claim", name) for name, pattern in _CLAIM_PATTERNS if pattern.search(folded)}
    calendar, remaining = calendar_facts(prepared)
    found |= {Fact(kind, value) for kind, value in calendar}
    for line in remaining:
        found.update(_figures(line))
    return frozenset(found)


def _as_seen(text: str) -> str:
    """Return a text as its reader takes it: nothing hidden between its digits, no unusual signs for them."""
    if _UNUSUAL.search(text):
        text = plain_text(_KEYCAPS.sub("", text), len(text))
    return _SPELT_DOT.sub(".", text) if "o" in text else text


def canonical_number(text: str) -> str:
    """Read a number in Chilean or English writing: ``39.990`` and ``39,990`` are 39990, ``1,5`` and ``1.5`` are 1.5."""
    if re.fullmatch(r"\d{1,3}([.,])\d{3}(?:\1\d{3})*", text):
        return str(int(re.sub(r"[.,]", "", text)))
    if match := re.fullmatch(r"(\d{1,3}(?:[.,]\d{3})+)[.,](\d{1,2})", text):
        return _plain(float(f"{re.sub(r'[.,]', '', match[1])}.{match[2]}"))
    if re.fullmatch(r"\d+(?:[.,]\d+)?", text):
        return _plain(float(text.replace(",", ".")))
    return text  # neither: "1.2.3" is compared as it is written


def _plain(value: float) -> str:
    return str(round(value)) if value == round(value) else f"{value:g}"


def _names(line: str, found: set[Fact]) -> str:
    """Take out what is compared letter by letter: addresses of mail and web, phone numbers, codes."""

    def taken(kind: str, canonical: Callable[[str], str]) -> Callable[[re.Match[str]], str]:
        def take(match: re.Match[str]) -> str:
            value = match[0].rstrip(_TRAILING)
            found.add(Fact(kind, canonical(value)))
            return " " + match[0][len(value) :]

        return take

    if "@" in line:
        line = _EMAIL.sub(taken("email", str.lower), line)
    if "." in line or ":" in line:
        line = _LINK.sub(taken("link", _canonical_link), line)
    if "@" in line:
        line = _HANDLE.sub(taken("handle", str.lower), line)
    if not _ANY_DIGIT.search(line):
        return line
    line = _DIGITS.sub(lambda match: _long_number(match, found), line)
    return _CODE.sub(lambda match: _code(match, found), line)


def _canonical_link(link: str) -> str:
    match = re.match(r"(?:https?://)?(?:www\.)?([^/?#]+)(.*)", link, re.IGNORECASE | re.DOTALL)
    if match is None:
        return link
    return match[1].lower() + match[2].rstrip("/")


def _long_number(match: re.Match[str], found: set[Fact]) -> str:
    """A phone or document number; a date or a price with separators is left for those who know them."""
    text = match[0]
    digits = re.sub(r"\D", "", text)
    dated = re.search(r"\d{1,2}[-.]\d{1,2}[-.]\d{4}|\d{4}-\d{1,2}-\d{1,2}", text)
    priced = re.fullmatch(r"\d{1,3}(?:\.\d{3})+\s*", text.strip())
    many = len(text.split()) > 1 and not text.lstrip().startswith(("+", "(")) and " - " in text
    if len(digits) < 8 or dated or priced or many:
        return text
    found.add(Fact("digits", digits))
    return " "


def _code(match: re.Match[str], found: set[Fact]) -> str:
    """A code has letters and digits: INV-2025-001, ZRA-42, VERANO20; "9am", "40k" and "30dias" are figures."""
    text = fold(match[0])
    if re.fullmatch(
        r"\d+(?::\d+)?(?:am|pm|hrs?|hs?|k|cm|mm|kg|g|ml|lts?|dias?|days?|mil|lucas?|min|clp|usd|h\d{2})", text
    ):
        return match[0]
    if re.fullmatch(r"\d{1,4}[-/]\d{1,2}(?:[-/]\d{2,4})?", text) or re.fullmatch(r"(?:usd?|clp|uf)\d+", text):
        return match[0]
    found.add(Fact("code", text))
    return " "


def _figures(line: str) -> Iterator[Fact]:
    if not _ANY_DIGIT.search(line):
        return
    line = _SPACED.sub(lambda match: match[0].replace(" ", ""), line)
    line = _RANGE.sub(lambda match: f"{match['low']} {match['unit']} {match['rest']}", line)
    taken: list[Fact] = []

    def take(kind_of: Callable[[re.Match[str]], Fact]) -> Callable[[re.Match[str]], str]:
        def consume(match: re.Match[str]) -> str:
            taken.append(kind_of(match))
            return " "

        return consume

    line = _PERCENT.sub(take(lambda match: Fact("percent", canonical_number(match["number"]))), line)
    for pattern in (_MONEY_AFTER, _MONEY_BEFORE):
        line = pattern.sub(take(_money), line)
    line = _PRICED.sub(take(lambda match: Fact("money", canonical_number(match["number"]))), line)
    line = _K.sub(take(lambda match: Fact("number", _times(match["number"], 1e3))), line)
    for kind, pattern in _WITH_UNIT:
        line = pattern.sub(take(lambda match, kind=kind: Fact(kind, canonical_number(match["number"]))), line)
    line = _SIZE.sub(take(lambda match: Fact("size", canonical_number(match["number"]))), line)
    _PLAIN.sub(take(lambda match: Fact("number", canonical_number(match[0]))), line)
    yield from taken


def _money(match: re.Match[str]) -> Fact:
    currency = match["currency"].strip().rstrip("$ ").strip() or "$"
    currency = "us$" if match["currency"].strip() == "us$" else currency
    scale = (match["scale"] or "").strip()
    factor = _SCALES.get(scale, 1.0) * _SCALES.get(currency, 1.0)
    if scale.startswith("luca") and currency in _SCALES:
        factor = 1e3
    return Fact(_CURRENCIES.get(currency, "money"), _times(match["number"], factor))


def _times(number: str, factor: float) -> str:
    read = canonical_number(number)
    try:
        return _plain(float(read) * factor)
    except ValueError:
        return read
