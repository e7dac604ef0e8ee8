"""The fact lock: a text may state only what its sources state. Pure.

Compared are figures with their units, prices, dates, hours and their weekdays, links, mail addresses, phone numbers,
codes and promises ("gratis", "garantía"); see ``stated_facts``. A text that passes may still say something in words
that no source says: the lock knows nothing of meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set

from smarteros.kit.stated_facts import NUMERIC_KINDS, Fact, facts_in

_SHORTEST_NUMBER = 8


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
