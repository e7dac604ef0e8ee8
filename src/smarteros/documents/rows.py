"""The lines of a page as the rows a person sees."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from smarteros.documents.protocol import Box, OcrLine, OcrPage

_SAME_ROW = 0.55  # part of a line's height that its middle may be away from the row's middle
_LOOK_BELOW = 4.0  # line heights within which a value may stand under its label
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class Cell:
    """One piece of text on the page, cleaned, with its place in pixels."""

    text: str
    confidence: float
    left: int
    top: int
    right: int
    bottom: int

    @property
    def box(self) -> Box:
        """Its place."""
        return self.left, self.top, self.right, self.bottom

    @property
    def middle(self) -> float:
        """Vertical middle."""
        return (self.top + self.bottom) / 2

    @property
    def height(self) -> int:
        """Height, at least one pixel."""
        return max(self.bottom - self.top, 1)


@dataclass(frozen=True)
class Row:
    """Cells side by side, from left to right."""

    cells: tuple[Cell, ...]

    @property
    def text(self) -> str:
        """The row's text, cells separated by one space."""
        return " ".join(cell.text for cell in self.cells)

    @property
    def confidence(self) -> float:
        """The weakest cell's confidence."""
        return min(cell.confidence for cell in self.cells)

    @property
    def box(self) -> Box:
        """The place of all its cells."""
        return (
            min(cell.left for cell in self.cells), min(cell.top for cell in self.cells),
            max(cell.right for cell in self.cells), max(cell.bottom for cell in self.cells),
        )  # fmt: skip


def rows_of(page: OcrPage) -> tuple[Row, ...]:
    """Group a page's lines into rows, top to bottom."""
    cells = sorted((cell for cell in map(_cell, page.lines) if cell.text), key=lambda cell: cell.middle)
    rows: list[list[Cell]] = []
    for cell in cells:
        if rows and _belongs(cell, rows[-1]):
            rows[-1].append(cell)
        else:
            rows.append([cell])
    return tuple(Row(tuple(sorted(row, key=lambda cell: cell.left))) for row in rows)


def beside(rows: tuple[Row, ...], label: Cell) -> Cell | None:
    """The next cell to the right of a label."""
    for row in rows:
        if label in row.cells:
            at = row.cells.index(label)
            return row.cells[at + 1] if at + 1 < len(row.cells) else None
    return None


def below(rows: tuple[Row, ...], label: Cell) -> tuple[Cell, ...]:
    """The cells that stand under a label, in its column, nearest first."""
    under = (
        cell
        for row in rows
        for cell in row.cells
        if 0 < cell.middle - label.middle < _LOOK_BELOW * label.height
        and cell.middle > label.bottom
        and min(cell.right, label.right) > max(cell.left, label.left)
    )
    return tuple(sorted(under, key=lambda cell: cell.middle))


def all_cells(rows: Iterable[Row]) -> tuple[Cell, ...]:
    """Every cell in reading order."""
    return tuple(cell for row in rows for cell in row.cells)


def clean(text: str) -> str:
    """NFKC (engines write full-width colons and ×) with single spaces and plain dashes."""
    plain = unicodedata.normalize("NFKC", text.replace("º", "°")).replace("×", "x")
    return _SPACES.sub(" ", plain.replace("–", "-").replace("—", "-")).strip()


def _cell(line: OcrLine) -> Cell:
    left, top, right, bottom = line.box
    return Cell(clean(line.text), line.confidence, left, top, right, bottom)


def _belongs(cell: Cell, row: list[Cell]) -> bool:
    middle = sum(other.middle for other in row) / len(row)
    height = min(cell.height, max(other.height for other in row))
    return abs(cell.middle - middle) < _SAME_ROW * height
