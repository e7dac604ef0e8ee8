"""Numbers written in words, Spanish and English, turned into digits: "treinta días" becomes "30 días". Pure."""

from __future__ import annotations

import re

_UNITS = {
    "cero": 0, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8, "nueve": 9,
    "diez": 10, "doce": 12, "trece": 13, "catorce": 14, "quince": 15, "dieciseis": 16, "diecisiete": 17,
    "dieciocho": 18, "diecinueve": 19, "veinte": 20, "veintiun": 21, "veintiuno": 21, "veintiuna": 21,
    "veintidos": 22, "veintitres": 23, "veinticuatro": 24, "veinticinco": 25, "veintiseis": 26, "veintisiete": 27,
    "veintiocho": 28, "veintinueve": 29,
    "zero": 0, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "treinta": 30, "cuarenta": 40, "cincuenta": 50, "sesenta": 60, "setenta": 70, "ochenta": 80, "noventa": 90,
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_HUNDREDS = {
    "cien": 100, "ciento": 100, "doscientos": 200, "doscientas": 200, "trescientos": 300, "trescientas": 300,
    "cuatrocientos": 400, "cuatrocientas": 400, "quinientos": 500, "quinientas": 500, "seiscientos": 600,
    "seiscientas": 600, "setecientos": 700, "setecientas": 700, "ochocientos": 800, "ochocientas": 800,
    "novecientos": 900, "novecientas": 900,
}  # fmt: skip
_SCALES = {"mil": 1_000, "thousand": 1_000, "millon": 1_000_000, "millones": 1_000_000, "million": 1_000_000}
# In the other language, or as an article, these are no numbers ("once your order ships", "ten en cuenta", "una
# consulta"); they are where something countable follows.
_DOUBTFUL = {"un": 1, "una": 1, "uno": 1, "one": 1, "once": 11, "ten": 10}
_COUNTABLE = re.compile(
    r"\s+(?:dias?|semanas?|mes(?:es)?|ano?s?|anos|horas?|hrs?|minutos?|cuotas?|pesos?|lucas?|mil|millon|millones|"
    r"habiles|de (?:enero|febrero|marzo|abril|mayo|junio|julio|agosto|sep|oct|nov|dic)|por ciento|unidad(?:es)?|pares|"
    r"%|days?|weeks?|months?|years?|hours?|minutes?|instal+ments?|thousand|hundred|percent|business|working|"
    r"de la (?:manana|tarde|noche)|a\.?m\b|p\.?m\b)"
)
_WORD = re.compile(r"[a-z]+")
_JOINT = frozenset({"y", "and"})


def numbers_as_digits(folded: str) -> str:
    """Replace the numbers in words of a folded line (lower case, no accents) by digits.

    "dos mil quinientos" becomes "2500", "40 mil" becomes "40000". Ordinals and articles stay as they are.
    """
    written: list[str] = []
    at = 0
    for match in _WORD.finditer(folded):
        if match.start() < at or (match[0] in _SCALES and _follows_digit(folded, match.start())):
            continue
        found = _number_at(folded, match.start())
        if found is not None:
            value, end = found
            written += [folded[at : match.start()], str(value)]
            at = end
    written.append(folded[at:])
    digits = _SHARED_SCALE.sub(r"\g<low> mil \g<joint> \g<high> mil", "".join(written))
    return _DIGIT_SCALE.sub(_scaled, digits)


# "entre 20 y 30 mil" means thousands both times.
_SHARED_SCALE = re.compile(
    r"\b(?P<low>\d{1,3})\s*(?P<joint>a|y|o|-|to|and|or)\s*(?P<high>\d{1,3})\s+(?:mil|thousand)\b"
)
_DIGIT_SCALE = re.compile(
    r"\b(\d{1,3}(?:[.,]\d{1,2})?)\s+(mil|thousand|millones|millon|million)(?:\s+(\d{1,3})(?![\d.,:]))?\b"
)


def _follows_digit(text: str, at: int) -> bool:
    """Tell whether this is the "mil" of "40 mil"."""
    return at >= 2 and text[at - 1] == " " and text[at - 2].isdigit()


def _scaled(match: re.Match[str]) -> str:
    scale = _SCALES[match[2]]
    value = round(float(match[1].replace(",", ".")) * scale) + int(match[3] or 0)
    return str(value)


def _number_at(text: str, start: int) -> tuple[int, int] | None:
    """Read the longest number that begins here; returns it with the position behind it."""
    total = group = 0
    end, position = start, start
    seen = False
    last = 1_000_000_000
    while (word := _WORD.match(text, position)) is not None:
        name = word[0]
        if name in _SCALES and (seen or name in ("mil", "thousand")):
            total, group, last = total + max(group, 1) * _SCALES[name], 0, _SCALES[name]
        elif name in ("hundred",) and seen:
            group, last = max(group, 1) * 100, 100
        elif (value := _value_of(name, text, word.end(), seen=seen)) is not None and _magnitude(value) < last:
            group, last = group + value, _magnitude(value)
        elif name in _JOINT and seen and last in (10, 100, 1_000):
            position = _next(text, word.end())
            following = _WORD.match(text, position)
            if following is None or _UNITS_AND_ONES.get(following[0], 99) > 99:
                break
            continue
        else:
            break
        seen, end = True, word.end()
        position = _next(text, end)
    return (total + group, end) if seen else None


_UNITS_AND_ONES = {**_UNITS, **_TENS, "un": 1, "una": 1, "uno": 1, "one": 1}


def _value_of(name: str, text: str, end: int, *, seen: bool) -> int | None:
    for words in (_UNITS, _TENS, _HUNDREDS):
        if name in words:
            return words[name]
    if name in _DOUBTFUL and (seen or _COUNTABLE.match(text, end)):
        return _DOUBTFUL[name]
    return None


def _magnitude(value: int) -> int:
    """Return what must follow a larger part: units end a group, tens leave room for units, hundreds for both."""
    return 100 if value >= 100 else 10 if value >= 30 or value == 20 else 1


def _next(text: str, end: int) -> int:
    while end < len(text) and text[end] in " -":
        end += 1
    return end
