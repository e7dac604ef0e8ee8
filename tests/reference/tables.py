"""Markdown of generated pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "smarteros"
GENERATED = "<!-- Written from the code by `just generate`; do not edit. -->"


def page(title: str, *paragraphs: str) -> Iterator[str]:
    """Begin a page."""
    yield f"# {title}"
    yield ""
    yield GENERATED
    yield ""
    for paragraph in paragraphs:
        yield paragraph
        yield ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Write a table, and nothing when it would have no row."""
    lines = [_row(row) for row in rows]
    if lines:
        yield from (_row(head), _row(["---"] * len(head)), *lines, "")


def code(text: object) -> str:
    """Write code inside of a line, and nothing for nothing."""
    return f"`{text}`" if str(text) else ""


def text_of(lines: Iterable[str]) -> str:
    """Join the lines of a page."""
    return "\n".join(lines).rstrip() + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
