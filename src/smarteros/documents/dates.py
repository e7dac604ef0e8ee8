"""Days on an invoice: every way to print one, and which of them is the day of issue. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from smarteros.documents.field import ANNOUNCED, NEARBY, UNANNOUNCED, Field
from smarteros.documents.rows import Cell, Row, all_cells, below, beside
from smarteros.kit.number_words import numbers_as_digits
from smarteros.kit.text import fold

_OLDEST_YEAR, _NEWEST_YEAR = 2000, 2099
_MONTHS = (
    "ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic",
)  # fmt: skip
_ENGLISH_MONTHS = {"jan": 1, "apr": 4, "aug": 8, "dec": 12, "set": 9}

_LABEL = re.compile(r"\b(?:fecha|emision|emitid[oa]|date|issued)\b")
_ISSUE_LABEL = re.compile(
    r"\b(?:emision|emitid[oa]|issued?)\b|\bfecha (?:de )?(?:la )?(?:compra|venta|factura|boleta|documento|doc)\b"
    r"|\b(?:purchase|invoice) date\b"
)
_PAID_LABEL = re.compile(r"\bfecha (?:de )?pago\b|\bpaid on\b|\bpayment date\b")  # at a till also the day of issue
_OTHER_LABEL = re.compile(
    r"\b(?:vencimient|vence|due\b|entrega|resolucion|res\b|hasta\b|valid[oa]\b|impresion|impreso|retiro\b"
    r"|fecha (?:de )?despacho|cambios?\b|referencia|garantia|nacimiento|deliver|shipp|expir|devol|caduc"
    r"|orden de compra|print)\w*"
)
NUMERIC_DATE = re.compile(r"(?<!\d)(\d{1,2})\s?([./-])\s?(\d{1,2})\s?\2\s?(20\d\d|\d\d(?!\d))")
_LETTERS_FOR_DIGITS = str.maketrans("oli|", "0111")
_MISREAD_DATE = re.compile(r"(?<![a-z\d])[\doli|]{1,2}([./-])[\doli|]{1,2}\1[\doli|]{2,4}(?![a-z\d])")
_WORN_DATE = re.compile(r"(?<!\d)(\d\d)(?:[ ./-]{1,3}(\d\d)[./-]|[./-](\d\d)[ ./-]{1,3})\s?(20\d\d)(?!\d)")
# A dash is easily lost.
_ISO_DATE = re.compile(r"(?<!\d)(20\d\d)(?:[-/.]\s?(\d\d)[-/.]?|(\d\d)[-/.])\s?(\d\d)(?!\d)")
_WORD_DATE = re.compile(
    r"(?<!\d)(\d{1,2})(?:[\s./-]*(?:de\s+)?([a-z]{3,10})\.?[\s.,/-]*(?:de[l]?\s+)?(20\d\d)"
    r"|[./-]([a-z]{3,10})\.?[./-](\d\d)(?!\d))"
)
_MONTH_FIRST_DATE = re.compile(r"\b([a-z]{3,10})\.?\s?(\d{1,2})[.,]?\s?(20\d\d)(?!\d)")  # March 5, 2025
_FIRST_OF_MONTH = re.compile(r"\bprimero(?= de )")
_COMPACT_DATE = re.compile(r"\b(?:fecha|date)\b[^\d]*(20\d\d)(\d\d)(\d\d)(?!\d)")
# In three columns, or three boxes of a printed form.
_SPACED_DATE = re.compile(r"(?:^|^[^\d]*\b(?:fecha|date)\b[^\d]*)(\d{1,2}) (\d{1,2}) (20\d\d)$")


def find_date(rows: tuple[Row, ...]) -> Field | None:
    """The day of issue, ISO 8601. A due date is not one."""
    labels = sorted((cell for cell in all_cells(rows) if _names_a_day(cell)), key=_certainty)
    for label in labels:
        right = beside(rows, label)
        for cell, certainty in ((label, ANNOUNCED), (right, ANNOUNCED), *((c, NEARBY) for c in below(rows, label))):
            day = parse_date(cell.text) if cell is not None else None
            if day is None or cell is None:
                continue
            found = day, cell
            if certainty == NEARBY and not _ISSUE_LABEL.search(fold(label.text)):
                found = _earliest(_days_of(next(row for row in rows if cell in row.cells)))
            sure = certainty * (UNANNOUNCED if _PAID_LABEL.search(fold(label.text)) else ANNOUNCED)
            return Field(found[0].isoformat(), min(found[1].confidence, label.confidence) * sure, found[1].box)
    return _unannounced(rows)


def parse_date(text: str) -> date | None:
    """The first date in a text: day first, as in Chile, but ``March 5, 2025``; each part as a number or in words."""
    folded = fold(text)
    plain = _MISREAD_DATE.sub(lambda found: found.group().translate(_LETTERS_FOR_DIGITS), folded)
    return _first(plain) or _first(numbers_as_digits(_FIRST_OF_MONTH.sub("1", folded)))


def _first(folded: str) -> date | None:
    return min(_dates_in(folded), default=(0, None), key=lambda found: found[0])[1]


def _names_a_day(cell: Cell) -> bool:
    text = fold(cell.text)
    return _LABEL.search(text) is not None and (
        _OTHER_LABEL.search(text) is None or _ISSUE_LABEL.search(text) is not None
    )


def _certainty(label: Cell) -> int:
    """The order in which labels are believed: the day of issue, any day, the day of payment."""
    text = fold(label.text)
    if _ISSUE_LABEL.search(text):
        return 0
    return 2 if _PAID_LABEL.search(text) else 1


def _unannounced(rows: tuple[Row, ...]) -> Field | None:
    """The first row's earliest day that no other label claims: nothing falls due before it is issued."""
    labels = [cell for cell in all_cells(rows) if _OTHER_LABEL.search(fold(cell.text))]
    claimed = {
        next(
            (cell for cell in (label, beside(rows, label), *below(rows, label)) if cell and parse_date(cell.text)), None
        )
        for label in labels
    }
    for row in rows:
        if _OTHER_LABEL.search(fold(row.text)):
            continue
        days = _days_of(row)
        free = [(day, cell) for day, cell in days if cell not in claimed]
        if free:
            day, cell = _earliest(free)
            return Field(day.isoformat(), cell.confidence * UNANNOUNCED, cell.box)
        across = None if days else parse_date(row.text)
        if across is not None:
            return Field(across.isoformat(), row.confidence * UNANNOUNCED, row.box)
    return None


def _earliest(days: list[tuple[date, Cell]]) -> tuple[date, Cell]:
    return min(days, key=lambda found: found[0])


def _days_of(row: Row) -> list[tuple[date, Cell]]:
    return [(day, cell) for cell in row.cells if (day := parse_date(cell.text)) is not None]


def _dates_in(folded: str) -> Iterator[tuple[int, date]]:
    """Days that exist, each with where it begins."""
    for match, year, month, day in _parts_in(folded):
        try:
            found = date(int(year) if len(year) == 4 else 2000 + int(year), month, int(day))
        except ValueError:
            continue
        if _OLDEST_YEAR <= found.year <= _NEWEST_YEAR:
            yield match.start(), found


def _parts_in(folded: str) -> Iterator[tuple[re.Match[str], str, int, str]]:
    """What may be a day, with its year, month (0: no month) and day."""
    for match in NUMERIC_DATE.finditer(folded):
        day, _, month, year = match.groups()
        yield match, year, int(month), day
    for pattern in (_WORN_DATE, _SPACED_DATE):
        for match in pattern.finditer(folded):
            day, month, year = (part for part in match.groups() if part is not None)
            yield match, year, int(month), day
    for pattern in (_ISO_DATE, _COMPACT_DATE):
        for match in pattern.finditer(folded):
            year, month, day = (part for part in match.groups() if part is not None)
            yield match, year, int(month), day
    for match in _MONTH_FIRST_DATE.finditer(folded):
        name, day, year = match.groups()
        yield match, year, _month(name), day
    for match in _WORD_DATE.finditer(folded):
        day, name, year = (part for part in match.groups() if part is not None)
        yield match, year, _month(name), day


def _month(word: str) -> int:
    start = word[:3]
    return _MONTHS.index(start) + 1 if start in _MONTHS else _ENGLISH_MONTHS.get(start, 0)
