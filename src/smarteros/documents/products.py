"""Which product an invoice is about: the first thing sold on it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from smarteros.documents.rows import Cell, Row
from smarteros.domain.product_names import match_name, trailing_size
from smarteros.kit.text import fold

# How sure a product is that the shop's catalogue confirms, however badly it was read.
WELL_MATCHED, MATCHED = 0.95, 0.90
WELL_MATCHED_SCORE = 0.80
# A line's confidence is its letters' mean: one wrong letter of 25 hardly lowers it (names misread had 0.94 to 0.96).
SURE_NAME, DOUBTFUL_NAME = 0.97, 0.89
_LABEL = re.compile(r"^(?:producto|articulo|item|descripcion|product)s?\s*[:.]\s*", re.IGNORECASE)
_HEADER = re.compile(r"descripcion|\bdetalle\b|\barticulos?\b|cantidad|precio|\bcodigo\b|\bcant\b|\bvalor\b|importe")
_AMOUNT = re.compile(r"^\$?\s*\d{1,3}(?:[.,]\d{3})+(?:[.,]00)?$")
_QUANTITY_LINE = re.compile(r"^\d{1,3}(?:[.,]\d+)?\s*[xX*]\s*\$?\s*\d")
_CODE = re.compile(r"^\[?(?=[A-Z]*\d)[A-Z]{0,4}\d{3,}[A-Z]?\]?[\s:.-]*")
_SIZE = re.compile(r"[\s(]*\b(?:tal+a\s*[:.]?\s*|t(?=\d\d$))(\d{1,3}(?:[.,]5)?|x{0,3}[slm])\b\)?", re.IGNORECASE)
_NOT_SOLD = re.compile(
    r"\b(?:sub)?totals?\b|\bneto\b|\biva\b|\bi\.v\.a|imponible|exento|\bfecha\b|\brut\b|\br\.u\.t|\bfono\b|direccion|"
    r"\bgarantia\b|cajero|\bcaja\b|vendedor|\bpago\b|\bcredito\b|\bdebito\b|efectivo|transferencia|webpay|tarjeta|"
    r"vuelto|descuento|factura|boleta|comprobante|\bs\.?i\.?i\b|timbre|gracias|\bres\b|\bprecio\b|\bnumero\b|\bcomuna\b|"
    r"\bgiro\b|\bsenor(?:es)?\b|\bcliente\b|^av\b|^calle\b|^pasaje\b|despacho|^cambios"
)


@dataclass(frozen=True)
class ReadProduct:
    """A product as read. ``size`` is the printed size, for example ``42`` or ``XL``."""

    name: str
    size: str | None
    confidence: float


def find_product(rows: tuple[Row, ...], catalogue: Sequence[str] = ()) -> ReadProduct | None:
    """The labelled product, else the first item row; spelled as in the catalogue where that is clear."""
    read = _labelled(rows) or _first_item(rows)
    if read is None:
        return None
    if read.size is None:
        read = replace(read, size=_labelled_size(rows))
    return _settled(read, catalogue)


def _labelled(rows: tuple[Row, ...]) -> ReadProduct | None:
    for row in rows:
        match = _LABEL.match(fold(row.text))
        # Folding keeps the number of characters of these labels, so the rest starts at the same place.
        if match and len(row.text) > match.end():
            return _product(row.text[match.end() :], row.confidence)
    return None


def _first_item(rows: tuple[Row, ...]) -> ReadProduct | None:
    """A name beside its price, or on thermal paper above or beside ``2 x 9.990``."""
    start = next((at + 1 for at, row in enumerate(rows) if _is_header(row)), 0)
    for first in (start, 0) if start else (0,):
        for at in range(first, len(rows)):
            name = _name_cell(rows[at])
            if name is None:
                continue
            # On a page that is not flat the prices may stand a little higher than their names.
            priced_above = at > first and all(_AMOUNT.match(cell.text) for cell in rows[at - 1].cells)
            quantity_below = at + 1 < len(rows) and _is_quantity_row(rows[at + 1])
            if _has_price(rows[at]) or quantity_below or priced_above:
                return _product(name.text, name.confidence)
    return None


def _is_header(row: Row) -> bool:
    """A table's head names at least two columns; one such word alone may be the shop's line of business."""
    return len(set(_HEADER.findall(fold(row.text)))) >= 2


def _name_cell(row: Row) -> Cell | None:
    """The first cell that may be a product's name."""
    if _NOT_SOLD.search(fold(row.text)):
        return None
    for cell in row.cells:
        text = _CODE.sub("", cell.text)
        if sum(character.isalpha() for character in text) >= 4 and not _QUANTITY_LINE.match(cell.text):
            return cell
    return None


def _has_price(row: Row) -> bool:
    return any(_AMOUNT.match(cell.text) for cell in row.cells)


def _is_quantity_row(row: Row) -> bool:
    return any(_QUANTITY_LINE.match(cell.text) for cell in row.cells)


def _product(text: str, confidence: float) -> ReadProduct | None:
    size = _SIZE.search(text)
    name = _CODE.sub("", _SIZE.sub(" ", text)).strip(" -:.,()")
    if sum(character.isalpha() for character in name) < 3:
        return None
    sure = confidence if confidence >= SURE_NAME else min(confidence, DOUBTFUL_NAME)
    return ReadProduct(" ".join(name.split())[:120], size.group(1).upper() if size else None, sure)


def _labelled_size(rows: tuple[Row, ...]) -> str | None:
    for row in rows:
        match = _SIZE.match(row.text)
        if match:
            return match.group(1).upper()
    return None


def _settled(read: ReadProduct, catalogue: Sequence[str]) -> ReadProduct:
    if not catalogue:
        return read
    found = match_name(read.name, catalogue)
    if found.name is None:
        return read
    confidence = WELL_MATCHED if found.score >= WELL_MATCHED_SCORE else MATCHED
    size = read.size or trailing_size(read.name, found.name)
    return replace(read, name=found.name, size=size, confidence=max(read.confidence, confidence))
