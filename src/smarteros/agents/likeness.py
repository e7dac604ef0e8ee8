"""How alike two messages are: by their words and letters, and by what sentence encoders make of them.

Measured on the base pack, each example left out once: words alone .755 right; with encoders in a linear model .884;
with encoders through an exponential (near examples count, far ones do not) .911, and .894 without e5. Multinomial
logistic regression on the same features reached .885 and takes seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smarteros.agents.features import Floats, Postings, SparseRow, gram_matrix
from smarteros.embedders.loading import EncoderName
from smarteros.embedders.protocol import Embedder, Vectors

ByEncoder = Mapping[EncoderName, Vectors | npt.NDArray[np.float16]]
_WEIGHT = 4.0  # of one encoder; words and letters together have 2
_SHARPNESS = 2.0


@dataclass(frozen=True)
class ExampleBlock:
    """Example messages ready to be compared with; only read once made, so threads and tenants may share them.

    ``vectors`` holds one row per example for every encoder whose vectors are known.
    """

    rows: tuple[SparseRow, ...]
    postings: Postings
    vectors: ByEncoder

    @classmethod
    def of(cls, rows: Sequence[SparseRow], vectors: ByEncoder) -> ExampleBlock:
        """Arrange examples."""
        return cls(tuple(rows), Postings(rows), vectors)

    def by_words(self, row: SparseRow) -> Floats:
        """Return how alike a message is to each example by words and letters."""
        return self.postings.products(row)

    def by_meaning(self, encoder: EncoderName, vectors: Vectors) -> Floats:
        """Return how alike one message, or several (columns), are to each example (rows) by an encoder."""
        return nearness(self.vectors[encoder].astype(np.float32, copy=False) @ vectors.T)

    def among_themselves(self, width: int) -> Floats:
        """Return the likeness of all examples to each other by words and letters; ``width`` of the vocabulary."""
        return gram_matrix(self.rows, width)


def nearness(cosines: Floats) -> Floats:
    """Turn cosines into likeness, in place: what is far off does not matter, whatever its cosine."""
    cosines -= 1.0
    cosines *= _SHARPNESS
    np.exp(cosines, out=cosines)
    cosines *= _WEIGHT
    return cosines


@dataclass(frozen=True)
class Sight:
    """An encoder as the classifier looks through it: vectors relative to the middle of all examples.

    e5's vectors all point one way; without that common part the differences count.
    """

    encoder: EncoderName
    embedder: Embedder
    middle: Vectors

    def of_message(self, sentence: str) -> Vectors:
        """Return the vector of one message."""
        return centred(self.embedder.queries([sentence]), self.middle)[0]


def centred(vectors: Vectors, middle: Vectors) -> Vectors:
    """Subtract the middle and make every row of length one again."""
    moved = vectors - middle
    norms = np.sqrt(np.einsum("ij,ij->i", moved, moved))
    moved /= np.maximum(norms, 1e-6)[:, None]
    return moved
