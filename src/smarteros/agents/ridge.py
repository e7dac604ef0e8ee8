"""A linear classifier in closed form, whose confidence is calibrated on answers it had not seen.

Ridge regression on one-hot targets, solved over the examples (a thousand at most) instead of the features. The same
solution gives every example's score as if it had been left out, at no cost; the temperature that turns scores into
probabilities is fitted on those, so that "0.9" means right nine times in ten on new messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smarteros.agents.features import Floats, SparseRow, gram_matrix

Doubles = npt.NDArray[np.float64]
_SMALL_TRIANGLE = 96
_TEMPERATURES = np.geomspace(0.02, 1.0, 120)


@dataclass(frozen=True)
class RidgeModel:
    """A trained classifier: one column of weights per class."""

    weights: Floats
    offset: Floats
    temperature: float

    def probabilities(self, row: SparseRow) -> Doubles:
        """Return the probability of every class for one message."""
        scores = self.offset + row.values @ self.weights[row.columns]
        return softmax((scores / self.temperature).astype(np.float64)[None, :])[0]


@dataclass(frozen=True)
class Training:
    """A model with what is known of its quality: class probabilities of each example when it was left out."""

    model: RidgeModel
    left_out: Doubles


def train_ridge(
    rows: Sequence[SparseRow], targets: Sequence[int], *, width: int, classes: int, strength: float
) -> Training:
    """Fit the classifier; ``strength`` is the regularisation, relative to rows of squared length two."""
    labels = np.asarray(targets)
    wanted = np.zeros((len(rows), classes), dtype=np.float32)
    wanted[np.arange(len(rows)), labels] = 1.0
    offset = wanted.mean(axis=0)
    gram = gram_matrix(rows, width)
    gram.flat[:: len(rows) + 1] += strength
    root = _inverse_of_triangle(np.linalg.cholesky(gram))
    dual = root.T @ (root @ (wanted - offset))
    inverse_diagonal = np.square(root).sum(axis=0)
    # Leave-one-out of ridge regression (Allen's PRESS): residual = dual / diagonal of the inverse.
    left_out = (wanted - dual / inverse_diagonal[:, None]).astype(np.float64)
    temperature = _best_temperature(left_out, labels)
    weights = np.zeros((width, classes), dtype=np.float32)
    for row, shares in zip(rows, dual, strict=True):
        weights[row.columns] += row.values[:, None] * shares
    model = RidgeModel(weights, offset, temperature)
    return Training(model, softmax(left_out / temperature))


def _inverse_of_triangle(lower: Floats) -> Floats:
    """Invert a lower triangular matrix by halves; numpy's general inverse takes five times as long."""
    size = len(lower)
    if size <= _SMALL_TRIANGLE:
        return np.tril(np.linalg.inv(lower))
    half = size // 2
    first, second = _inverse_of_triangle(lower[:half, :half]), _inverse_of_triangle(lower[half:, half:])
    inverse = np.zeros_like(lower)
    inverse[:half, :half], inverse[half:, half:] = first, second
    inverse[half:, :half] = -second @ (lower[half:, :half] @ first)
    return inverse


def softmax(logits: Doubles) -> Doubles:
    """Turn each row of scores into probabilities."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def _best_temperature(scores: Doubles, labels: npt.NDArray[np.int_]) -> float:
    """Return the temperature under which the true labels were most likely."""
    likelihoods = [
        np.log(softmax(scores / temperature)[np.arange(len(labels)), labels] + 1e-12).mean()
        for temperature in _TEMPERATURES
    ]
    return float(_TEMPERATURES[int(np.argmax(likelihoods))])
