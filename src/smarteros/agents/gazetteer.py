"""Words of the trade: categories, colours, brands, genders and places, found even when mistyped."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal, NamedTuple, cast

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from smarteros.agents.wordlists import read_data
from smarteros.kit.text import fold

Kind = Literal["category", "color", "gender", "brand", "place"]
_SECTIONS: dict[str, Kind] = {
    "categories": "category",
    "colors": "color",
    "genders": "gender",
    "brands": "brand",
    "places": "place",
}
_FUZZY_KINDS: frozenset[Kind] = frozenset({"category", "color", "brand"})
_SHORTEST_FUZZY_WORD = 5
_LEAST_SIMILARITY = 0.78
_LONGEST_PHRASE = 4
_WORD = re.compile(r"[a-z0-9]+(?:['-][a-z0-9]+)*")


@dataclass(frozen=True)
class Mention:
    """An entry found in a folded text, between two character positions; ``word`` is the entry's own spelling."""

    kind: Kind
    value: str
    word: str
    start: int
    end: int


class Entry(NamedTuple):
    """What a spelling stands for."""

    kind: Kind
    value: str


class Gazetteer:
    """Finds the entries of a word list in folded text; longer phrases win over shorter ones."""

    def __init__(self, sections: Mapping[str, Mapping[str, Sequence[str]]], not_mistyped: Sequence[str]) -> None:
        self._entries: dict[str, Entry] = {}
        for section, kind in _SECTIONS.items():
            for canonical, spellings in sections.get(section, {}).items():
                for spelling in (canonical, *spellings):
                    self._entries.setdefault(fold(spelling), Entry(kind, canonical))
        self._fuzzy_words = _fuzzy(self._entries)
        self._not_mistyped = frozenset(fold(word) for word in not_mistyped)
        self._nearest = lru_cache(maxsize=20_000)(self._nearest_entry)

    def extended(self, entries: Mapping[str, Entry]) -> Gazetteer:
        """Return a gazetteer that knows more words, folded; the words of this one are shared, not copied."""
        extended = copy(self)
        extended._entries = cast(dict[str, Entry], ChainMap(self._entries, dict(entries)))
        extended._fuzzy_words = [*self._fuzzy_words, *_fuzzy(entries)]
        extended._nearest = lru_cache(maxsize=2_000)(extended._nearest_entry)
        return extended

    def knows(self, phrase: str) -> bool:
        """Tell whether a folded phrase is an entry."""
        return phrase in self._entries

    def find(self, folded: str) -> tuple[Mention, ...]:
        """Find all mentions, in order, none overlapping another."""
        words = [(found.group(), found.start(), found.end()) for found in _WORD.finditer(folded)]
        mentions: list[Mention] = []
        at = 0
        while at < len(words):
            mention, used = self._longest_from(words, at)
            if mention is not None:
                mentions.append(mention)
            at += used
        return tuple(mentions)

    def _longest_from(self, words: list[tuple[str, int, int]], at: int) -> tuple[Mention | None, int]:
        for size in range(min(_LONGEST_PHRASE, len(words) - at), 0, -1):
            phrase = " ".join(word for word, _, _ in words[at : at + size])
            entry = phrase if phrase in self._entries else self._nearest(phrase) if size == 1 else None
            if entry is not None:
                kind, value = self._entries[entry]
                return Mention(kind, value, entry, words[at][1], words[at + size - 1][2]), size
        return None, 1

    def _nearest_entry(self, word: str) -> str | None:
        if len(word) < _SHORTEST_FUZZY_WORD or word in self._not_mistyped or not word.isalpha():
            return None
        best = process.extractOne(
            word,
            self._fuzzy_words,
            scorer=DamerauLevenshtein.normalized_similarity,
            score_cutoff=_LEAST_SIMILARITY,
        )
        # A typing error rarely touches the first letter; without this "falta" style accidents double.
        return best[0] if best is not None and best[0][0] == word[0] else None


def _fuzzy(entries: Mapping[str, Entry]) -> list[str]:
    return [
        word
        for word, (kind, _) in entries.items()
        if kind in _FUZZY_KINDS and len(word) >= _SHORTEST_FUZZY_WORD and " " not in word
    ]


@cache
def base_gazetteer() -> Gazetteer:
    """Read the word list shared by all tenants."""
    raw = read_data("gazetteer.yml")
    return Gazetteer(cast(dict[str, dict[str, list[str]]], raw), cast(str, raw["not_mistyped"]).split())
