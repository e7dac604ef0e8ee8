"""Which of the seventeen intents a message has, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import cast, get_args

import numpy as np
import numpy.typing as npt

from smarteros.agents.entities import Extraction
from smarteros.agents.features import Floats, Vectoriser
from smarteros.agents.language import LanguageDetector
from smarteros.agents.likeness import ExampleBlock, Sight
from smarteros.agents.reading import Reading, reading_of
from smarteros.agents.ridge import Doubles, Labels, Solution, best_temperature, softmax
from smarteros.agents.wordlists import read_data
from smarteros.domain.decisions import Intent, Language
from smarteros.embedders.loading import EncoderName

INTENTS: tuple[Intent, ...] = get_args(Intent)
NOT_IN_SCOPE: frozenset[Intent] = frozenset({"ambiguous", "out_of_scope"})
_SURELY = 0.97  # of what was said word for word
# An answer as sure as this is not looked at through a dearer encoder. Of the base pack's examples, each left out, as
# many are right as when all are (0.9335) with every third look spared that 0.97 asks for.
_CLEAR = 0.93
_REMEMBERED = 16  # a turn asks for the same wording up to three times

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
    """A classifier in stages: by words, then with one encoder after the other until the answer is clear.

    Immutable; the examples of all tenants (the first block) are shared, a tenant's own make a second block.
    """

    def __init__(
        self,
        vectoriser: Vectoriser,
        blocks: Sequence[ExampleBlock],
        stages: Sequence[Stage],
        sights: Sequence[Sight],
        *,
        exact: Mapping[tuple[str, ...], Intent] | None = None,
    ) -> None:
        """``stages`` run in order.

        A message that reads word for word like one of ``exact`` is what was said of that one.
        """
        self._stages = tuple(stages)
        looks = _Looks(vectoriser, tuple(blocks), self._stages, {sight.encoder: sight for sight in sights}, exact or {})
        self._scores = lru_cache(maxsize=_REMEMBERED)(looks.scores)

    @property
    def encoders(self) -> tuple[EncoderName, ...]:
        """Encoders it looks through, in the order of its stages."""
        return tuple(stage.encoder for stage in self._stages if stage.encoder is not None)

    def scores(self, extraction: Extraction, *, quickly: bool = False) -> IntentScores:
        """Score a message that was already searched for entities; ``quickly`` by the first look alone."""
        return self._scores(reading_of(extraction), quickly)

    def left_out(self) -> npt.NDArray[np.bool_]:
        """Tell for each example, block after block, whether it is understood when it is left out of the training."""
        return self._stages[-1].understood

    def left_out_accuracy(self) -> float:
        """Share of the training examples that are understood when each is left out of the training."""
        return float(self.left_out().mean())


@dataclass(frozen=True, eq=False)
class _Looks:
    """What a model scores with, apart from the model so that remembered scores do not keep it alive."""

    vectoriser: Vectoriser
    blocks: tuple[ExampleBlock, ...]
    stages: tuple[Stage, ...]
    sights: Mapping[EncoderName, Sight]
    exact: Mapping[tuple[str, ...], Intent]

    def scores(self, reading: Reading, quickly: bool) -> IntentScores:
        row = self.vectoriser.row(reading.words)
        likeness = np.concatenate([block.by_words(row) for block in self.blocks])
        found = np.zeros(len(INTENTS))
        for stage in self.stages:
            if stage.encoder is not None:
                seen = self.sights[stage.encoder].of_message(reading.sentence)
                likeness += np.concatenate([block.by_meaning(stage.encoder, seen) for block in self.blocks])
            found = stage.probabilities(likeness)
            if quickly or found.max() >= _CLEAR:
                break
        scores: dict[Intent, float] = {intent: float(p) for intent, p in zip(INTENTS, found, strict=True)}
        meant = self.exact.get(reading.words)
        return IntentScores(scores if meant is None else _surely(meant, scores))


def _surely(meant: Intent, scores: Mapping[Intent, float]) -> dict[Intent, float]:
    """Return scores under which an intent is as good as certain, the others sharing the rest as before."""
    others = 1.0 - scores[meant]
    if scores[meant] >= _SURELY or others <= 0:
        return dict(scores)
    rest = (1.0 - _SURELY) / others
    return {intent: _SURELY if intent == meant else p * rest for intent, p in scores.items()}


@dataclass(frozen=True)
class Stage:
    """One look at a message: the encoder it adds to the earlier ones, and what was learnt with them.

    ``understood`` tells of each example whether it is when it is left out of the training.
    """

    encoder: EncoderName | None
    votes: Floats
    offset: Floats
    temperature: float
    understood: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, encoder: EncoderName | None, solution: Solution, offset: Floats, labels: Labels) -> Stage:
        """Calibrate a solution."""
        temperature = best_temperature(solution.left_out, labels)
        return cls(encoder, solution.votes, offset, temperature, solution.left_out.argmax(axis=1) == labels)

    def probabilities(self, likeness: Floats) -> Doubles:
        """Return the probability of every intent for a message of this likeness to the examples."""
        scores = self.offset + likeness @ self.votes
        return softmax((scores / self.temperature).astype(np.float64)[None, :])[0]


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
def base_languages() -> LanguageDetector:
    """Return what tells Spanish from English, learnt from the base pack; tens of milliseconds the first time."""
    return LanguageDetector(examples_in("es"), examples_in("en"))


@cache
def _base_pack() -> dict[Intent, dict[Language, list[str]]]:
    return cast(dict[Intent, dict[Language, list[str]]], read_data("base_pack.yml")["intents"])
