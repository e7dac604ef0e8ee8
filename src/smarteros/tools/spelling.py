"""Mistyped words of a search, set right by the words of the shop: "zapatiyas" are zapatillas, "bestido" is a vestido.

Chileans write as they speak: s, c and z sound alike, so do b and v, ll and y; h is silent. Words are compared as they
sound first and letter by letter then. A word that is one, in any list we have, is never changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from smarteros.agents.gazetteer import base_gazetteer
from smarteros.agents.wordlists import read_data
from smarteros.kit.sounds import sounds
from smarteros.tools.vocabulary import is_known, is_named, kind_of, load_vocabulary, singular, synonyms_of

_SHORTEST = 4
_SHORTEST_SLIP = 5  # sounds from which one slip is believed: shorter words have too many neighbours
_LONG = 8  # and from which two are
_DIMINUTIVE = re.compile(r"^(\w{3,}?)c?it[ao]s?$")


class ShopWords:
    """The words under which one shop's products can be found, folded; safe to share between threads."""

    def __init__(self, words: Iterable[str] = (), kinds: Iterable[str] = (), texts: Iterable[str] = ()) -> None:
        """``words`` of names, makers and tags; ``kinds`` those of kinds of things; ``texts`` of descriptions."""
        self.words = frozenset(words)
        self.kinds = frozenset(kinds)
        self._texts = frozenset(texts)
        own = {word for word in self.words if len(word) >= _SHORTEST and word.isalpha()}
        self._targets: dict[str, str] = {}
        vocabulary = load_vocabulary()
        said = {word for word in vocabulary.stop if len(word) > _SHORTEST}
        for word in (*sorted(own), *sorted(vocabulary.spoken - own), *sorted(said)):
            self._targets.setdefault(sounds(word), word)
        self._own = own

    def is_kind(self, term: str) -> bool:
        """Tell whether the shop calls a kind of its products so, or begins a title with it, or with a synonym."""
        return any(is_named(word, self.kinds) for word in (term, *synonyms_of(term)))

    def has(self, term: str) -> bool:
        """Tell whether any product can be found by the term, a synonym of it, or its kind."""
        words = (term, *synonyms_of(term), kind_of(term) or term)
        return any(is_named(word, self.words) or is_named(word, self._texts) for word in words)

    def set_right(self, word: str) -> str:
        """Return the word a folded one was meant to be, or the word itself."""
        if len(word) < _SHORTEST or not word.isalpha() or self._is_one(word):
            return word
        if diminutive := _DIMINUTIVE.match(word):
            for base in (diminutive[1] + ending for ending in ("a", "o", "e", "")):
                if self._is_one(base):
                    return base
        found = self._by_sound(word)
        if found is not None:
            return found
        if word in _real_words() or base_gazetteer().knows(word):
            return word
        return self._nearest(sounds(word)) or word

    def _is_one(self, word: str) -> bool:
        return word in self.words or is_known(word) or any(own.startswith(word) for own in self._own)

    def _by_sound(self, word: str) -> str | None:
        return next((self._targets[s] for s in (sounds(word), sounds(singular(word))) if s in self._targets), None)

    def _nearest(self, sound: str) -> str | None:
        if len(sound) < _SHORTEST_SLIP:
            return None
        slips = 2 if len(sound) >= _LONG else 1
        near = process.extract(sound, self._targets.keys(), scorer=OSA.distance, score_cutoff=slips, limit=12)
        found = [(distance, self._targets[key]) for key, distance, _ in near if key[:1] == sound[:1]]
        return min(found, key=lambda one: (one[0], one[1] not in self._own, one[1]))[1] if found else None


@cache
def _real_words() -> frozenset[str]:
    return frozenset(str(read_data("real_words.yml")["words"]).split())
