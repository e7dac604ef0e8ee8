"""Texts as encoders can take them."""

from __future__ import annotations

MOST_CHARS = 8_000  # of one text; what follows is not read, so that time and memory stay bounded


def embeddable(text: str) -> str:
    """Return a text without what breaks an engine: NUL ends a C string, and half a character is no UTF-8."""
    return text[:MOST_CHARS].encode("utf-8", "ignore").decode("utf-8").replace("\0", " ")
