"""The names of goods on a page: which pieces of which rows make one, and which of them has a price. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from smarteros.documents.dates import parse_date
from smarteros.documents.protocol import Box
from smarteros.documents.rows import Cell, Row
from smarteros.documents.totals import TOTAL
from smarteros.kit.text import fold

AMOUNT = re.compile(
    r"^(?:clp)?\s*\$?\s*(\d{1,3}(?:[.,] ?\d{3})+|\d{3,7})(?:[.,]00)?(?:\.-|\s?(?:clp|pesos)|\s[a-z*])?$", re.IGNORECASE
)
QUANTITY = re.compile(
    r"^(\d{1,4})(?:[.,]0{1,3})?(?:\s?(?:un|uni|und|u|c ?[/nil1|]{0,2} ?u|par(?:es)?|unidad(?:es)?|units?)\.?)?$",
    re.IGNORECASE,
)
_UNIT = re.compile(r"^(?:un|uni|und|u|c ?[/nil1|]{0,2} ?u|par|pza?)\.?$", re.IGNORECASE)
TIMES = re.compile(
    r"^(\d{1,4})(?:[.,]0{1,3})?\s*(?:(?i:un|uni|und|u|c/u|par(?:es)?)\.?\s*)?[xX*]\s*\$?\s*(\d{1,3}(?:[.,]\d{3})+|\d{3,7})"
)
CODE = re.compile(
    r"^(?:(?i:sku|cod(?:igo)?|ref|art)\b[\s.:#°]*(?=[\w-]*\d)[\w-]+|\[[\w-]+\]|(?=[A-Z]*\d)[A-Z]{0,4}\d{3,}[A-Z]?)[\s:.-]*"
)
_HEADER = re.compile(
    r"descripcion|\bdetalle\b|\barticulos?\b|cantidad|precio|\bcodigo\b|\bcant\b|\bvalor\b|importe|unitario|"
    r"\bdescription\b|\bqty\b|\bunit price\b|\bamount\b"
)
# A row of nothing but such words, one of them for the goods themselves, is a head as well.
_GOODS_HEAD = re.compile(r"(?:articulo|item|producto|product)s?|desc|descripcion|description|detalle|glosa|nombre")
_OTHER_HEAD = re.compile(
    r"cant|cantidad|code|codigo|color|descuento|importe|monto|neto|precio|price|qty|quantity|size|sku|subtotal|talla|total"
    r"|un|unidad(?:es)?|units?|unitario|valor"
)
_WORDS = re.compile(r"\w{2,}")
# The row of a sum: the word begins it, or says of what it is the sum. "Crema Total Repair" is none.
SUMS = re.compile(
    rf"^\W*(?:sub|sut)?\s?-?{TOTAL}(?:e?s)?\b|\b(?:sub|sut){TOTAL}s?\b|\b(?:monto|valor|importe|grand|precio) {TOTAL}\b"
    rf"|\b{TOTAL}(?:es)?\s*(?:[$:.]|clp|a pagar|neto|iva|general|final|due|\d{{1,3}}[.,]\d{{3}})|\b{TOTAL}(?:es)?$"
    r"|^(?:monto|valor|importe|amount)\s?[:$]"
    r"|(?<!peso )(?<!contenido )\bneto\b|\biva\b|\bi\.v\.a|imponible|\bexento\b"
)
_NOT_SOLD = re.compile(
    r"\bfecha (?:de |emis|doc|venc|compra|venta)|^fecha\b|\bfecha ?:|\brut\b|\br\.u\.t|\bfono\b|"
    r"direccion|\bgarantia\b|cajero|\bcaja\W{0,4}(?:n[°o]\W*)?\d|vendedor|\bpago\b|\bcredito\b|\bdebito\b|efectivo|transferencia|"
    r"webpay|^tarjeta\b|\btarjeta (?:de )?(?:cred|deb|pre|banc)|vuelto|descuento|\bdcto|factura|boleta|comprobante|"
    r"\bs\.?i\.?i\b|timbre|gracias|\bres\b|\bprecio\b|^numero\b|\bcomuna\b|\bgiro\b|\bsenor(?:es)?\b|\bcliente\b|^av\b|"
    r"^calle\b|^pasaje\b|despacho|^cambios|referencia|vencimiento|^productos$|^productos \D?\d|^cantidad\b|\benvio\b|"
    r"\bwarranty\b|\bvat\b|\btax\b|\bdue\b|\binvoice\b|\bbill to\b|\bfolio\b|^(?:n[°*\"']|nro\.?:?|no\.:?) ?\d"
)
# What is said of goods below their name: their code, and perhaps size and colour.
_DETAIL = re.compile(
    r"^\W*(?:sku|cod(?:igo)?|ref|ean|upc)\b[\s.:#°]*(?=[\w-]*\d)[\w-]+\W*(?:(?:tal+a|size|color)\b.*)?$|^cantidad\b"
    r"|^(?:tal+a|size|color)\s?:"
)
_LONG_CODE = re.compile(r"\d{6,}\b")
_SIZE_FOLLOWS = re.compile(r"\b(?:tal+a|size)\s?[:.]?$", re.IGNORECASE)
_PRICED = re.compile(r"^(.*[^\W\d_]{3,}.*?)\s*(?:(?<=\s)|(?=\$))(\$?\s?\d{1,3}(?:\.\d{3})+)$")
_COUNTED = re.compile(r"^(.*[^\W\d_]{3,}.*?) (\d{1,3})$")
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
    text = fold(row.text)
    words = set(_WORDS.findall(text))
    goods = {word for word in words if _GOODS_HEAD.fullmatch(word)}
    heads_only = len(words) >= 2 and bool(goods) and all(_OTHER_HEAD.fullmatch(word) for word in words - goods)
    return len(set(_HEADER.findall(text))) >= 2 or heads_only


def is_sold(row: Row) -> bool:
    """Whether nothing in a row says that it is about something else than goods."""
    text = fold(row.text)
    return not any(other.search(text) for other in (SUMS, _NOT_SOLD)) and parse_date(row.text) is None


def separated(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """The rows, with a price that was read in one piece with the name before it as a piece of its own."""
    return tuple(_separated(row) for row in rows)


def _separated(row: Row) -> Row:
    cells, amounts = list(row.cells), list[int]()
    if _has_amount(row):
        return row
    while (found := _PRICED.match(cells[-len(amounts) - 1].text)) is not None:
        _split(cells, len(cells) - len(amounts) - 1, found)
        amounts.insert(0, int(re.sub(r"\D", "", found.group(2))))
    count = _COUNTED.match(cells[-len(amounts) - 1].text) if len(amounts) >= 2 else None
    if count is not None and int(count.group(2)) * amounts[-2] == amounts[-1]:
        _split(cells, len(cells) - len(amounts) - 1, count)
    return Row(tuple(cells))


def _split(cells: list[Cell], at: int, found: re.Match[str]) -> None:
    """Two cells of one, each as wide as its part of the letters."""
    whole = cells[at]
    wide = whole.right - whole.left
    end, start = (whole.left + wide * place // len(whole.text) for place in (found.end(1), found.start(2)))
    cells[at : at + 1] = replace(whole, text=found.group(1), right=end), replace(whole, text=found.group(2), left=start)


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
            begun = step < 0 and _LONG_CODE.match(lines[0].text)  # an article's code begins its name
            if near is None or begun or len(lines) == _MOST_LINES or _is_priced(rows, other, first, end):
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
        if _letters(cell.text) < letters or _DETAIL.search(fold(cell.text)):
            continue
        if any(other.match(cell.text) for other in (TIMES, QUANTITY, _UNIT)):
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
