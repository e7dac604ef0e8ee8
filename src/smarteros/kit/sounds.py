"""Words as they sound in Chile: s, c and z alike, b and v, ll and y; h is silent."""

from __future__ import annotations

import re

_SOUNDS = (
    (re.compile(r"ph"), "f"),
    (re.compile(r"ll"), "y"),
    (re.compile(r"cc(?=[ei])"), "s"),  # "direcion"
    (re.compile(r"qu(?=[ei])|c(?![eih])|q"), "k"),
    (re.compile(r"c(?=[ei])|z"), "s"),
    (re.compile(r"g(?=[ei])"), "j"),
    (re.compile(r"gu(?=[ei])"), "g"),
    (re.compile(r"v|w"), "b"),
    (re.compile(r"n(?=[bp])"), "m"),
    (re.compile(r"sh"), "ch"),
    (re.compile(r"(?<!c)h"), ""),
    (re.compile(r"oo"), "u"),
    (re.compile(r"i(?=[aeou])"), "y"),
    (re.compile(r"(.)\1+"), r"\1"),
)


def sounds(folded: str) -> str:
    """Write a folded word as it sounds: two that come out alike may be one word, written well and badly."""
    for pattern, sound in _SOUNDS:
        folded = pattern.sub(sound, folded)
    return folded
