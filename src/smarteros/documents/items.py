"""All goods on an invoice, row by row. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from smarteros.documents.names import (
    AMOUNT,
    CODE,
    QUANTITY,
    SUMS,
    TIMES,
    Name,
    is_header,
    named_rows,
    quantity_row,
)
from smarteros.documents.rows import Cell, Row
from smarteros.kit.text import fold

MOST_ITEMS = 60
LONGEST_NAME = 120
_SIZE_HEAD = re.compile(r"(?:tal+as?|size)\W*$", re.IGNORECASE)
_INDEX_HEAD = re.compile(r"(?:item|it|n|n[°o]|nro|no|pos|linea|line|#)\W*$")
_SIZE_ALONE = re.compile(r"(?:\d{1,2}(?:[.,]5)?|X{0,3}[SML])$", re.IGNORECASE)
_LEADING_QUANTITY = re.compile(
    r"^(\d{1,2})(?:\s?[xX])?\s+(?:(?i:un|und|uni|unid|par|pares)\.?\s+)?(?=[A-Za-zÁÉÍÓÚÑáéíóúñ])"
)
_LABELLED_QUANTITY = re.compile(r"\b(?:cant|cantidad|qty|quantity) ?[:.]+ ?(\d{1,3})\b")
_ZERO_IN_WORD = re.compile(r"(?<!\w)(?=(?:0?[^\W\d_]){3})(?:[^\W\d_]+0)+[^\W\d_]*(?!\w)")  # "GRAD0"
_LEADING_INDEX = re.compile(r"^\d{1,2}[.)]\s+(?=[A-Za-zÁÉÍÓÚÑáéíóúñ])")
_ONE_TIME = re.compile(r"\s[xX]\s?1$")
_TRAILING_CODE = re.compile(r"\s\d{8,14}$")
_LEADING_UNIT = re.compile(r"^(?:UN|UND|UNI|PAR|PZA?|C[/NIl1|]{0,2}U)\.?\s+(?=[A-ZÁÉÍÓÚÑ][a-záéíóúñ])")
_GLUED_WORD = re.compile(r"(?<![\w.,])(\d{1,3})([A-ZÁÉÍÓÚÑ][a-záéíóúñ]{3,})")  # "6Tazas"
_INCHES = re.compile(r"(?<=\d)(?:°|''|[”“])(?=\s|$)(?!\s?[CF]\b)")  # the sign of 14" is read as a degree
_SIZE = re.compile(
    r"[\s(,]*\b(?:(?:ta[l1i|][l1i|.]{0,2}a|tal+|size)\s*[:.]?\s*|t\.?\s?(?=\d\d\b)|t\s?(?=x{0,3}[sml]\)?$))"
    r"(\d{1,3}(?:[.,]5)?|x{0,3}[slm])\b\)?",
    re.IGNORECASE,
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
    start = next((at + 1 for at, row in enumerate(rows) if is_header(row)), 0)
    end = next((at for at in range(start, len(rows)) if SUMS.search(fold(rows[at].text))), len(rows))
    return tuple(_item(rows, *found, end) for found in named_rows(rows, start, end))[:MOST_ITEMS]


def split_size(text: str) -> tuple[str, str | None]:
    """A printed name without its size, code and leading quantity, and the size."""
    size = _SIZE.search(text)
    bare = CODE.sub("", _LEADING_INDEX.sub("", _TRAILING_CODE.sub("", _SIZE.sub(" ", text))))
    bare = _ONE_TIME.sub("", _LEADING_UNIT.sub("", _LEADING_QUANTITY.sub("", bare)))
    bare = _INCHES.sub('"', _GLUED_WORD.sub(r"\1 \2", _ZERO_IN_WORD.sub(_with_letter, bare)))
    return " ".join(bare.strip(" -:.,()").split())[:LONGEST_NAME], size.group(1).upper() if size else None


def size_in_column(rows: tuple[Row, ...], name: Name) -> Cell | None:
    """The size beside a name, in the column whose head says so."""
    left, top, right, bottom = name.box
    for head in (cell for row in rows if is_header(row) for cell in row.cells):
        if not _SIZE_HEAD.match(head.text) or head.top >= top:
            continue
        for cell in (cell for row in rows for cell in row.cells):
            under = min(cell.right, head.right) > max(cell.left, head.left) and not left <= cell.left < right
            if under and top < cell.middle < bottom and _SIZE_ALONE.match(cell.text):
                return cell
    return None


def _item(rows: tuple[Row, ...], at: int, priced: int, name: Name, end: int) -> ReadItem:
    """What the row of a price, and ``2 x 9.990`` below the name's, say of a name."""
    row = rows[priced]
    amounts = [_pesos(match.group(1)) for cell in row.cells if (match := AMOUNT.match(cell.text))]
    beside = size_in_column(rows, name)
    numbering = _numbering(rows, row)
    quantity = _counted(tuple(cell for cell in row.cells if cell is not beside and cell is not numbering))
    times = quantity_row(rows, at, end)
    below = None if times is None else _times(times)
    if below is not None:
        quantity = below[0]
        amounts = amounts or [below[1], below[0] * below[1]]
    leading = _LEADING_QUANTITY.match(CODE.sub("", name.text))
    if quantity is None and leading:
        quantity = int(leading.group(1))
    bare, size = split_size(name.text)
    size = size or (None if beside is None else beside.text.upper())
    amount = amounts[-1] if amounts else None
    unit = amounts[-2] if len(amounts) >= 2 else _unit(amount, quantity)
    return ReadItem(bare, size, quantity, unit, amount, name.confidence, name.box)


def _numbering(rows: tuple[Row, ...], row: Row) -> Cell | None:
    """The number of the row itself, which stands in front of everything below "Item" or "N°"."""
    first = row.cells[0]
    heads = (other.cells[0] for other in rows if is_header(other) and other.box[1] < row.box[1])
    above = (head for head in heads if min(first.right, head.right) > max(first.left, head.left))
    numbered = len(row.cells) > 1 and first.text.strip(".)").isdigit()
    return first if numbered and any(_INDEX_HEAD.match(fold(head.text)) for head in above) else None


def _counted(cells: tuple[Cell, ...]) -> int | None:
    counts = (QUANTITY.match(cell.text) or _LABELLED_QUANTITY.search(fold(cell.text)) for cell in cells)
    return next((int(count.group(1)) for count in counts if count), None)


def _with_letter(word: re.Match[str]) -> str:
    return word.group().replace("0", "O" if word.group().isupper() else "o")


def _times(row: Row) -> tuple[int, int] | None:
    for cell in row.cells:
        match = TIMES.match(cell.text)
        if match:
            return int(match.group(1)), _pesos(match.group(2))
    return None


def _unit(amount: int | None, quantity: int | None) -> int | None:
    return amount // quantity if amount and quantity and amount % quantity == 0 else None


def _pesos(text: str) -> int:
    return int(re.sub(r"\D", "", text))
