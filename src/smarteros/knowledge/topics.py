"""Which of some seventy matters a text is about: "how much is shipping" and "from when is it free" are two.

The intents are too coarse to choose among a shop's forty answers. Questions and passages are both compared with the
phrasings in ``data/topics.yml``; what they have in common there counts beside the words they share. A closed-form
kernel classifier: words and letters always, sentence vectors as soon as the encoder is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import cast, get_args

import numpy as np
import yaml

from smarteros.agents.normalise import normalise
from smarteros.domain.knowledge import Category
from smarteros.embedders.protocol import Embedder
from smarteros.knowledge.postings import Floats, Postings, tfidf_postings
from smarteros.knowledge.terms import letter_groups

_ELSEWHERE = "elsewhere"  # the topic of what is no matter of shops
_RIDGE = 1.0
_SHARPNESSES = (4, 6, 8, 10, 12, 15, 20, 25, 30)  # of the softmax; the one that fits left-out phrasings best is taken
_WORD = re.compile(r"[a-z0-9]+")
_AT_ONCE = 16
_SAID_TOO = 0.6  # of a passage about a general matter: how far it is about those it comprises


@dataclass(frozen=True)
class Topics:
    """A trained classifier; only read, so threads may share it."""

    categories: tuple[Category, ...]
    words: Postings
    letters: Postings
    duals: Floats
    sharpness: float
    vectors: Floats | None = None
    elsewhere: int = -1
    comprised: Floats | None = None  # one row per topic: which others a passage about it speaks of as well

    def in_common(self, asked: Floats, texts: Floats) -> Floats:
        """Return the probability that a question (one row) and each text are about one matter of a shop.

        A text about a general matter ("how to contact us") is also about what it comprises (the phone).
        """
        of_shops = asked.copy()
        of_shops[self.elsewhere] = 0
        if self.comprised is not None:
            of_shops += _SAID_TOO * (self.comprised @ of_shops)
        return np.minimum(texts @ of_shops, np.float32(1))

    def of_shops(self, asked: Floats) -> float:
        """Return the probability that a question (one row) is about a matter of shops at all."""
        return 1.0 - float(asked[self.elsewhere])

    def probabilities(self, texts: Sequence[str], vectors: Floats | None = None) -> Floats:
        """Return one row per normalised text (there must be one), one column per topic, each row summing to one.

        ``vectors`` are the texts' sentence vectors, needed when the classifier was trained with them.
        """
        kernel = np.stack([self.alike(text) for text in texts])
        if self.vectors is not None and vectors is not None:
            kernel = kernel + vectors @ self.vectors.T
        return _softmax(np.asarray(kernel @ self.duals, dtype=np.float32), self.sharpness)

    def by_category(self, probabilities: Floats) -> dict[Category, float]:
        """Sum one row's probabilities by category."""
        sums: dict[Category, float] = dict.fromkeys(get_args(Category), 0.0)
        for category, probability in zip(self.categories, probabilities, strict=True):
            sums[category] += float(probability)
        return sums

    def alike(self, text: str) -> Floats:
        """Return how alike a normalised text is to each phrasing by its words and letters."""
        sums = self.words.cosine(_word_features(text)) + self.letters.cosine(letter_groups(text))
        return np.asarray(sums / 2, dtype=np.float32)


@cache
def lexical_topics() -> Topics:
    """Train on words and letters alone, some 0.3 s; kept for the life of the process."""
    return _trained(None)


def topics_with(embedder: Embedder) -> Topics:
    """Train with sentence vectors of the phrasings as well, some 1.5 s of CPU where they are not kept."""
    return _trained(in_batches(embedder.queries, _phrasings()[1]))


def in_batches(embed: Callable[[Sequence[str]], Floats], texts: Sequence[str]) -> Floats:
    """Embed texts a few at a time: an encoder holds every layer of all texts of a call in memory."""
    parts = [embed(texts[start : start + _AT_ONCE]) for start in range(0, len(texts), _AT_ONCE)]
    return np.concatenate(parts) if parts else embed(texts)


def _trained(vectors: Floats | None) -> Topics:
    owners, phrasings, categories, elsewhere, comprised = _phrasings()
    words = tfidf_postings([list(_word_features(text)) for text in phrasings])
    letters = tfidf_postings([list(letter_groups(text)) for text in phrasings])
    untrained = Topics(categories, words, letters, np.zeros((0, 0), dtype=np.float32), 1.0, vectors, elsewhere)
    kernel = np.stack([untrained.alike(text) for text in phrasings])
    if vectors is not None:
        kernel = kernel + vectors @ vectors.T
    targets = np.zeros((len(phrasings), len(categories)), dtype=np.float32)
    targets[np.arange(len(phrasings)), owners] = 1
    inverse = np.linalg.inv(kernel + _RIDGE * np.eye(len(phrasings), dtype=np.float32)).astype(np.float32)
    duals = inverse @ targets
    left_out: Floats = np.asarray(targets - duals / np.diag(inverse)[:, None], dtype=np.float32)
    sharpness = min(_SHARPNESSES, key=lambda each: _surprise(left_out, owners, each))
    return Topics(categories, words, letters, duals, sharpness, vectors, elsewhere, comprised)


def _surprise(left_out: Floats, owners: Sequence[int], sharpness: float) -> float:
    probabilities = _softmax(left_out, sharpness)[np.arange(len(owners)), owners]
    return float(-np.log(np.maximum(probabilities, 1e-9)).mean())


def _softmax(scores: Floats, sharpness: float) -> Floats:
    grown = np.exp(sharpness * (scores - scores.max(axis=1, keepdims=True)))
    return np.asarray(grown / grown.sum(axis=1, keepdims=True), dtype=np.float32)


def _word_features(text: str) -> Iterable[str]:
    words = _WORD.findall(text)
    yield from words
    for first, second in pairwise(words):
        yield f"{first} {second}"


@cache
def _phrasings() -> tuple[list[int], list[str], tuple[Category, ...], int, Floats]:
    raw = yaml.safe_load(files("smarteros.knowledge").joinpath("data/topics.yml").read_text("utf-8"))
    topics = cast(Mapping[str, Mapping[str, object]], raw)
    pairs = [
        (number, normalise(str(phrase)))
        for number, topic in enumerate(topics.values())
        for phrase in cast(list[object], topic["phrases"])
    ]
    categories = cast(tuple[Category, ...], tuple(topic["category"] for topic in topics.values()))
    names = list(topics)
    comprised = np.zeros((len(names), len(names)), dtype=np.float32)
    for number, topic in enumerate(topics.values()):
        comprised[number, [names.index(name) for name in cast(list[str], topic.get("comprises", []))]] = 1
    owners, phrasings = [number for number, _ in pairs], [phrase for _, phrase in pairs]
    return owners, phrasings, categories, names.index(_ELSEWHERE), comprised
