"""Which product an invoice is about: the first thing sold on it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from smarteros.documents.items import size_in_column, split_size
from smarteros.documents.names import Name, is_header, is_sold, named_rows
from smarteros.documents.protocol import Box
from smarteros.documents.rows import Row
from smarteros.domain.product_names import match_name, trailing_size
from smarteros.kit.text import fold

# How sure a product is that the shop's catalogue confirms, however badly it was read.
WELL_MATCHED, MATCHED = 0.95, 0.90
WELL_MATCHED_SCORE = 0.80
# A line's confidence is its letters' mean: one wrong letter of 25 hardly lowers it (names misread had 0.94 to 0.96).
SURE_NAME, DOUBTFUL_NAME = 0.97, 0.89
_LABEL = re.compile(
    r"^(?:(?:producto|articulo|item|descripcion|product)s?\s*[:.-]\s*"
    r"|(?:producto|articulo|product) (?!con\b|en\b|de\b|sin\b|no\b))"
)
_LABEL_ALONE = re.compile(r"(?:producto|articulo|product)\s*:?$")
_SIZE = re.compile(r"^(?:(?:sku|cod|ref)\S*\s\S+\W+)?(?:tal+a|size)\s*[:.-]?\s*\w", re.IGNORECASE)


@dataclass(frozen=True)
class ReadProduct:
    """A product as read and where. ``size`` is the printed size, for example ``42`` or ``XL``."""

    name: str
    size: str | None
    confidence: float
    box: Box


def find_product(rows: tuple[Row, ...], catalogue: Sequence[str] = ()) -> ReadProduct | None:
    """The labelled product, else the first item row; spelled as in the catalogue where that is clear."""
    read = _labelled(rows) or _first_item(rows)
    if read is None:
        return None
    if read.size is None:
        read = replace(read, size=_labelled_size(rows))
    return _settled(read, catalogue)


def _labelled(rows: tuple[Row, ...]) -> ReadProduct | None:
    for at, row in enumerate(rows):
        if is_header(row):
            continue
        match = _LABEL.match(fold(row.text))
        # Folding keeps the number of characters of these labels, so the rest starts at the same place.
        if match and row.text[match.end() :][:1].isalnum():
            return _product(Name(row.text[match.end() :], row.confidence, row.box))
        below = rows[at + 1] if at + 1 < len(rows) and _LABEL_ALONE.match(fold(row.text)) else None
        if below is not None and len(below.cells) == 1 and is_sold(below):
            return _product(Name(below.text, min(row.confidence, below.confidence), below.box))
    return None


def _first_item(rows: tuple[Row, ...]) -> ReadProduct | None:
    """The first name with a price below the table's head, and where none is there, on the whole page."""
    start = next((at + 1 for at, row in enumerate(rows) if is_header(row)), 0)
    for first in (start, 0) if start else (0,):
        for _, _, name in named_rows(rows, first, len(rows)):
            product = _product(name)
            beside = None if product is None or product.size else size_in_column(rows, name)
            return product if product is None or beside is None else replace(product, size=beside.text.upper())
    return None


def _product(read: Name) -> ReadProduct | None:
    name, size = split_size(read.text)
    if sum(character.isalpha() for character in name) < 3:
        return None
    sure = read.confidence if read.confidence >= SURE_NAME else min(read.confidence, DOUBTFUL_NAME)
    return ReadProduct(name, size, sure, read.box)


def _labelled_size(rows: tuple[Row, ...]) -> str | None:
    return next((split_size(row.text)[1] for row in rows if _SIZE.match(row.text)), None)


def _settled(read: ReadProduct, catalogue: Sequence[str]) -> ReadProduct:
    if not catalogue:
        return read
    found = match_name(read.name, catalogue)
    if found.name is None:
        return read
    confidence = WELL_MATCHED if found.score >= WELL_MATCHED_SCORE else MATCHED
    size = read.size or trailing_size(read.name, found.name)
    return replace(read, name=found.name, size=size, confidence=max(read.confidence, confidence))
