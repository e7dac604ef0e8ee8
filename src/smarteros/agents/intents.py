"""Which of the seventeen intents a message has, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast, get_args

import numpy as np

from smarteros.agents.entities import EntityExtractor, Extraction
from smarteros.agents.features import Vectoriser
from smarteros.agents.normalise import words_of
from smarteros.agents.ridge import Training, train_ridge
from smarteros.agents.wordlists import read_data
from smarteros.domain.decisions import Intent, Language

INTENTS: tuple[Intent, ...] = get_args(Intent)
NOT_IN_SCOPE: frozenset[Intent] = frozenset({"ambiguous", "out_of_scope"})
_STRENGTH = 1.0
_MARKED = frozenset(
    {"category", "color", "brand", "gender", "size", "price", "place", "invoice_number", "order_number", "model",
     "phone", "email", "rut", "quantity", "date"}
)  # fmt: skip

Examples = Mapping[Intent, Sequence[str]]


@dataclass(frozen=True)
class IntentScores:
    """Probabilities of all intents for one message, summing to one."""

    probabilities: dict[Intent, float]

    @property
    def best(self) -> Intent:
        """The most probable intent."""
        return max(self.probabilities, key=self.probabilities.__getitem__)

    @property
    def best_in_scope(self) -> Intent:
        """The most probable intent that a shop can serve."""
        return self.ranked_in_scope()[0]

    @property
    def confidence(self) -> float:
        """Probability of the best intent in scope: "¿Cómo?" is surely ambiguous, which is not to be sure of it."""
        return self.probabilities[self.best_in_scope]

    def ranked_in_scope(self) -> list[Intent]:
        """Return the intents in scope, most probable first."""
        return sorted(
            (intent for intent in self.probabilities if intent not in NOT_IN_SCOPE),
            key=self.probabilities.__getitem__,
            reverse=True,
        )


class IntentModel:
    """The classifier over the base pack and, where given, a tenant's own examples."""

    def __init__(self, extractor: EntityExtractor, *, extra_examples: Examples | None = None) -> None:
        self._extractor = extractor
        # An example given twice would vouch for itself when it is left out; the tenant's label of it wins.
        labelled: dict[tuple[str, ...], Intent] = {}
        for text, intent in (*_pairs(base_examples()), *_pairs(extra_examples or {})):
            labelled[tuple(classifier_words(extractor.extract(text)))] = intent
        corpus = list(labelled)
        self._vectoriser = Vectoriser(corpus)
        self.labels = tuple(INTENTS.index(intent) for intent in labelled.values())
        self.training: Training = train_ridge(
            [self._vectoriser.row(words) for words in corpus],
            self.labels,
            width=self._vectoriser.size,
            classes=len(INTENTS),
            strength=_STRENGTH,
        )

    def scores(self, extraction: Extraction) -> IntentScores:
        """Score a message that was already searched for entities."""
        row = self._vectoriser.row(classifier_words(extraction))
        found = self.training.model.probabilities(row)
        return IntentScores({intent: float(p) for intent, p in zip(INTENTS, found, strict=True)})

    def left_out_accuracy(self) -> float:
        """Share of the training examples that are understood when each is left out of the training."""
        return float((self.training.left_out.argmax(axis=1) == np.asarray(self.labels)).mean())


def classifier_words(extraction: Extraction) -> list[str]:
    """Return the words of a message, each find followed by its kind: "talla 42" and "talla M" end up alike."""
    words: list[str] = []
    at = 0
    for span in extraction.spans:
        if span.start < at or span.kind not in _MARKED:
            continue
        words += words_of(extraction.folded[at : span.end])
        words.append(f"<{span.kind}>")
        at = span.end
    words += words_of(extraction.folded[at:])
    plain = ["<number>" if word[0].isdigit() else word for word in words]
    # "hola hola hola" says no more than "hola", and a held-down key must not look like strong evidence.
    return [word for word, following in zip(plain, [*plain[1:], ""], strict=False) if word != following]


@cache
def base_examples() -> dict[Intent, tuple[str, ...]]:
    """Read the example messages shared by all tenants, both languages together."""
    return {
        intent: tuple(text for texts in by_language.values() for text in texts)
        for intent, by_language in _base_pack().items()
    }


@cache
def examples_in(language: Language) -> tuple[str, ...]:
    """Read all example messages of one language."""
    return tuple(text for by_language in _base_pack().values() for text in by_language[language])


@cache
def _base_pack() -> dict[Intent, dict[Language, list[str]]]:
    return cast(dict[Intent, dict[Language, list[str]]], read_data("base_pack.yml")["intents"])


def _pairs(examples: Examples) -> list[tuple[str, Intent]]:
    return [(text, intent) for intent, texts in examples.items() for text in texts]
