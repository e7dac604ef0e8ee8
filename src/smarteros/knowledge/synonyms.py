"""Which other words a question may be answered in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import cast

import yaml

from smarteros.domain.decisions import Language
from smarteros.knowledge.terms import stems

SYNONYM_WEIGHT = 0.6  # of a word found in other words, against the word itself


def expanded(question: str, language: Language) -> dict[str, float]:
    """Return the stems of a question and of its synonyms, each with its weight."""
    asked = dict.fromkeys(stems(question, language), 1.0)
    table = _synonyms(language)
    for stem in tuple(asked):
        for synonym in table.get(stem, ()):
            asked.setdefault(synonym, SYNONYM_WEIGHT)
    return asked


@cache
def _synonyms(language: Language) -> Mapping[str, frozenset[str]]:
    """Read the groups, as stems in one language; the words of the other stem to what never occurs, harmlessly."""
    raw = yaml.safe_load(files("smarteros.knowledge").joinpath("data/synonyms.yml").read_text("utf-8"))
    table: dict[str, set[str]] = {}
    for group in cast(list[list[str]], raw):
        members = {stem for word in group for stem in stems(word, language)}
        for stem in members:
            table.setdefault(stem, set()).update(members)
    return {stem: frozenset(members) for stem, members in table.items()}
