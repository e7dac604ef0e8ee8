"""The names of goods on a page: which pieces of which rows make one, and which of them has a price. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from smarteros.documents.protocol import Box
from smarteros.documents.rows import Cell, Row
from smarteros.kit.text import fold

AMOUNT = re.compile(r"^(?:\$|clp)?\s*(\d{1,3}(?:[.,]\d{3})+|\d{3,7})(?:[.,]00)?$", re.IGNORECASE)
QUANTITY = re.compile(r"^(\d{1,4})(?:[.,]0{1,3})?(?:\s?(?:un|uni|und|u|c ?[/nil1|]? ?u|par)\.?)?$", re.IGNORECASE)
_UNIT = re.compile(r"^(?:un|uni|und|u|c ?[/nil1|]? ?u|par|pza?)\.?$", re.IGNORECASE)
TIMES = re.compile(
    r"^(\d{1,4})(?:[.,]0{1,3})?\s*(?:(?i:un|uni|und|u|c/u|par(?:es)?)\.?\s*)?[xX*]\s*\$?\s*(\d{1,3}(?:[.,]\d{3})+|\d{3,7})"
)
CODE = re.compile(r"^\[?(?=[A-Z]*\d)[A-Z]{0,4}\d{3,}[A-Z]?\]?[\s:.-]*")
_HEADER = re.compile(
    r"descripcion|\bdetalle\b|\barticulos?\b|cantidad|precio|\bcodigo\b|\bcant\b|\bvalor\b|importe|unitario|"
    r"\bdescription\b|\bqty\b|\bunit price\b|\bamount\b"
)
_NOT_SOLD = re.compile(
    r"\b(?:sub|sut)?totals?\b|\bneto\b|\biva\b|\bi\.v\.a|imponible|exento|\bfecha\b|\brut\b|\br\.u\.t|\bfono\b|"
    r"direccion|\bgarantia\b|cajero|\bcaja\b|vendedor|\bpago\b|\bcredito\b|\bdebito\b|efectivo|transferencia|webpay|"
    r"tarjeta|vuelto|descuento|\bdcto|factura|boleta|comprobante|\bs\.?i\.?i\b|timbre|gracias|\bres\b|\bprecio\b|"
    r"\bnumero\b|\bcomuna\b|\bgiro\b|\bsenor(?:es)?\b|\bcliente\b|^av\b|^calle\b|^pasaje\b|despacho|^cambios|"
    r"referencia|vencimiento|\bsku\b|^productos$|^productos \D?\d|^cantidad\b|\benvio\b|\bwarranty\b|\bvat\b|\btax\b|"
    r"\bdue\b|\binvoice\b|\bbill to\b|\bfolio\b|^(?:n[°*\"']|nro\.?:?|no\.:?) ?\d"
)
_DETAIL = re.compile(r"\bsku\b|^cod(?:igo)?\b|^cantidad\b")  # what is said of goods below their name
_SIZE_FOLLOWS = re.compile(r"\b(?:tal+a|size)\s?[:.]?$", re.IGNORECASE)
_NAME_LETTERS, _PART_LETTERS = 4, 1
_MOST_LINES = 3  # of one name
# In line heights: how far apart the pieces of a name stand, side by side, and one above the other.
_GAP_ACROSS, _GAP_DOWN, _LEFT_OFF, _PRICE_OFF = 1.2, 0.9, 1.0, 1.6
_MOST_TALLER = 1.35


@dataclass(frozen=True)
class Name:
    """A name as printed, code and size included, with its weakest piece's confidence and its place."""

    text: str
    confidence: float
    box: Box


def is_header(row: Row) -> bool:
    """A table's head names at least two columns; one such word alone may be the shop's line of business."""
    return len(set(_HEADER.findall(fold(row.text)))) >= 2


def is_sold(row: Row) -> bool:
    """Whether nothing in a row says that it is about something else than goods."""
    return _NOT_SOLD.search(fold(row.text)) is None


def named_rows(rows: tuple[Row, ...], first: int, end: int) -> Iterator[tuple[int, Name]]:
    """The goods of ``rows[first:end]``: the row that holds or announces the price, and the name.

    A name may stand on several lines. Below a table's head that gives the price with the first of them the others
    stand below it; elsewhere, as on a till's paper, the price comes with the last.
    """
    starts_priced = 0 < first < end and _own_name(rows[first]) is not None and _has_amount(rows[first])
    for at in range(first, end):
        row = rows[at]
        if not is_sold(row) or not _is_priced(rows, at, first, end):
            continue
        own = _own_name(row, _PART_LETTERS)
        if own is None:
            continue
        lines = [own]
        step, edge = (1, end) if starts_priced else (-1, first - 1)
        for other in range(at + step, edge, step):
            near = _continued(rows, other, lines[-1 if step > 0 else 0])
            if near is None or len(lines) == _MOST_LINES or _is_priced(rows, other, first, end):
                break
            lines.insert(len(lines) if step > 0 else 0, near)
        lines += _size_below(rows, at, lines[-1])
        if any(_letters(line.text) >= _NAME_LETTERS for line in lines):
            yield at, _joined(lines)


def quantity_row(rows: tuple[Row, ...], at: int, end: int) -> Row | None:
    """``2 x 9.990``, on thermal paper below the name of ``rows[at]``, or below the size that was broken off it."""
    own = _own_name(rows[at], _PART_LETTERS)
    under = at + 1 + (own is not None and len(_size_below(rows, at, own)))
    found = rows[under] if under < end else None
    return found if found is not None and any(TIMES.match(cell.text) for cell in found.cells) else None


def _is_priced(rows: tuple[Row, ...], at: int, first: int, end: int) -> bool:
    """A price beside it, ``2 x 9.990`` below it, or on a page that is not flat a price a little above or below it."""
    if _has_amount(rows[at]):
        return _own_name(rows[at], _PART_LETTERS) is not None
    times = quantity_row(rows, at, end)
    if times is not None and _own_name(times) is None:
        return True
    return any(
        first <= other < end and _only_numbers(rows[other]) and _nearest_name(rows, other, first, end) == at
        for other in (at - 1, at + 1)
    )


def _nearest_name(rows: tuple[Row, ...], at: int, first: int, end: int) -> int | None:
    """Of the rows above and below a row of numbers alone the one that it belongs to."""
    named = [
        (abs(_middle(rows[other]) - _middle(rows[at])), other)
        for other in (at - 1, at + 1)
        if first <= other < end and is_sold(rows[other]) and _own_name(rows[other]) and not _has_amount(rows[other])
    ]
    off, other = min(named, default=(0.0, None))
    return None if other is None or off > _PRICE_OFF * rows[other].cells[0].height else other


def _continued(rows: tuple[Row, ...], at: int, line: Cell) -> Cell | None:
    """The row as another line of the name: text alone, of the same height, close to it and flush left with it."""
    row = rows[at]
    own = _own_name(row, _PART_LETTERS)
    if own is None or own.text.count(" ") + 1 < len(row.cells) or ":" in own.text or not is_sold(row):
        return None
    if any(AMOUNT.match(cell.text) or TIMES.match(cell.text) for cell in row.cells) or is_header(row):
        return None
    gap = max(own.top, line.top) - min(own.bottom, line.bottom)
    alike = max(own.height, line.height) <= _MOST_TALLER * min(own.height, line.height)
    flush = abs(own.left - line.left) <= _LEFT_OFF * line.height
    return own if alike and flush and gap <= _GAP_DOWN * line.height else None


def _size_below(rows: tuple[Row, ...], at: int, line: Cell) -> tuple[Cell, ...]:
    """``42`` at the beginning of the next line, when this one ends with the word for size."""
    below = rows[at + 1].cells[0] if at + 1 < len(rows) else None
    broken = below is not None and _SIZE_FOLLOWS.search(line.text) and abs(below.left - line.left) <= line.height
    return (below,) if below is not None and broken else ()


def _own_name(row: Row, letters: int = _NAME_LETTERS) -> Cell | None:
    """The first text of a row that may be a name, with what stands close to its right."""
    cells = row.cells
    for at, cell in enumerate(cells):
        if _letters(cell.text) < letters or any(other.match(cell.text) for other in (TIMES, QUANTITY, _UNIT)):
            continue
        last = at
        while last + 1 < len(cells) and _is_near(cells[last], cells[last + 1]):
            last += 1
        return _side_by_side(cells[at : last + 1])
    return None


def _is_near(left: Cell, right: Cell) -> bool:
    numbers = AMOUNT.match(right.text) or QUANTITY.match(right.text) or TIMES.match(right.text)
    return not numbers and right.left - left.right <= _GAP_ACROSS * left.height


def _side_by_side(cells: tuple[Cell, ...]) -> Cell:
    whole = Row(cells)
    return cells[0] if len(cells) == 1 else Cell(whole.text, whole.confidence, *whole.box)


def _joined(lines: list[Cell]) -> Name:
    whole = Row(tuple(lines))
    return Name(whole.text, whole.confidence, whole.box)


def _letters(text: str) -> int:
    return sum(character.isalpha() for character in CODE.sub("", text))


def _has_amount(row: Row) -> bool:
    return any(AMOUNT.match(cell.text) for cell in row.cells)


def _only_numbers(row: Row) -> bool:
    """A price, and no name beside it."""
    return _has_amount(row) and all(
        AMOUNT.match(cell.text) or QUANTITY.match(cell.text) or _DETAIL.search(fold(cell.text)) for cell in row.cells
    )


def _middle(row: Row) -> float:
    return sum(cell.middle for cell in row.cells) / len(row.cells)
