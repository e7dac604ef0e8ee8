"""From the text of an invoice to its fields. Pure.

Each field is looked for near the words that announce it and carries its own confidence: the engine's for the
lines it was read from, times how sure the place is. The document's confidence is the weakest required field's;
the engine's mean says nothing, it stays near 0.97 on pages where half the text was never found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from smarteros.documents.issuer import find_issuer, find_kind, is_for_work
from smarteros.documents.items import ReadItem, find_items
from smarteros.documents.products import find_product
from smarteros.documents.protocol import Box, OcrPage
from smarteros.documents.rows import Cell, Row, all_cells, below, beside, rows_of
from smarteros.domain.turns import DocumentKind
from smarteros.kit.number_words import numbers_as_digits
from smarteros.kit.text import fold

REQUIRED = ("invoice_number", "purchase_date", "product_name")
# How sure a value is by where it was found.
ANNOUNCED, NEARBY, UNANNOUNCED = 1.0, 0.97, 0.8
NAME_ALONE = 0.6  # a name on a page of which neither number, day nor total could be read
CONTRADICTED = 0.7  # by net and tax that add up to something else
_VAT = 0.19
_OLDEST_YEAR, _NEWEST_YEAR = 2000, 2099
_MONTHS = (
    "ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic",
)  # fmt: skip
_ENGLISH_MONTHS = {"jan": 1, "apr": 4, "aug": 8, "dec": 12, "set": 9}

_TITLE = re.compile(r"\b(?:factura|boleta|guia de despacho|nota de venta|comprobante|invoice|receipt)\b")
_RUT = re.compile(r"\b\d{1,2}\.?\d{3}\.?\d{3}-[\dk]\b")
_NUMBER_LABEL = re.compile(
    r"(?:\bn(?:[°o*\"']|ro|umero|um)?\s?[.:°]*|\bf[o0][l1i][i1l][o0]\b|factura de cliente|\b(?:factura|boleta|invoice)"
    r"(?: electronica)?(?: n[°o.]| no\.?| number| #)?)(?:\s*(?:de )?documento)?\s*[:.#°]*\s*$"
)
_LOST_DEGREE = re.compile(r"^N(?=\d{3,}$)")
_LONGEST_FOLIO = 10  # digits, by SII's format
_TITLE_ALONE = re.compile(r"\b(?:factura|boleta|invoice)(?: electronica)?\s*$")
_GLUED_NUMBER = re.compile(r"n[o°\"']?\s?(\d{2,10})")  # the ° of "N°123" is easily lost
_NUMBER = re.compile(r"(?<![\w,/-])(?<!\d\.)(?:[A-Z]{1,5}[-/]?)?\d[\d]*(?:[-/]\d+)*(?![\w.,/-]*\d)")
_STRUCTURED_NUMBER = re.compile(r"\b(?:[A-Z]{2,5}[-/]\d{4}[-/]\d{1,8}|[A-Z]\d{3}-\d{5,10})\b")
_NUMBERS_OF_OTHERS = re.compile(
    r"\bres\b|\breferencia\b|\bpedido\b|\border\b|\bpago\b|\bcaja\b|^av\b|^avda\b|^calle\b|^pasaje\b|\bof\.|\bdepto\b|\bfono\b"
)
_STREET = re.compile(r"\b(?:av|avda|avenida|calle|pasaje|pje|camino|ruta|local|block)\b")
_TOWN_FOLLOWS = re.compile(r"\s*,\s*[^\W\d]{3}")
_DATE_LABEL = re.compile(r"\b(?:fecha|emision|emitid[oa]|date|issued)\b")
_ISSUE_LABEL = re.compile(r"\b(?:emision|emitid[oa]|issued?)\b")
_OTHER_DATE_LABEL = re.compile(r"\b(?:vencimient|vence|due|entrega|resolucion|res)\w*")
_NUMERIC_DATE = re.compile(r"(?<!\d)(\d{1,2})\s?([./-])\s?(\d{1,2})\s?\2\s?(20\d\d|\d\d(?!\d))")
_WORN_DATE = re.compile(r"(?<!\d)(\d\d)(?:[ ./-]{1,3}(\d\d)[./-]|[./-](\d\d)[ ./-]{1,3})\s?(20\d\d)(?!\d)")
# A dash is easily lost.
_ISO_DATE = re.compile(r"(?<!\d)(20\d\d)(?:[-/.]\s?(\d\d)[-/.]?|(\d\d)[-/.])\s?(\d\d)(?!\d)")
_WORD_DATE = re.compile(r"(?<!\d)(\d{1,2})[\s./-]*(?:de\s+)?([a-z]{3,10})\.?[\s./-]*(?:de[l]?\s+)?(20\d\d)")
_MONTH_FIRST_DATE = re.compile(r"\b([a-z]{3,10})\.?\s?(\d{1,2})[.,]?\s?(20\d\d)(?!\d)")  # March 5, 2025
_AMOUNT = re.compile(
    r"(?<![\d.,-])\$?\s*(\d{1,3}(?:\.\d{3})+|\d{1,3}(?:,\d{3})+|\d{1,3}(?: \d{3})+(?! ?[.,])|\d{3,9})(?:[.,]00)?"
    r"(?![\d-]|[.,]\d)"
)
_TOTAL = re.compile(r"\btotals?\b|\b(?:amount|balance) due\b")  # a "$" right after it may be read as an S
_NOT_TOTAL = re.compile(r"sub\s?-?total|total neto|neto total|total iva|total articulos|total items|imponible")
_PERIOD = r"(?<![\d.,])([1-9]\d{0,3})[\s-]*(d[il1]a|day|mes|month|ano|year)(?:e?s)?\b"
_WARRANTY = re.compile(
    rf"(?:garant[il1]a|warranty)(?:(?!cambio|devol|return)\D){{0,30}}?{_PERIOD}"
    rf"|{_PERIOD}[\s-]*(?:de )?(?:garant[il1]a|warranty)"
)
_DAYS = {"d": 1, "m": 30, "a": 365, "y": 365}  # by the unit's first letter


@dataclass(frozen=True)
class Field:
    """One value with its confidence (0 to 1) and its place on the page, where it is known."""

    value: Any
    confidence: float
    box: Box | None = None


@dataclass(frozen=True)
class Extraction:
    """All that was found. ``confidence`` is the minimum over ``REQUIRED``; a missing field counts 0."""

    fields: dict[str, Field]
    invoice_detected: bool
    kind: DocumentKind = "not_an_invoice"
    items: tuple[ReadItem, ...] = ()

    @property
    def confidence(self) -> float:
        """Confidence of the document."""
        return min((self.fields[name].confidence if name in self.fields else 0.0) for name in REQUIRED)

    @property
    def values(self) -> dict[str, Any]:
        """The plain values."""
        return {name: field.value for name, field in self.fields.items()}


def extract(page: OcrPage, *, catalogue: Sequence[str] = ()) -> Extraction:
    """Find the fields of an invoice. ``catalogue`` holds the shop's product names, which settle doubtful ones."""
    rows = rows_of(page)
    finders: dict[str, Callable[[tuple[Row, ...]], Field | None]] = {
        "invoice_number": find_number,
        "purchase_date": find_date,
        "total": find_total,
        "warranty_days": find_warranty,
        "issuer_rut": find_issuer_rut,
    }
    fields = {name: field for name, finder in finders.items() if (field := finder(rows)) is not None}
    product = find_product(rows, catalogue)
    if product is not None:
        alone = not {"invoice_number", "purchase_date", "total"} & fields.keys()
        sure = product.confidence * (NAME_ALONE if alone else 1.0)
        fields["product_name"] = Field(product.name, sure, product.box)
        if product.size:
            fields["product_size"] = Field(product.size, product.confidence, product.box)
    detected = _is_invoice(rows, fields) and not is_for_work(rows)
    kind = find_kind(rows)
    return Extraction(
        fields=fields,
        invoice_detected=detected,
        kind="not_an_invoice" if not detected else kind[0] if kind is not None else "comprobante",
        items=find_items(rows) if detected else (),
    )


def find_issuer_rut(rows: tuple[Row, ...]) -> Field | None:
    """The issuer's RUT in canonical form; its check digit is right."""
    found = find_issuer(rows)
    return None if found is None else Field(found[0], found[1].confidence * found[2], found[1].box)


def find_number(rows: tuple[Row, ...]) -> Field | None:
    """The document's number, as printed but without leading zeros."""
    for cell, text in _readable(rows):
        match = _STRUCTURED_NUMBER.search(text)
        if match:
            return Field(match.group(), cell.confidence, cell.box)
    candidates = [(rank, field) for rank, field in _announced_numbers(rows) if field is not None]
    return min(candidates, key=lambda candidate: candidate[0], default=(0, None))[1]


def find_date(rows: tuple[Row, ...]) -> Field | None:
    """The day of issue, ISO 8601. A due date is not one."""
    for label in all_cells(rows):
        if not _DATE_LABEL.search(fold(label.text)) or _OTHER_DATE_LABEL.search(fold(label.text)):
            continue
        right = beside(rows, label)
        for cell, certainty in ((label, ANNOUNCED), (right, ANNOUNCED), *((c, NEARBY) for c in below(rows, label))):
            day = parse_date(cell.text) if cell is not None else None
            if day is None or cell is None:
                continue
            found = day, cell
            if certainty == NEARBY and not _ISSUE_LABEL.search(fold(label.text)):
                found = _earliest(_days_of(next(row for row in rows if cell in row.cells)))
            return Field(found[0].isoformat(), min(found[1].confidence, label.confidence) * certainty, found[1].box)
    return _unannounced_date(rows)


def _unannounced_date(rows: tuple[Row, ...]) -> Field | None:
    """The first row's earliest day that no other label claims: nothing falls due before it is issued."""
    labels = [cell for cell in all_cells(rows) if _OTHER_DATE_LABEL.search(fold(cell.text))]
    claimed = {
        next((cell for cell in (beside(rows, label), *below(rows, label)) if cell and parse_date(cell.text)), None)
        for label in labels
    }
    for row in rows:
        if _OTHER_DATE_LABEL.search(fold(row.text)):
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


def find_total(rows: tuple[Row, ...]) -> Field | None:
    """The amount to pay in whole pesos; with net and tax that add up to it, it is certain."""
    found: list[Field] = []
    for at, row in enumerate(rows):
        text = fold(row.text)
        if not _TOTAL.search(text) or _NOT_TOTAL.search(text):
            continue
        amounts = amounts_in(row.text)
        if amounts:
            found.append(Field(amounts[-1], row.confidence, row.box))
        elif at + 1 < len(rows) and (amounts := amounts_in(rows[at + 1].text)):
            below_it = rows[at + 1]
            found.append(Field(amounts[-1], min(row.confidence, below_it.confidence) * NEARBY, below_it.box))
    best = max(found, key=lambda field: (field.value, field.confidence), default=None)
    if best is None:
        return _price_as_total(rows)
    best = replace(best, value=_without_dollar(best.value, rows))
    net, tax = _labelled_amount(rows, r"\bneto\b|imponible"), _labelled_amount(rows, r"\biva\b|i\.v\.a")
    if tax is None:
        return best
    if net is None:
        fits = abs(best.value * _VAT / (1 + _VAT) - tax) <= 2 or _labelled_amount(rows, r"\bexento\b")
        return best if fits else replace(best, confidence=best.confidence * CONTRADICTED)
    untaxed = _labelled_amount(rows, r"\bexento\b") or 0
    adds_up = any(abs(net + tax + rest - best.value) <= 1 for rest in (0, untaxed))
    return replace(best, confidence=max(best.confidence, 0.99) if adds_up else best.confidence * CONTRADICTED)


def find_warranty(rows: tuple[Row, ...]) -> Field | None:
    """The printed warranty in days."""
    for row in rows:
        match = _WARRANTY.search(numbers_as_digits(fold(row.text)))
        if match:
            count, unit = (part for part in match.groups() if part is not None)
            return Field(int(count) * _DAYS[unit[0]], row.confidence, row.box)
    return None


def parse_date(text: str) -> date | None:
    """The first date in a text: day first, as in Chile, but ``March 5, 2025``; months as numbers or words."""
    return min(_dates_in(fold(text)), default=(0, None), key=lambda found: found[0])[1]


def _dates_in(folded: str) -> Iterator[tuple[int, date]]:
    """Days that exist, each with where it begins."""
    for match in _NUMERIC_DATE.finditer(folded):
        day, _, month, year = match.groups()
        if found := _day(int(year) if len(year) == 4 else 2000 + int(year), int(month), int(day)):
            yield match.start(), found
    for match in _WORN_DATE.finditer(folded):
        day, month, year = (int(part) for part in match.groups() if part is not None)
        if found := _day(year, month, day):
            yield match.start(), found
    for match in _ISO_DATE.finditer(folded):
        if found := _day(*(int(part) for part in match.groups() if part is not None)):
            yield match.start(), found
    for pattern, (day_at, month_at) in ((_MONTH_FIRST_DATE, (2, 1)), (_WORD_DATE, (1, 2))):
        for match in pattern.finditer(folded):
            month = _month(match.group(month_at))
            if month and (found := _day(int(match.group(3)), month, int(match.group(day_at)))):
                yield match.start(), found


def amounts_in(text: str) -> list[int]:
    """Amounts of whole pesos in a text."""
    return [int(re.sub(r"\D", "", match.group(1))) for match in _AMOUNT.finditer(text)]


def _announced_numbers(rows: tuple[Row, ...]) -> Iterator[tuple[int, Field | None]]:
    """Numbers with a rank, the best lowest; of equal ranks the upper one is the document's."""
    for label, text in _readable(rows):
        for match in _NUMBER.finditer(text):
            before = fold(text[: match.start()])
            announced = _NUMBER_LABEL.search(before) if match.start() > 0 else None
            if announced is not None:
                street = _STREET.search(before) is not None or _TOWN_FOLLOWS.match(text[match.end() :]) is not None
                # "Au. Araucaria N° 2310" is a misread street: beside a document's number stands what it is, or nothing.
                plain = announced.start() == 0 or _TITLE.search(before) is not None
                rank = 2 if street else 0 if plain else 1
                yield _ranked(rank, match.group(), label.confidence * (ANNOUNCED if plain else NEARBY), label)
        if _NUMBER_LABEL.search(fold(text)):
            rank = 1 if _TITLE_ALONE.search(fold(text)) else 0
            for cell in (beside(rows, label), *below(rows, label)[:1]):
                whole = None if cell is None else _NUMBER.fullmatch(cell.text)
                if cell is not None and whole:
                    yield _ranked(rank, whole.group(), min(cell.confidence, label.confidence) * NEARBY, cell)
        glued = _GLUED_NUMBER.fullmatch(fold(text))
        if glued:
            yield _ranked(1, glued.group(1), label.confidence * NEARBY, label)


def _ranked(rank: int, text: str, confidence: float, cell: Cell) -> tuple[int, Field | None]:
    """A printed number without leading zeros; one or two digits, an article's 13, and those of a street, are rather
    something else's."""
    text = _LOST_DEGREE.sub("", text)
    plain = text.lstrip("0") if text.isdigit() else text
    if not plain or len(plain) > 20:
        return rank, None
    doubtful = rank == 2 or (plain.isdigit() and not (len(text) >= 3 and len(plain) <= _LONGEST_FOLIO))
    return (2, Field(plain, confidence * 0.6, cell.box)) if doubtful else (rank, Field(plain, confidence, cell.box))


def _readable(rows: tuple[Row, ...]) -> Iterator[tuple[Cell, str]]:
    """Cells that may hold the document's number, without RUTs and dates that look like one."""
    for cell in all_cells(rows):
        folded = fold(cell.text)
        if _NUMBERS_OF_OTHERS.search(folded):
            continue
        text = _NUMERIC_DATE.sub(" ", re.sub(_RUT.pattern, " ", cell.text, flags=re.IGNORECASE))
        if text.strip():
            yield cell, text


def _without_dollar(amount: int, rows: tuple[Row, ...]) -> int:
    """``$19.990`` is easily read as 519.990; the amount is then on the page a second time, without the sign."""
    if not str(amount).startswith("5") or amount < 10_000:
        return amount
    rest = int(str(amount)[1:])
    everywhere = [found for row in rows for found in amounts_in(row.text)]
    return rest if rest >= 1000 and rest in everywhere and everywhere.count(amount) == 1 else amount


def _labelled_amount(rows: tuple[Row, ...], label: str) -> int | None:
    for row in rows:
        amounts = amounts_in(row.text)
        if amounts and re.search(label, fold(row.text)):
            return amounts[-1]
    return None


def _price_as_total(rows: tuple[Row, ...]) -> Field | None:
    for row in rows:
        amounts = amounts_in(row.text)
        if amounts and re.search(r"\bprecio\b", fold(row.text)):
            return Field(amounts[-1], row.confidence * UNANNOUNCED, row.box)
    return None


def _is_invoice(rows: tuple[Row, ...], fields: dict[str, Field]) -> bool:
    """Two signs of different kinds; one alone (a date on a poster, the word in a chat) is no invoice."""
    text = "\n".join(fold(row.text) for row in rows)
    signs = (
        bool(_TITLE.search(text)),
        bool(_RUT.search(text)),
        "invoice_number" in fields,
        "purchase_date" in fields and fields["purchase_date"].confidence >= 0.5,
        "total" in fields,
    )
    return sum(signs) >= 2 and (signs[0] or signs[2])


def _day(year: int, month: int, day: int) -> date | None:
    if not _OLDEST_YEAR <= year <= _NEWEST_YEAR:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _month(word: str) -> int | None:
    start = word[:3]
    return _MONTHS.index(start) + 1 if start in _MONTHS else _ENGLISH_MONTHS.get(start)
