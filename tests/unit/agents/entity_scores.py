"""Scores of entity extraction over a labelled file: micro-averaged precision, recall and F1."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

import yaml
from tests.unit.agents.talk import DATA

from smarteros.agents.entities import EntityExtractor

TODAY = date(2025, 11, 17)  # a Monday


@dataclass
class Scores:
    """Counts of values: found and right, found and wrong, missed; by kind of entity and with what went wrong."""

    right: Counter[str] = field(default_factory=Counter[str])
    wrong: Counter[str] = field(default_factory=Counter[str])
    missed: Counter[str] = field(default_factory=Counter[str])
    mistakes: list[str] = field(default_factory=list[str])

    @property
    def micro_f1(self) -> float:
        """Harmonic mean of precision and recall over all values together."""
        right = self.right.total()
        return 2 * right / (2 * right + self.wrong.total() + self.missed.total())


def labelled_entities(name: str) -> list[tuple[str, bool, dict[str, str]]]:
    """Read messages with whether the talk is of sizes and what is in them, values as text."""
    rows = cast(list[dict[str, Any]], yaml.safe_load((DATA / f"{name}.yml").read_text("utf-8")))
    return [
        (
            cast(str, row["text"]),
            bool(row.get("about_sizes")),
            {kind: str(value) for kind, value in row.items() if kind not in {"text", "about_sizes"}},
        )
        for row in rows
    ]


def entity_scores(extractor: EntityExtractor, name: str) -> Scores:
    """Extract every message of a labelled file and compare."""
    scores = Scores()
    for text, about_sizes, wanted in labelled_entities(name):
        entities = extractor.extract(text, today=TODAY, about_sizes=about_sizes).entities
        found = {kind: str(value) for kind, value in entities.model_dump(exclude_none=True).items()}
        for kind, value in found.items():
            (scores.right if wanted.get(kind) == value else scores.wrong)[kind] += 1
        for kind, value in wanted.items():
            if found.get(kind) != value:
                scores.missed[kind] += 1
        if found != wanted:
            scores.mistakes.append(f"{text!r}: {found} instead of {wanted}")
    return scores
