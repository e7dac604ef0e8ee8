"""What of a message the classifier reads: words with the kinds of what they name, and the sentence for encoders."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import combining, normalize

from smarteros.agents.entities import Extraction
from smarteros.agents.normalise import words_of
from smarteros.agents.spelling import base_speller
from smarteros.kit.text import fold

_MARKED = frozenset(
    {"category", "color", "brand", "gender", "size", "price", "place", "invoice_number", "order_number", "model",
     "phone", "email", "rut", "quantity", "date"}
)  # fmt: skip
_WORD = re.compile(r"(?<!\w)[^\W\d_]+(?:'[^\W\d_]+)?(?!\w)")
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_REPEATED = re.compile(r"(\S)\1{2,}")
_MOST_CHARS = 300  # of one message; encoders take time by length, and what is wanted is said by then
_KEPT_WORDS = 8_000


@dataclass(frozen=True)
class Reading:
    """A message as the classifier compares it: ``words`` for TF-IDF, ``sentence`` for sentence encoders."""

    words: tuple[str, ...]
    sentence: str


def reading_of(extraction: Extraction) -> Reading:
    """Return the reading of a message that was searched for entities."""
    return Reading(tuple(classifier_words(extraction)), sentence_of(extraction.said or extraction.folded))


def classifier_words(extraction: Extraction) -> list[str]:
    """Return the words of a message, each find followed by its kind: "talla 42" and "talla M" end up alike."""
    words: list[str] = []
    at = 0
    for span in extraction.spans:
        if span.start < at or span.kind not in _MARKED:
            continue
        words += words_of(extraction.folded[at : span.end])
        words.append(f"<{span.kind}>")
        at = span.end
    words += words_of(extraction.folded[at:])
    speller = base_speller()
    plain = ["<number>" if word[0].isdigit() else speller.corrected(word) for word in words]
    # "hola hola hola" says no more than "hola", and a held-down key must not look like strong evidence.
    return [word for word, following in zip(plain, [*plain[1:], ""], strict=False) if word != following]


def sentence_of(said: str) -> str:
    """Return a message in small letters its shorthand written out and slips set right; accents stay."""
    composed = "".join(sign for sign in normalize("NFC", said.lower()) if not combining(sign))
    # "aloooo" is "alo": of two letters left the speller would make another word.
    shorter = _REPEATED.sub(r"\1\1", _STRETCHED.sub(r"\1", composed))
    return _WORD.sub(_meant, shorter[:_MOST_CHARS])[:_MOST_CHARS]


def _meant(found: re.Match[str]) -> str:
    return _written_out(found[0])


@lru_cache(maxsize=_KEPT_WORDS)
def _written_out(word: str) -> str:
    folded = fold(word)
    written = " ".join(words_of(folded))
    if written and written != folded:
        return written
    speller = base_speller()
    corrected = speller.corrected(folded)
    return word if corrected == folded else speller.accented(corrected)
