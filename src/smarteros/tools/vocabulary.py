"""How customers name things: singular forms, synonyms, spellings and colours.

The data: ``words.yml``, and the kinds of things of each trade in ``trades/*.yml``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from smarteros.agents.gazetteer import base_gazetteer
from smarteros.agents.wordlists import read_list
from smarteros.domain.model import Model
from smarteros.kit.text import fold

_WORD = re.compile(r"\d+[.,]\d+|[^\W_]+")
_SHORTEST_PLURAL = 4
_SHORTEST_PREFIX = 4
_ACCENT_OF_LAST_VOWEL = str.maketrans("aeiou", "áéíóú")


class Vocabulary(Model):
    """The lists of ``words.yml`` and of the trades, keyed by folded singular.

    ``phrase`` finds the ``phrases`` in a folded text, ``accented`` are words that mean nothing without their accent.
    ``known`` are all words with a meaning here, ``spoken`` the same as customers write them. ``us_men`` and
    ``us_women`` give the sizes here, the nearest first.
    """

    stop: frozenset[str]
    cheap: frozenset[str]
    dear: frozenset[str]
    genders: dict[str, str]
    phrases: dict[str, str]
    phrase: re.Pattern[str]
    accented: dict[str, str]
    synonyms: dict[str, tuple[str, ...]]
    spellings: dict[str, str]
    colours: dict[str, str]
    complements: dict[str, tuple[str, ...]]
    things: frozenset[str]
    known: frozenset[str]
    spoken: frozenset[str]
    us_men: dict[str, tuple[str, ...]]
    us_women: dict[str, tuple[str, ...]]
    letter_sizes: dict[str, str]


def words_of(text: str) -> list[str]:
    """Split a text into lower-case words, accents kept."""
    # Normalised first: afterwards nothing can turn into another character that acts as syntax (¼, ：).
    return _WORD.findall(unicodedata.normalize("NFKC", text.lower()))


def without_accents(text: str) -> str:
    """Fold a text; what would then be another word is written as one the lists know (``té`` is no ``te``)."""
    accented = load_vocabulary().accented
    return fold(_WORD.sub(lambda word: accented.get(word[0], word[0]), unicodedata.normalize("NFKC", text.lower())))


def in_usual_words(folded: str) -> str:
    """Write what is said in several words, or in a word of another country, in those the lists know.

    ``frying pans`` are ``sartenes``, and a shop's "Air Fryer" is a ``freidora`` as well: customers' words and the names
    of products are both read so.
    """
    return load_vocabulary().phrase.sub(_usual, folded)


def _usual(said: re.Match[str]) -> str:
    return _meant_by(said[0])


@lru_cache(maxsize=2_000)
def _meant_by(said: str) -> str:
    phrases = load_vocabulary().phrases
    return next(meant for name, meant in phrases.items() if re.fullmatch(_in_any_number(name), said))


def singular(word: str) -> str:
    """Return the folded singular of a noun or adjective, or a beginning of it.

    ``zapatillas`` becomes ``zapatilla``, ``botines`` becomes ``botin``; ``lentes`` becomes ``lent``, which is harmless
    because words are compared by their beginnings.
    """
    plain = fold(word)
    known = load_vocabulary().known
    if plain in known:
        return plain
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
        if plain.endswith("z"):  # the others are beginnings of their plurals
            found.setdefault(plural_of(plain))
    return tuple(found)


def is_named(term: str, words: frozenset[str]) -> bool:
    """Tell whether one of these folded words is the term, begins with it, or is the adjective's other gender."""
    if any(form in words for form in forms_of(term)):
        return True
    return is_prefix(term) and any(word.startswith(term) for word in words)


def forms_of(term: str) -> tuple[str, ...]:
    """Return a folded word and its plural, and both in the adjective's other gender: ``luz`` is also ``luces``."""
    singulars = dict.fromkeys((term, other_gender(term)))
    return tuple(form for one in singulars for form in (one, plural_of(one)))


def plural_of(term: str) -> str:
    """Return the plural of a folded word as it is compared; endings in a consonant are found as beginnings."""
    return f"{term[:-1]}ces" if term.endswith("z") else f"{term}s"


def other_gender(term: str) -> str:
    """Return an adjective in its other gender (``deportiva``, ``deportivo``); other words as they are."""
    return term[:-1] + {"a": "o", "o": "a"}.get(term[-1], term[-1])


def synonyms_of(term: str) -> tuple[str, ...]:
    """Return the folded singulars of the other words for a term."""
    synonyms = load_vocabulary().synonyms
    others = (_stem(fold(word)) for word in synonyms.get(term) or synonyms.get(other_gender(term), ()))
    return tuple(word for word in others if word != term)


def kind_of(term: str) -> str | None:
    """Return the folded singular of the kind of thing a word names in the trade's own list, or None.

    ``terno`` is a ``traje``. Wider than a synonym: it serves when the shop has nothing under the word itself.
    """
    mentions = base_gazetteer().find(term)
    return singular(words_of(mentions[0].value)[0]) if mentions and mentions[0].kind == "category" else None


def is_prefix(word: str) -> bool:
    """Tell whether longer words may be meant too; the short ones (``run``, ``men``) begin too many others."""
    return len(word) >= _SHORTEST_PREFIX


def colour_of(word: str) -> str | None:
    """Return the usual name of the colour a word means (``negras`` is ``negro``), or None."""
    return load_vocabulary().colours.get(singular(word))


def gender_of(word: str) -> str | None:
    """Return for whom a thing is that a word says (``dama`` is ``mujer``), or None."""
    return load_vocabulary().genders.get(singular(word))


@lru_cache(maxsize=500)
def size_names(size: str) -> tuple[str, ...]:
    """Return a normal size and what else a shop may call it: ``m`` is also ``mediana``."""
    return (size, *(word for word, letter in load_vocabulary().letter_sizes.items() if letter == size))


def is_known(word: str) -> bool:
    """Tell whether a folded word means something here, in singular or plural."""
    vocabulary = load_vocabulary()
    term = singular(word)
    return word in vocabulary.stop or neuter(term) in vocabulary.cheap | vocabulary.dear or term in vocabulary.known


def neuter(term: str) -> str:
    """Return the masculine of an adjective."""
    return term[:-1] + "o" if term.endswith("a") else term


@cache
def load_vocabulary() -> Vocabulary:
    """Read ``words.yml`` and the lists of the trades."""
    raw, trades = _lists()
    groups = _by_first_word(group for lists in (raw, *trades) for group in lists["synonyms"])
    phrases = {fold(said): fold(meant) for lists in (raw, *trades) for said, meant in lists["phrases"].items()}
    spelled = [*raw["spellings"], *(word for group in groups for word in group)]
    colours = {_stem(fold(form)): fold(name) for name, forms in raw["colours"].items() for form in (name, *forms)}
    genders = {_stem(fold(form)): fold(name) for name, forms in raw["genders"].items() for form in (name, *forms)}
    synonyms: dict[str, tuple[str, ...]] = {}
    for word, others in [(word, group) for group in groups for word in group] + list(raw["wider"].items()):
        key = _stem(fold(word))
        synonyms[key] = tuple(dict.fromkeys((*synonyms.get(key, ()), *others)))
    known = {*synonyms, *colours, *genders}
    plurals = {f"{word}{'s' if word[-1] in 'aeiou' else 'es'}" for word in known if not word.endswith("s")}
    return Vocabulary(
        stop=frozenset(fold(word) for word in raw["stop"].split()),
        cheap=frozenset(raw["cheap"]),
        dear=frozenset(raw["dear"]),
        genders=genders,
        phrases=phrases,
        phrase=_any_of(phrases),
        accented=raw["accented"],
        synonyms=synonyms,
        spellings={_stem(fold(word)): word for word in spelled if fold(word) != word},
        colours=colours,
        complements={
            _stem(fold(kind)): tuple(_stem(fold(o)) for o in with_it) for kind, with_it in raw["complements"].items()
        },
        things=frozenset(raw["things"]),
        known=frozenset(known),
        spoken=frozenset(known | plurals),
        us_men=raw["us_men"],
        us_women=raw["us_women"],
        letter_sizes={fold(word): size for word, size in raw["letter_sizes"].items()},
    )


def _lists() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what ``words.yml`` holds, and each trade's ``phrases`` and ``synonyms``."""
    folder = files("smarteros.tools")
    trades = sorted(folder.joinpath("trades").iterdir(), key=lambda file: file.name)
    return read_list(folder.joinpath("words.yml")), [read_list(file) for file in trades]


def _by_first_word(groups: Iterable[list[str]]) -> list[tuple[str, ...]]:
    """Put groups of the same first word together: what a trade adds to a kind of thing of another list."""
    joined: dict[str, list[str]] = {}
    for group in groups:
        joined.setdefault(group[0], []).extend(group)
    return [tuple(dict.fromkeys(group)) for group in joined.values()]


def _any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    """Return what finds folded phrases; the longest wins."""
    said = "|".join(map(_in_any_number, sorted(phrases, key=len, reverse=True)))
    return re.compile(rf"\b(?:{said})\b")


def _in_any_number(phrase: str) -> str:
    """Write a folded phrase as an expression: in singular and plural, in one word or several."""
    return re.escape(phrase).replace(r"\ de\ ", "s?(?: de)? ").replace(r"\ ", "s?[ -]?") + "(?:e?s)?"


def _stem(plain: str) -> str:
    if len(plain) < _SHORTEST_PLURAL or not plain.endswith("s") or plain.endswith(("ss", "is")):
        return plain
    if plain.endswith("ces"):
        return plain[:-3] + "z"
    return plain[:-2] if plain.endswith("es") and len(plain) > _SHORTEST_PLURAL else plain[:-1]


def _accented(plain: str) -> str:
    """Accent the last syllable of words like ``botin`` and ``pantalon``: most nouns that end so carry it."""
    if len(plain) > _SHORTEST_PLURAL and plain[-1] == "n" and plain[-2] in "aio":
        return plain[:-2] + plain[-2].translate(_ACCENT_OF_LAST_VOWEL) + "n"
    return plain
