"""What is learnt once for all tenants, and how a tenant's own examples are added to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np

from smarteros.agents import base_vectors
from smarteros.agents.entities import EntityExtractor
from smarteros.agents.features import Vectoriser
from smarteros.agents.intents import INTENTS, Examples, IntentModel, IntentScores, Stage, base_examples
from smarteros.agents.likeness import ByEncoder, ExampleBlock, Sight, centred, nearness
from smarteros.agents.reading import Reading, reading_of
from smarteros.agents.ridge import ClosedForm, Labels, one_hot
from smarteros.domain.decisions import Intent
from smarteros.domain.examples import LabelledExample
from smarteros.embedders.loading import Embedders, EncoderName
from smarteros.embedders.protocol import Embedder, Vectors

_STRENGTH = 1.0
# The cheap one first: what it is sure of is not looked at through the dear one.
_IN_ORDER: tuple[EncoderName, ...] = ("use", "e5")

Labelled = Mapping[Reading, Intent]


@dataclass(frozen=True)
class _Solved:
    """The examples' likeness with one more encoder, inverted."""

    encoder: EncoderName | None
    closed: ClosedForm


class SharedModel:
    """The classifier over the base pack and the examples of an installation's contracts."""

    def __init__(self, extractor: EntityExtractor, *, extra_examples: Examples | None = None) -> None:
        """Learn by words and letters alone; about a second of CPU."""
        self._extractor = extractor
        # An example given twice would vouch for itself when it is left out; the later label of it wins.
        labelled = labelled_readings(extractor, (*pairs(base_examples()), *pairs(extra_examples or {})))
        self._sentences = tuple(reading.sentence for reading in labelled)
        self._place = {reading.words: at for at, reading in enumerate(labelled)}
        self._labels = np.array([INTENTS.index(intent) for intent in labelled.values()])
        self._offset = one_hot(self._labels, len(INTENTS)).mean(axis=0)
        self._vectoriser = Vectoriser([reading.words for reading in labelled])
        self._block = ExampleBlock.of([self._vectoriser.row(reading.words) for reading in labelled], {})
        self._sights: tuple[Sight, ...] = ()
        self._kept: dict[EncoderName, Embedder] = {}
        self._solved = self._solve()
        self.model = self._relabelled(self._labels, self._solved)

    def seeing(self, embedders: Embedders) -> SharedModel:
        """Return the model that also looks through the encoders loaded by now; about a second of CPU for each."""
        seeing = copy(self)
        sights: list[Sight] = []
        vectors: dict[EncoderName, Vectors] = {}
        for name in _IN_ORDER:
            live, kept = embedders.ready(name), embedders.kept(name)
            if live is not None and kept is not None:
                found = base_vectors.vectors_of(self._sentences, kept)
                sight = Sight(name, live, found.mean(axis=0))
                vectors[name] = centred(found, sight.middle)
                sights.append(sight)
                seeing._kept = {**seeing._kept, name: kept}
        seeing._sights = tuple(sights)
        seeing._block = ExampleBlock(self._block.rows, self._block.postings, vectors)
        seeing._solved = seeing._solve()
        seeing.model = seeing._relabelled(self._labels, seeing._solved)
        return seeing

    @property
    def encoders(self) -> tuple[EncoderName, ...]:
        """Encoders it looks through."""
        return tuple(sight.encoder for sight in self._sights)

    @property
    def quick(self) -> tuple[EncoderName, ...]:
        """Encoders of the first look, which cost little."""
        return self.encoders[:1]

    def __len__(self) -> int:
        return len(self._labels)

    def labelled(self, examples: Sequence[LabelledExample]) -> Labelled:
        """Read examples as messages are read."""
        return labelled_readings(self._extractor, [(example.text, example.intent) for example in examples])

    def words_of(self, text: str) -> tuple[str, ...]:
        """Return the words of a message's reading: two messages with the same are one example."""
        return reading_of(self._extractor.extract(text)).words

    def knows(self, words: tuple[str, ...]) -> bool:
        """Tell whether an example that all tenants share reads word for word like this."""
        return words in self._place

    def scores_of(self, text: str, model: IntentModel) -> IntentScores:
        """Score a message by a model made of this one."""
        return model.scores(self._extractor.extract(text))

    def by_intent(self, examples: Iterable[tuple[str, ...]]) -> dict[Intent, list[tuple[str, ...]]]:
        """Sort those of the examples that all tenants share by intent; named as ``left_out`` names them."""
        found: dict[Intent, list[tuple[str, ...]]] = {}
        for words in examples:
            at = self._place.get(words)
            if at is not None:
                found.setdefault(INTENTS[int(self._labels[at])], []).append(words)
        return found

    def left_out(self, labelled: Labelled) -> dict[tuple[str, ...], bool]:
        """Tell of each example, the shared ones and these, whether it is understood when it is left out.

        By the quick encoders. Examples are named by the words of their reading.
        """
        model = self.extended(labelled, self.quick)
        own = [reading.words for reading in labelled if reading.words not in self._place]
        return dict(zip([*self._place, *own], model.left_out().tolist(), strict=True))

    def extended(self, labelled: Labelled, encoders: Sequence[EncoderName]) -> IntentModel:
        """Return the model with a tenant's examples, looking through these encoders: a beginning of ``encoders``.

        Of an example that the base has too, the tenant's label counts. Vectors are asked from the embedders; the
        time is theirs and a tenth of a second for some hundred examples.
        """
        labels = self._labels.copy()
        own: dict[Reading, int] = {}
        for reading, intent in labelled.items():
            at = self._place.get(reading.words)
            if at is None:
                own[reading] = INTENTS.index(intent)
            else:
                labels[at] = INTENTS.index(intent)
        exact: dict[tuple[str, ...], Intent] = {reading.words: intent for reading, intent in labelled.items()}
        solved = [found for found in self._solved if found.encoder is None or found.encoder in encoders]
        if not own:
            return self._relabelled(labels, solved, exact=exact)
        labels = np.concatenate((labels, np.array(list(own.values()), dtype=labels.dtype)))
        vectoriser = Vectoriser([reading.words for reading in own], base=self._vectoriser)
        rows = [vectoriser.row(reading.words) for reading in own]
        block = ExampleBlock.of(rows, self._vectors_of([reading.sentence for reading in own], encoders))
        between = np.stack([self._block.by_words(row) for row in rows], axis=1)
        within = block.among_themselves(vectoriser.size)
        wanted = one_hot(labels, len(INTENTS))
        stages: list[Stage] = []
        for found in solved:
            if found.encoder is not None:
                seen = block.vectors[found.encoder].astype(np.float32)
                between += self._block.by_meaning(found.encoder, seen)
                within += block.by_meaning(found.encoder, seen)
            solution = found.closed.solve_with(between, within, wanted, self._offset)
            stages.append(Stage.of(found.encoder, solution, self._offset, labels))
        return IntentModel(vectoriser, [self._block, block], stages, self._sights, exact=exact)

    def _relabelled(
        self, labels: Labels, solved: Sequence[_Solved], *, exact: Mapping[tuple[str, ...], Intent] | None = None
    ) -> IntentModel:
        wanted = one_hot(labels, len(INTENTS))
        stages = [
            Stage.of(found.encoder, found.closed.solve(wanted, self._offset), self._offset, labels) for found in solved
        ]
        return IntentModel(self._vectoriser, [self._block], stages, self._sights, exact=exact)

    def _solve(self) -> list[_Solved]:
        """Invert the likeness of the examples, once by words alone or else once for every encoder that is added."""
        gram = self._block.among_themselves(self._vectoriser.size)
        if not self._sights:
            return [_Solved(None, ClosedForm(gram, strength=_STRENGTH))]
        solved: list[_Solved] = []
        for sight in self._sights:
            vectors = self._block.vectors[sight.encoder].astype(np.float32, copy=False)
            gram += nearness(vectors @ vectors.T)
            own = gram if sight is self._sights[-1] else gram.copy()
            solved.append(_Solved(sight.encoder, ClosedForm(own, strength=_STRENGTH)))
        return solved

    def _vectors_of(self, sentences: Sequence[str], encoders: Sequence[EncoderName]) -> ByEncoder:
        """Return vectors of a tenant's examples, in half precision: a tenant must stay small."""
        return {
            sight.encoder: centred(self._kept[sight.encoder].queries(sentences), sight.middle).astype(np.float16)
            for sight in self._sights
            if sight.encoder in encoders
        }


def labelled_readings(extractor: EntityExtractor, examples: Sequence[tuple[str, Intent]]) -> dict[Reading, Intent]:
    """Return the readings of examples; of several that read alike the last one's label."""
    by_words: dict[tuple[str, ...], tuple[Reading, Intent]] = {}
    for text, intent in examples:
        reading = reading_of(extractor.extract(text))
        by_words[reading.words] = (by_words[reading.words][0] if reading.words in by_words else reading, intent)
    return dict(by_words.values())


def pairs(examples: Examples) -> list[tuple[str, Intent]]:
    """List examples one by one."""
    return [(text, intent) for intent, texts in examples.items() for text in texts]
