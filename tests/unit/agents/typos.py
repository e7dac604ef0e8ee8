"""Typing errors as thumbs make them, the same ones at every run."""

from __future__ import annotations

import random

_NEIGHBOURS = {
    "a": "qsz", "b": "vgn", "c": "xvs", "d": "sfe", "e": "wrd", "f": "dgr", "g": "fht", "h": "gjy", "i": "uok",
    "j": "hkn", "k": "jlo", "l": "kñp", "m": "n", "n": "mb", "o": "ipl", "p": "ol", "q": "wa", "r": "etf", "s": "adz",
    "t": "ryg", "u": "yij", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "xs",
}  # fmt: skip
_LEAST_LETTERS = 4


def with_typos(text: str, share: float, seed: int) -> str:
    """Return a message of which this share of the words has one error: a letter lost, doubled, swapped or missed.

    Words of less than four letters stay whole: a typing error there is mostly another word.
    """
    chance = random.Random(f"{seed}:{text}")
    return " ".join(
        _mistyped(word, chance) if len(word) >= _LEAST_LETTERS and chance.random() < share else word
        for word in text.split()
    )


def _mistyped(word: str, chance: random.Random) -> str:
    at = chance.randrange(1, len(word) - 1)
    kind = chance.choice(("lost", "doubled", "swapped", "missed"))
    if kind == "lost":
        return word[:at] + word[at + 1 :]
    if kind == "doubled":
        return word[:at] + word[at] + word[at:]
    if kind == "swapped":
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    near = _NEIGHBOURS.get(word[at].lower(), "e")
    return word[:at] + chance.choice(near) + word[at + 1 :]
