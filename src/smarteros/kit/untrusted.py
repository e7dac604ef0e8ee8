"""Strangers' text before it is shown to a machine that reads: nothing hidden, nothing ambiguous, of bounded length."""

from __future__ import annotations

import re
import unicodedata

_KEPT = "\n\t"
_SPACES = re.compile(r"[ \t]+")
_LINES = re.compile(r"\n{3,}")
# Variation selectors can carry a hidden message of any length behind one emoji.
_SELECTORS = frozenset((*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))


def plain_text(text: str, most: int) -> str:
    """Return the text as a person sees it, at most ``most`` characters.

    Compatibility forms become usual ones (``５`` is 5, so that a number written in them is recognised), digits of any
    script become ASCII; control, zero-width, bidirectional, tag, private and unassigned characters are removed.
    """
    usual = unicodedata.normalize("NFKC", text[: most * 4])
    seen = "".join(_visible(character) for character in usual)
    return _LINES.sub("\n\n", _SPACES.sub(" ", seen)).strip()[:most]


def _visible(character: str) -> str:
    if character in _KEPT:
        return character
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.digit(character))
    if category in ("Zl", "Zp"):
        return "\n"
    if category[0] == "C" or ord(character) in _SELECTORS:
        return ""
    return " " if category == "Zs" else character
