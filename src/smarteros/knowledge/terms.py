"""Word stems and letter groups of a text: the two views under which passages and questions are compared."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import Protocol, cast

import Stemmer  # pyright: ignore[reportMissingImports]
import yaml

from smarteros.domain.decisions import Language
from smarteros.kit.text import fold

_WORD = re.compile(r"[a-z0-9]+")
_STEMMER_NAME: dict[Language, str] = {"es": "spanish", "en": "english"}
_GROUP_SIZES = (3, 4, 5)
_LONGEST_KEPT = 24  # letters; the groups of a longer word are not kept, or a few strangers could fill the memory


class _SnowballStemmer(Protocol):
    """The part of PyStemmer used here; the package ships no types."""

    def stemWord(self, word: str, /) -> str: ...


class _Stemmers:
    """Snowball stemmers by language. They are not safe to share between threads, hence the lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_language: dict[Language, _SnowballStemmer] = {
            language: cast(_SnowballStemmer, Stemmer.Stemmer(name))  # pyright: ignore[reportUnknownMemberType]
            for language, name in _STEMMER_NAME.items()
        }

    def stem(self, word: str, language: Language) -> str:
        with self._lock:
            return self._by_language[language].stemWord(word)


_STEMMERS = _Stemmers()


@cache
def _stop_words() -> dict[Language, frozenset[str]]:
    raw = yaml.safe_load(files("smarteros.knowledge").joinpath("data/stop_words.yml").read_text("utf-8"))
    return {language: frozenset(words.split()) for language, words in cast(dict[Language, str], raw).items()}


@lru_cache(maxsize=20_000)
def _stem(word: str, language: Language) -> str:
    return _STEMMERS.stem(word, language)


def _groups_of_word(word: str) -> tuple[str, ...]:
    padded = f" {word} "
    return tuple(
        padded[start : start + size] for size in _GROUP_SIZES for start in range(max(1, len(padded) - size + 1))
    )


_known_groups = lru_cache(maxsize=20_000)(_groups_of_word)


def stems(text: str, language: Language) -> Iterator[str]:
    """Yield the stems of a text's content words. Folded first: "garantía" and "garantia" must meet."""
    stop_words = _stop_words()[language]
    for word in _WORD.findall(fold(text)):
        if word not in stop_words:
            yield _stem(word, language)


def letter_groups(text: str) -> Iterator[str]:
    """Yield groups of 3 to 5 letters within words: two spellings of one word still share most of them."""
    for word in _WORD.findall(fold(text)):
        yield from _known_groups(word) if len(word) <= _LONGEST_KEPT else _groups_of_word(word)
