"""Mistyped words, set right by the words customers use: "orario" is "horario", "depsacho" is "despacho".

The vocabulary is that of the example messages and of the word list of the trade. A word that nobody there uses is
changed to one that sounds the same ("yegan" is "llegan"), else to one that a single slip of the thumb away (two in a
long word) made it; the more usual one wins. The examples are misspelt here and there on purpose: what sounds like a
word that is far more usual is that word. What the classifier reads is set right, never what catalogues are searched
with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import cast

from rapidfuzz import process
from rapidfuzz.distance import OSA

from smarteros.agents.normalise import normalise, readable
from smarteros.agents.wordlists import read_data
from smarteros.kit.sounds import sounds
from smarteros.kit.text import fold

_SHORTEST = 4
_LONG = 9  # letters from which two slips are believed
_LEAST_USED = 2  # times a word stands in the examples before another is changed to it
_MOST_CANDIDATES = 12
_FAR_MORE_USUAL = 10  # times as often in the examples


class Speller:
    """Knows a vocabulary and sets right what is nearly one of its words; safe to share between threads."""

    def __init__(self, used: Mapping[str, int], written: Mapping[str, str], valid: Iterable[str] = ()) -> None:
        """``used``: folded words and how often; ``written``: with their accents; ``valid``: never changed either."""
        self._written = dict(written)
        self._real = frozenset(valid)
        self._valid = frozenset(used) | self._real
        self._count = dict(used)
        self._used = {word: count for word, count in used.items() if count >= _LEAST_USED and len(word) >= _SHORTEST}
        self._choices = list(self._used)
        self._by_sound = {sounds(word): word for word in sorted(self._used, key=self._used.__getitem__)}
        self._nearest = lru_cache(maxsize=20_000)(self._nearest_word)

    def corrected(self, folded: str) -> str:
        """Return the word a folded word was meant to be, or the word itself."""
        if len(folded) < _SHORTEST or folded in self._real or not folded.isalpha():
            return folded
        return self._nearest(folded) or folded

    def all_corrected(self, folded: str) -> str:
        """Return a folded text, words with spaces between, with every word as it was meant."""
        return " ".join(self.corrected(word) for word in folded.split())

    def accented(self, folded: str) -> str:
        """Return a word of the vocabulary as it is usually written."""
        return self._written.get(folded, folded)

    def _nearest_word(self, word: str) -> str | None:
        alike = self._by_sound.get(sounds(word))
        if alike is not None and self._used[alike] >= _FAR_MORE_USUAL * self._count.get(word, 0):
            return alike
        if word in self._valid:
            return None
        slips = 2 if len(word) >= _LONG else 1
        found = process.extract(word, self._choices, scorer=OSA.distance, score_cutoff=slips, limit=_MOST_CANDIDATES)
        near = [
            (distance, -self._used[choice], choice)
            for choice, distance, _ in found
            if choice[0] == word[0] or distance == 1
        ]
        return min(near)[2] if near else None


@cache
def base_speller() -> Speller:
    """Return the speller over the example messages of all tenants, both languages."""
    pack = cast(dict[str, dict[str, list[str]]], read_data("base_pack.yml")["intents"])
    used: Counter[str] = Counter()
    written: dict[str, Counter[str]] = {}
    for by_language in pack.values():
        for texts in by_language.values():
            for text in texts:
                used.update(word for word in normalise(text).split() if word.isalpha())
                for word in readable(text).lower().split():
                    plain = word.strip(".,;:¿?¡!\"'()")
                    written.setdefault(fold(plain), Counter())[plain] += 1
    usual = {word: forms.most_common(1)[0][0] for word, forms in written.items()}
    return Speller(used, usual, _valid_words())


def _valid_words() -> set[str]:
    lists = cast(dict[str, str], read_data("words.yml"))
    trade = cast(dict[str, dict[str, list[str]] | str], read_data("gazetteer.yml"))
    valid = set(cast(str, read_data("real_words.yml")["words"]).split())
    valid.update(fold(word) for words in lists.values() for word in words.split())
    for section in trade.values():
        if isinstance(section, str):
            valid.update(fold(word) for word in section.split())
            continue
        for canonical, spellings in section.items():
            valid.update(word for spelling in (canonical, *spellings) for word in fold(str(spelling)).split())
    return valid
