"""Sizes as people ask for them: "42", "nº 42", "talla M", "us 9", "calzo 38 y medio", also ones no shop has."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LETTERS = r"(?:[2-5]xl|xxxl|xxl|xl|xxs|xs|s|m|l)"
_NUMBER = r"(?:us ?\d{1,2}(?:[.,]5)?|\d{1,2}(?:[.,]5| y medi[oa]| 1/2)?)"
_SHOE = r"(?:3[2-9]|4[0-9]|50)(?:[.,]5| y medi[oa]| 1/2)?"
_END = r"(?![a-z0-9']|[.,]\d|[-/]\d)"
_SIZE = rf"(?P<size>{_NUMBER}|{_LETTERS}){_END}"
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
    rf"\b(?:soy|calzo|uso|necesito|ocupo|quiero|por|prefiero|need|want|wear|for) (?:una? |la |el |a |an |the )?"
    rf"(?:talla |tallas |numero |n° |size )?(?P<size>{_SHOE}|{_LETTERS}){_END}{_UNIT_AFTER}"
)
_NAMED = re.compile(
    rf"\b(?:tallas?|talle|tall|size|sizes|numero|numeros|nro\.?|num\.?|n[o°º]?\.?)[ :]+(?:es |la |el |de |del )*{_SIZE}"
)
_SIGN = re.compile(rf"(?<![a-z])n ?[°º] ?{_SIZE}")
_US = re.compile(r"(?P<size>us ?\d{1,2}(?:[.,]5)?|\d{1,2}(?:[.,]5)? us)(?![a-z0-9])")
_AFTER_IN = re.compile(rf"\b(?:en|in|el|la|un|una|hay|y|del|de) (?P<size>{_SHOE}|{_LETTERS}){_END}{_UNIT_AFTER}")
_BARE = re.compile(rf"(?<![a-z0-9.,#$/-])(?P<size>{_SHOE}|{_LETTERS}){_END}{_UNIT_AFTER}")
_NOT_WANTED = re.compile(
    r"\b(?:pedi|compre|llego|llegaron|mandaron|enviaron|ordered|sent me|got|bought|recibi)\b[^,;]{0,20}$"
)


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
    for pattern in (_AFTER_IN, _BARE) if wearable else ():
        found = _last_wanted(pattern, folded)
        if found is not None:
            return found
    return _in_words(folded) if wearable else None


def _last_wanted(pattern: re.Pattern[str], folded: str) -> Size | None:
    """Return the first match that is not what the customer already received ("pedí 39 y soy 40")."""
    matches = list(pattern.finditer(folded))
    wanted = [found for found in matches if not _NOT_WANTED.search(folded[: found.start()])]
    for found in wanted or matches:
        return Size(_canonical(found["size"]), *found.span())
    return None


def _in_words(folded: str) -> Size | None:
    for word, size in _WORD_SIZE.items():
        found = re.search(rf"\b{word}\b(?! (?:de|size is))", folded)
        if found:
            return Size(size, *found.span())
    return None


def _canonical(written: str) -> str:
    size = re.sub(r" (?:y medi[oa]|1/2)$", ".5", written).replace(",", ".")
    if "us" in size:
        return f"US {size.replace('us', '').strip()}"
    return size.upper()
