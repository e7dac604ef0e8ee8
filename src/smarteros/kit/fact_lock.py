"""The fact lock: a text may state only what its sources state. Pure.

Compared are figures with their units, prices, dates, hours and their weekdays, links, mail addresses, phone numbers,
codes and promises ("gratis", "garantía"); see ``stated_facts``. A text that passes may still say something in words
that no source says: the lock knows nothing of meaning. Of things with a name (products) it also sees when one is said
to have what only another one has.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from smarteros.kit.number_words import numbers_as_digits
from smarteros.kit.stated_facts import NUMERIC_KINDS, Fact, facts_in
from smarteros.kit.text import fold

_SHORTEST_NUMBER = 8
_LEAST_LETTERS = 4
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n")
_CLAUSE = re.compile(r",\s|\s(?:y|e|o|and|or|mientras(?: que)?|pero|but|while|whereas)\s")
_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True)
class Thing:
    """Something that was looked up by its name, and the facts found of it."""

    name: str
    facts: frozenset[Fact]


def borrowed_facts(text: str, things: Sequence[Thing]) -> tuple[Fact, ...]:
    """Return what ``text`` says of one of the things and only another one has, sorted: a price, a stock, a link.

    A sentence is about the things it names, by a word that no other name has; one that names none goes on about those
    of the sentence before. What is said before any is named is about all of them. Of a sentence that names several each
    clause is looked at: "la azul cuesta 34.990 y la negra 39.990" has every price and no right one.
    """
    telling = _telling_words(things)
    borrowed: set[Fact] = set()
    about: list[Thing] = []
    for sentence in (part for whole in _SENTENCE.split(text) for part in _clauses(whole, telling)):
        about = [thing for thing, words in zip(things, telling, strict=True) if words & _said(sentence)] or about
        if not about:
            continue
        own = {fact for thing in about for fact in thing.facts}
        others = {fact for thing in things if thing not in about for fact in thing.facts}
        borrowed |= {fact for fact in facts_in(sentence) if not _supported(fact, own) and _supported(fact, others)}
    return tuple(sorted(borrowed))


def _clauses(sentence: str, telling: Sequence[frozenset[str]]) -> list[str]:
    """Return the clauses of a sentence that names several things, each with its figures as digits; else it as it is.

    One without a figure goes with the next: "la azul y la negra están a 39.990 y 34.990" is about both.
    """
    if sum(bool(words & _said(sentence)) for words in telling) < 2:
        return [sentence]
    clauses, begun = list[str](), ""
    for part in _CLAUSE.split(numbers_as_digits(fold(sentence))):
        begun = f"{begun} {part}"
        if facts_in(part):
            clauses.append(begun)
            begun = ""
    return [*clauses, begun]


def _said(text: str) -> set[str]:
    return {_stem(word) for word in _WORD.findall(fold(_without_links(text)))}


def _without_links(sentence: str) -> str:
    """Leave out what is no word of a name: the link of a thing often holds one."""
    return " ".join(part for part in sentence.split() if all(fact.kind != "link" for fact in facts_in(part)))


def _telling_words(things: Sequence[Thing]) -> list[frozenset[str]]:
    """Return the words of each thing's name that tell it from the others."""
    names = [
        frozenset(_stem(word) for word in _WORD.findall(fold(thing.name)) if len(word) >= _LEAST_LETTERS)
        for thing in things
    ]
    counts = Counter(word for words in names for word in words)
    return [frozenset(word for word in words if counts[word] == 1) for words in names]


def _stem(word: str) -> str:
    """Cut off gender and number: "la negra" is "Training Negro"."""
    return word.rstrip("s").rstrip("aoe")


def unsupported_facts(text: str, sources: Iterable[str], *, also: Iterable[Fact] = ()) -> tuple[Fact, ...]:
    """Return what ``text`` states and no source does, sorted; empty when the text may be said.

    ``also`` are facts from structured results (a price field, a date) that stand beside the texts. A figure without
    unit needs the same figure in any unit; one with a unit needs it in the same unit, except that 18 hours of a
    timetable are 18:00. A date without year needs that day in any year. A host needs a link to it.
    Sources are read only until nothing is missing.
    """
    known, stated = set(also), facts_in(text)
    missing = {fact for fact in stated if not _supported(fact, known)}
    for source in sources:
        if not missing:
            break
        found = facts_in(source)
        missing = {fact for fact in missing if not _supported(fact, found)}
    return tuple(sorted(missing))


def _supported(fact: Fact, known: Set[Fact]) -> bool:
    return fact in known or any(_says(other, fact) for other in known)


def _says(known: Fact, stated: Fact) -> bool:
    """Tell whether a known fact says what is stated in another form."""
    if stated.kind == "number":
        return known.kind in NUMERIC_KINDS and known.value == stated.value
    if {known.kind, stated.kind} == {"time", "hour"}:
        return _full_hour(known) is not None and _full_hour(known) == _full_hour(stated)
    if stated.kind == "month":
        return known.kind == "date" and known.value[-5:-3] == stated.value
    if known.kind != stated.kind:
        return False
    return _same_but_shorter(known.value, stated.value, stated.kind)


def _same_but_shorter(known: str, stated: str, kind: str) -> bool:
    if kind == "date":
        return stated.startswith("--") and known[-5:] == stated[-5:]
    if kind == "link":
        return stated == re.split(r"[/?#]", known, maxsplit=1)[0]
    return kind == "digits" and _same_number(known, stated)


def _full_hour(fact: Fact) -> str | None:
    hour, _, minute = fact.value.partition(":")
    return str(int(hour)) if hour.isdigit() and minute in ("", "00") else None


def _same_number(one: str, other: str) -> bool:
    """A phone number is the same with and without its country code."""
    shorter = min(len(one), len(other))
    return shorter >= _SHORTEST_NUMBER and (one.endswith(other) or other.endswith(one))
