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
    r"^(?:x ?)?(\d{1,4})(?:[.,]0{1,3})?(?:\s?(?:x|un|uni|und|u|c ?[/nil1|]{0,2} ?u|par(?:es)?"
    r"|unidad(?:es)?|units?)\.?)?$",
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
    r"cant|cantidad|cod|code|codigo|color|descuento|importe|monto|neto|precio|price|qty|quantity|size|sku|subtotal|talla|total"
    r"|un|unidad(?:es)?|units?|unitario|valor"
)
_WORDS = re.compile(r"\w{2,}")
# The row of a sum: the word begins it, or says of what it is the sum. "Crema Total Repair" is none.
SUMS = re.compile(
    rf"^\W*(?:sub|sut)?\s?-?{TOTAL}(?:e?s)?\b|\b(?:sub|sut){TOTAL}s?\b|\b(?:monto|valor|importe|grand|precio) {TOTAL}\b"
    rf"|\b{TOTAL}(?:es)?\s*(?:[$:.]|clp|a pagar|neto|iva|general|final|due|\d{{1,3}}[.,]\d{{3}})|\b{TOTAL}(?:es)?$"
    r"|^(?:monto|valor|importe|amount)\s?[:$]|^consumo\b(?!.*[a-z]{3})|^propina\b"
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
_PRICED = re.compile(r"^(.*[^\W\d_]{3,}.*?)\s*(?:(?<=\s)|(?=\$))(\$?\s?\d{1,3}(?:[.,]\d{3})+)$")
_COUNTED = re.compile(r"^(.*[^\W\d_]{3,}.*?) (\d{1,3})$")
_MODEL = re.compile(r"[A-Za-z]{1,3}[-/ ]?\d+[A-Za-z]?")  # in a column of its own it is the article's code
_NAME_LETTERS, _PART_LETTERS = 4, 1
_MOST_LINES = 3  # of one name
# In line heights: how far apart the pieces of a name stand, side by side, and one above the other.
_GAP_ACROSS, _GAP_DOWN, _LEFT_OFF, _PRICE_OFF, _AS_NEAR = 1.2, 0.9, 1.0, 1.6, 0.35
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


def named_rows(rows: tuple[Row, ...], first: int, end: int) -> Iterator[tuple[int, int, Name]]:
    """The goods of ``rows[first:end]``: the row beside or under which the price is, the row of numbers, and the name.

    A name may stand on several lines. Below a table's head that gives the price with the first of them the others
    stand below it; elsewhere, as on a till's paper, the price comes with the last.
    """
    starts_priced = 0 < first < end and _own_name(rows[first]) is not None and _has_amount(rows[first])
    apart = _prices_apart(rows, first, end)
    for at in range(first, end):
        row = rows[at]
        priced = _price_at(rows, at, end, apart) if is_sold(row) else None
        if priced is None:
            continue
        own = _own_name(row, _PART_LETTERS)
        if own is None:
            continue
        lines = [own]
        step, edge = (1, end) if starts_priced else (-1, first - 1)
        for other in range(at + step, edge, step):
            near = _continued(rows, other, lines[-1 if step > 0 else 0])
            begun = step < 0 and _LONG_CODE.match(lines[0].text)  # an article's code begins its name
            if near is None or begun or len(lines) == _MOST_LINES or _price_at(rows, other, end, apart) is not None:
                break
            lines.insert(len(lines) if step > 0 else 0, near)
        lines += _size_below(rows, at, lines[-1])
        if any(_letters(line.text) >= _NAME_LETTERS for line in lines):
            yield at, priced, _joined(lines)


def quantity_row(rows: tuple[Row, ...], at: int, end: int) -> Row | None:
    """``2 x 9.990``, on thermal paper below the name of ``rows[at]``, or below the size that was broken off it."""
    own = _own_name(rows[at], _PART_LETTERS)
    under = at + 1 + (own is not None and len(_size_below(rows, at, own)))
    found = rows[under] if under < end else None
    return found if found is not None and any(TIMES.match(cell.text) for cell in found.cells) else None


def _price_at(rows: tuple[Row, ...], at: int, end: int, apart: dict[int, int]) -> int | None:
    """The row of its price: this one, ``2 x 9.990`` below it, or a row of numbers alone above or below it."""
    if _has_amount(rows[at]):
        return at if _own_name(rows[at], _PART_LETTERS) is not None else None
    times = quantity_row(rows, at, end)
    if times is not None and _own_name(times) is None:
        return at
    return apart.get(at)


def _prices_apart(rows: tuple[Row, ...], first: int, end: int) -> dict[int, int]:
    """The rows of numbers alone, by the row of the name that each belongs to: the nearer of its neighbours.

    On a page that is not flat they stand a little above or below. A row as near to one as to the other belongs to
    the same side as those before it, the first one to the name above.
    """
    apart, side = dict[int, int](), -1
    for at in range(first, end):
        if not _only_numbers(rows[at]):
            continue
        off = {
            step: abs(_middle(rows[at + step]) - _middle(rows[at])) / rows[at + step].cells[0].height
            for step in (-1, 1)
            if first <= at + step < end and _is_name_alone(rows[at + step])
        }
        near = {step: away for step, away in off.items() if away <= _PRICE_OFF}
        if near:
            alike = len(near) == 2 and abs(near[1] - near[-1]) < _AS_NEAR
            side = side if alike else min(near, key=lambda step: near[step])
            apart.setdefault(at + side, at)
    return apart


def _is_name_alone(row: Row) -> bool:
    return is_sold(row) and _own_name(row) is not None and not _has_amount(row)


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
        code = _MODEL.fullmatch(cell.text) and at + 1 < len(cells) and not _is_near(cell, cells[at + 1])
        if code and any(_letters(after.text) >= _NAME_LETTERS for after in cells[at + 1 :]):
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
