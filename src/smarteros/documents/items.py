"""All goods on an invoice, row by row. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from smarteros.documents.rows import Cell, Row
from smarteros.kit.text import fold

MOST_ITEMS = 60
_AMOUNT = re.compile(r"^\$?\s*(\d{1,3}(?:[.,]\d{3})+|\d{3,7})(?:[.,]00)?$")
_QUANTITY = re.compile(r"^(\d{1,4})(?:[.,]0{1,3})?(?:\s?(?:un|uni|und|u|c/u)\.?)?$", re.IGNORECASE)
_TIMES = re.compile(r"^(\d{1,4})(?:[.,]0{1,3})?\s*[xX*]\s*\$?\s*(\d{1,3}(?:[.,]\d{3})+|\d{3,7})")
_LEADING_QUANTITY = re.compile(r"^(\d{1,2})\s+(?=[A-Za-zÁÉÍÓÚÑáéíóúñ])")
_CODE = re.compile(r"^\[?(?=[A-Z]*\d)[A-Z]{0,4}\d{3,}[A-Z]?\]?[\s:.-]*")
_SIZE = re.compile(
    r"[\s(]*\b(?:tal+a?\s*[:.]?\s*|t\.?\s?(?=\d\d\b)|t\s?(?=x{0,3}[sml]\)?$))(\d{1,3}(?:[.,]5)?|x{0,3}[slm])\b\)?",
    re.IGNORECASE,
)
_HEADER = re.compile(r"descripcion|\bdetalle\b|cantidad|precio|\bcodigo\b|\bcant\b|\bvalor\b|importe|unitario")
_END = re.compile(r"\b(?:sub)?total(?:es)?\b|\bneto\b|\biva\b|\bi\.v\.a|imponible|\bexento\b")
_NOT_SOLD = re.compile(
    r"\bfecha\b|\brut\b|\br\.u\.t|\bfono\b|direccion|\bgarantia\b|cajero|\bcaja\b|vendedor|\bpago\b|\bcredito\b|"
    r"\bdebito\b|efectivo|transferencia|webpay|tarjeta|vuelto|descuento|\bfactura\b|\bboleta\b|comprobante|\bs\.?i\.?i\b|"
    r"timbre|gracias|\bres\b|\bcomuna\b|\bgiro\b|\bsenor(?:es)?\b|\bcliente\b|^av\b|^calle\b|^pasaje\b|despacho|^cambios|"
    r"referencia|vencimiento|\bprecio\b|\bnumero\b|cantidad\b"
)


@dataclass(frozen=True)
class ReadItem:
    """One row of goods as printed. ``amount`` is what the row costs in whole pesos; unknown parts are None."""

    name: str
    size: str | None
    quantity: int | None
    unit_price: int | None
    amount: int | None
    confidence: float
    box: tuple[int, int, int, int]


def find_items(rows: tuple[Row, ...]) -> tuple[ReadItem, ...]:
    """The goods between the table's head, or the page's top, and its sums."""
    start = next((at + 1 for at, row in enumerate(rows) if len(set(_HEADER.findall(fold(row.text)))) >= 2), 0)
    end = next((at for at in range(start, len(rows)) if _END.search(fold(rows[at].text))), len(rows))
    items: list[ReadItem] = []
    for at in range(start, end):
        item = _item(rows, at, end)
        if item is not None:
            items.append(item)
    return tuple(items[:MOST_ITEMS])


def split_size(text: str) -> tuple[str, str | None]:
    """A printed name without its size, code and leading quantity, and the size."""
    size = _SIZE.search(text)
    bare = _LEADING_QUANTITY.sub("", _CODE.sub("", _SIZE.sub(" ", text)))
    return " ".join(bare.strip(" -:.,()").split())[:120], size.group(1).upper() if size else None


def _item(rows: tuple[Row, ...], at: int, end: int) -> ReadItem | None:
    """A name beside its price, or on thermal paper above ``2 x 9.990``."""
    row = rows[at]
    if _NOT_SOLD.search(fold(row.text)):
        return None
    name_cell = next((cell for cell in row.cells if _is_name(cell)), None)
    if name_cell is None:
        return None
    amounts = [_pesos(match.group(1)) for cell in row.cells if (match := _AMOUNT.match(cell.text))]
    quantity = next(
        (int(match.group(1)) for cell in row.cells if cell is not name_cell and (match := _QUANTITY.match(cell.text))),
        None,
    )
    below = _times(rows[at + 1]) if at + 1 < end else None
    if not amounts and below is None:
        return None
    if below is not None and not any(_is_name(cell) for cell in rows[at + 1].cells):
        quantity = below[0]
        amounts = amounts or [below[1], below[0] * below[1]]
    name, size = split_size(name_cell.text)
    leading = _LEADING_QUANTITY.match(_CODE.sub("", name_cell.text))
    if quantity is None and leading:
        quantity = int(leading.group(1))
    amount = amounts[-1]
    unit = amounts[-2] if len(amounts) >= 2 else _unit(amount, quantity)
    return ReadItem(name, size, quantity, unit, amount, name_cell.confidence, name_cell.box)


def _is_name(cell: Cell) -> bool:
    letters = sum(character.isalpha() for character in _CODE.sub("", cell.text))
    return letters >= 4 and not _TIMES.match(cell.text)


def _times(row: Row) -> tuple[int, int] | None:
    for cell in row.cells:
        match = _TIMES.match(cell.text)
        if match:
            return int(match.group(1)), _pesos(match.group(2))
    return None


def _unit(amount: int, quantity: int | None) -> int | None:
    return amount // quantity if quantity and amount % quantity == 0 else None


def _pesos(text: str) -> int:
    return int(re.sub(r"\D", "", text))
