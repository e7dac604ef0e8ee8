"""Sizes as people ask for them: "42", "nº 42", "talla M", "us 9", "calzo 38 y medio", also ones no shop has."""

from __future__ import annotations

import re
from dataclasses import dataclass

from smarteros.kit.number_words import numbers_as_digits

_LETTERS = r"(?:[2-5]xl|xxxl|xxl|xl|xxs|xs|s|m|l)"
_NUMBER = r"(?:\d{1,2} (?:meses|anos|months|years)|us ?\d{1,2}(?:[.,]5)?|\d{1,2}(?:[.,]5| y medi[oa]| 1/2)?)"
_SHOE = r"(?:3[2-9]|4[0-9]|50)(?:[.,]5| y medi[oa]| 1/2)?"
_END = r"(?![a-z0-9']|[.,]\d|[-/]\d)"
_SIZE = rf"(?P<size>{_NUMBER}|{_LETTERS}){_END}"
_SPELT = re.compile(
    r"\b(?:tallas?|talle|numero|calzo|size) (?:la |el |del )?(?P<size>(?:treinta|cuarenta)(?: y [a-z]+)?|thirty|forty"
    r"(?:[ -][a-z]+)?)\b"
)
_WORD_SIZE = {
    "small": "S", "medium": "M", "large": "L", "extra large": "XL", "extra small": "XS", "mediana": "M",
    "mediano": "M",
}  # fmt: skip
_UNIT_AFTER = (
    r"(?! ?(?:pulgadas?|inch(?:es)?|gb|gigas?|tb|tera|teras|w|watts?|mah|mil|lucas?|k\b|palos?|pesos|clp|%|dias?|days?|"
    r"meses|mes|months?|anos?|years?|horas?|hrs?|am|pm|cuotas?|unidades|pares|pairs|veces|semanas?|weeks?|mm|cm|mts?|"
    r"metros?|km|de (?:enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre)))"
)
# Ordered by how sure the words make it that a size wanted follows; the first that matches wins.
_WANTED = re.compile(
    r"\b(?:soy|calzo|calza|calzan|uso|usa|necesito|ocupo|quiero|por|prefiero|need|want|wear|for) "
    r"(?:una? |la |el |a |an |the )?"
    rf"(?:talla |tallas |numero |n° |size )?(?P<size>{_SHOE}|{_LETTERS}){_END}{_UNIT_AFTER}"
)
_NAMED = re.compile(
    rf"\b(?:tallas?|talle|tall|size|sizes|numero|numeros|nro\.?|num\.?|n[o°º]?\.?)"
    rf"(?:[ :]+(?:es |la |el |de |del )*|(?<=n[o°º])){_SIZE}"
)
_SIGN = re.compile(rf"(?<![a-z])n ?[°º] ?{_SIZE}")
_US = re.compile(r"(?P<size>us ?\d{1,2}(?:[.,]5)?|\d{1,2}(?:[.,]5)? us)(?![a-z0-9])")
_AFTER_IN = re.compile(rf"\b(?:en|in|el|la|un|una|hay|y|del|de) (?P<size>{_SHOE}|{_LETTERS}){_END}{_UNIT_AFTER}")
_BARE = re.compile(rf"(?<![a-z0-9.,#$/'’-])(?P<size>{_SHOE}|{_LETTERS}){_END}{_UNIT_AFTER}")
# Of another size than the one just spoken of, also one of children or of another country: "¿y en 28?", "what about 10".
_ANOTHER = re.compile(
    rf"^[^a-z0-9]*(?:(?:y|o|mejor) en|(?:what|how) about(?: an?| in)?|(?:and|or) in) "
    rf"(?P<size>(?:[4-9]|[12]\d|3[01])(?:[.,]5)?){_END}[^a-z0-9]*$"
)
_RECEIVED = re.compile(
    r"\b(?:llego|llegaron|mandaron|mandaste|enviaron|enviaste|sent me|got|received|recibi|tengo|(?:vino|vinieron)|"
    r"cambiar|cambio|devolver|devuelvo|quedo|quedaron|instead of|en vez de|en lugar de|no|ni|not)\b[^,;]{0,22}$"
)
_ORDERED = re.compile(r"\b(?:pedi|pedimos|compre|ordered|bought|encargue)\b[^,;]{0,22}$")
_CORRECTION = re.compile(r"\b(?:pero|mejor|digo|perdon|en realidad|actually|sorry|i mean|but)\b")
_WISH_BETWEEN = re.compile(r"\b(?:por|necesito|quiero|soy|calzo|ocupo|y era|for|need|want|a|to)\b")


@dataclass(frozen=True)
class Size:
    """A size and where it stands in the folded text."""

    value: str
    start: int
    end: int


def find_size(folded: str, *, wearable: bool) -> Size | None:
    """Find the size wanted. ``wearable``: a bare number or letter counts only beside something one wears."""
    for pattern in (_WANTED, _US, _NAMED, _SIGN):
        found = _last_wanted(pattern, folded)
        if found is not None:
            return found
    for pattern in (_AFTER_IN, _BARE, _ANOTHER) if wearable else ():
        found = _last_wanted(pattern, folded)
        if found is not None:
            return found
    return _spelt(folded) or (_in_words(folded) if wearable else None)


def _last_wanted(pattern: re.Pattern[str], folded: str) -> Size | None:
    """Return the first match nobody has yet; else the one ordered, else the one received ("pedí 39 y soy 40")."""
    matches = list(pattern.finditer(folded))
    if not matches:
        return None
    ranks = [_how_little_wanted(folded, match.start()) for match in matches]
    best = [match for match, rank in zip(matches, ranks, strict=True) if rank == min(ranks)]
    corrected = _CORRECTION.search(folded, best[0].end(), best[-1].start())
    found = best[-1] if corrected else best[0]
    return Size(_canonical(found["size"]), *found.span())


def _how_little_wanted(folded: str, start: int) -> int:
    """Rank a size by what stands before it: 0 wanted, 1 ordered before, 2 received or to be changed."""
    for rank, pattern in ((2, _RECEIVED), (1, _ORDERED)):
        said = pattern.search(folded[:start])
        if said and not _WISH_BETWEEN.search(folded[said.start() : start]):
            return rank
    return 0


def _spelt(folded: str) -> Size | None:
    """Find a size that is written out, as voice notes have it: "talla cuarenta y dos"."""
    found = _SPELT.search(folded)
    if found is None:
        return None
    digits = numbers_as_digits(found["size"])
    return Size(digits, *found.span()) if digits.isdigit() else None


def _in_words(folded: str) -> Size | None:
    for word, size in _WORD_SIZE.items():
        found = re.search(rf"\b{word}\b(?! (?:de|size is))", folded)
        if found:
            return Size(size, *found.span())
    return None


def _canonical(written: str) -> str:
    size = re.sub(r" (?:y medi[oa]|1/2)$", ".5", written).replace(",", ".")
    if size.endswith(("meses", "anos", "months", "years")):
        return size.replace("anos", "años")
    if "us" in size:
        return f"US {size.replace('us', '').strip()}"
    return size.upper()
