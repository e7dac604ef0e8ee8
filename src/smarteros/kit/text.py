"""Text folding shared by everything that compares what people type."""

from __future__ import annotations

import re
import unicodedata

_SPACES = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def fold(text: str) -> str:
    """Lower-case, strip accents (ñ becomes n) and collapse white space: the form in which words are compared."""
    plain = text
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return _SPACES.sub(" ", plain.casefold()).strip()


def strip_controls(text: str) -> str:
    """Remove control, zero-width and bidirectional characters that a stranger may use to hide text."""
    return _CONTROL.sub("", text)
