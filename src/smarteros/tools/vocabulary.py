"""How customers name things: singular forms, synonyms, spellings and colours (data: ``words.yml``)."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from smarteros.domain.model import Model
from smarteros.kit.text import fold

_WORD = re.compile(r"\d+[.,]\d+|[^\W_]+")
_SHORTEST_PLURAL = 4
_SHORTEST_PREFIX = 4
_ACCENT_OF_LAST_VOWEL = str.maketrans("aeiou", "áéíóú")


class Vocabulary(Model):
    """The lists of ``words.yml``, keyed by folded singular; ``known`` are all synonyms and colours."""

    stop: frozenset[str]
    cheap: frozenset[str]
    synonyms: dict[str, tuple[str, ...]]
    spellings: dict[str, str]
    colours: dict[str, str]
    things: frozenset[str]
    known: frozenset[str]


def words_of(text: str) -> list[str]:
    """Split a text into lower-case words, accents kept."""
    # Normalised first: afterwards nothing can turn into another character that acts as syntax (¼, ：).
    return _WORD.findall(unicodedata.normalize("NFKC", text.lower()))


def singular(word: str) -> str:
    """Return the folded singular of a noun or adjective, or a beginning of it.

    ``zapatillas`` becomes ``zapatilla``, ``botines`` becomes ``botin``; ``lentes`` becomes ``lent``, which is harmless
    because words are compared by their beginnings.
    """
    plain = fold(word)
    known = load_vocabulary().known
    return next((plain[:-cut] for cut in (1, 2) if plain.endswith("s") and plain[:-cut] in known), _stem(plain))


def spellings_of(term: str, typed: str) -> tuple[str, ...]:
    """Return the words to search for a term: itself, its synonyms, each also as it is written with its accents.

    A shop's search may not ignore accents, so ``typed`` (the customer's own spelling) is tried as well.
    """
    vocabulary = load_vocabulary()
    found: dict[str, None] = {term: None}
    if fold(typed) == term:
        found.setdefault(typed)
    for word in (term, *vocabulary.synonyms.get(term, ())):
        plain = _stem(fold(word))
        for spelling in (plain, vocabulary.spellings.get(plain, plain), _accented(plain)):
            found.setdefault(spelling)
    return tuple(found)


def resemblance(term: str, words: frozenset[str]) -> int:
    """Tell how well folded words name a term: 2 in its own word, 1 in a synonym, 0 not at all."""
    if _named(term, words):
        return 2
    return int(any(_named(_stem(fold(word)), words) for word in load_vocabulary().synonyms.get(term, ())))


def is_prefix(word: str) -> bool:
    """Tell whether longer words may be meant too; the short ones (``run``, ``men``) begin too many others."""
    return len(word) >= _SHORTEST_PREFIX


def colour_of(word: str) -> str | None:
    """Return the usual name of the colour a word means (``negras`` is ``negro``), or None."""
    return load_vocabulary().colours.get(singular(word))


@cache
def load_vocabulary() -> Vocabulary:
    """Read ``words.yml``."""
    raw: dict[str, Any] = yaml.safe_load(files("smarteros.tools").joinpath("words.yml").read_text("utf-8"))
    groups: list[tuple[str, ...]] = [tuple(group) for group in raw["synonyms"]]
    spelled = [*raw["spellings"], *(word for group in groups for word in group)]
    colours = {_stem(fold(form)): fold(name) for name, forms in raw["colours"].items() for form in (name, *forms)}
    synonyms = {_stem(fold(word)): group for group in groups for word in group}
    return Vocabulary(
        stop=frozenset(fold(word) for word in raw["stop"].split()),
        cheap=frozenset(raw["cheap"]),
        synonyms=synonyms,
        spellings={_stem(fold(word)): word for word in spelled if fold(word) != word},
        colours=colours,
        things=frozenset(raw["things"]),
        known=frozenset(synonyms) | frozenset(colours),
    )


def _stem(plain: str) -> str:
    if len(plain) < _SHORTEST_PLURAL or not plain.endswith("s") or plain.endswith(("ss", "is")):
        return plain
    if plain.endswith("ces"):
        return plain[:-3] + "z"
    return plain[:-2] if plain.endswith("es") and len(plain) > _SHORTEST_PLURAL else plain[:-1]


def _named(term: str, words: frozenset[str]) -> bool:
    if is_prefix(term):
        return any(word.startswith(term) for word in words)
    return term in words or f"{term}s" in words


def _accented(plain: str) -> str:
    """Accent the last syllable of words like ``botin`` and ``pantalon``: most nouns that end so carry it."""
    if len(plain) > _SHORTEST_PLURAL and plain[-1] == "n" and plain[-2] in "aio":
        return plain[:-2] + plain[-2].translate(_ACCENT_OF_LAST_VOWEL) + "n"
    return plain
