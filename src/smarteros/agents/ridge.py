"""A classifier in closed form, whose confidence is calibrated on answers it had not seen.

Kernel ridge regression on one-hot targets, solved over the examples (some thousands at most): a message is compared
with every example, and each example votes with a weight of its own. The same solution gives every example's score
as if it had been left out, at no cost; the temperature that turns scores into probabilities is fitted on those, so
that "0.9" means right nine times in ten on new messages.

A tenant's few examples are added to a solved base by blocks: that takes the time of the few, not of all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from smarteros.agents.features import Floats

Doubles = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int_]
_SMALL_TRIANGLE = 96
_STEP = 256  # columns factored at a time
_BANDS = 24
_COLDEST, _HOTTEST = math.log(0.02), math.log(1.0)
_GOLDEN = (math.sqrt(5) - 1) / 2
_SEARCH_STEPS = 14  # narrows the temperature to a thousandth


@dataclass(frozen=True)
class Solution:
    """What was learnt: each example's votes for the classes, and its scores when it was left out."""

    votes: Floats
    left_out: Doubles


class ClosedForm:
    """The examples' likeness to each other, inverted: any labelling of them is learnt at once."""

    def __init__(self, gram: Floats, *, strength: float) -> None:
        """Invert; ``gram`` is overwritten. ``strength`` of the regularisation is added to its diagonal."""
        self.strength = strength
        gram.flat[:: len(gram) + 1] += strength
        # The inverse is root.T @ root; multiplying it out would take longer than all the rest. All is done where the
        # likeness stands: numpy's own Cholesky holds four more matrices of its size meanwhile. Of the triangle only
        # bands without most of its zeros are kept, in half precision: a quarter of the memory. With a strength of 1 no
        # number in it is above 1, and what is rounded off changes votes by less than a thousandth of the largest.
        _factor(gram)
        _invert_triangle(gram)
        root = gram
        self._size = len(root)
        self._diagonal: Floats = np.einsum("ij,ij->j", root, root)
        edges = np.linspace(0, self._size, _BANDS + 1).astype(int).tolist()
        self._bands = [root[start:end, :end].astype(np.float16) for start, end in pairwise(edges) if end > start]

    def solve(self, wanted: Floats, offset: Floats) -> Solution:
        """Learn targets (one row per example); ``offset`` is what a message unlike all examples scores."""
        votes = self._inverse_times(wanted - offset)
        # Leave-one-out of ridge regression (Allen's PRESS): residual = votes / diagonal of the inverse.
        return Solution(votes, (wanted - votes / self._diagonal[:, None]).astype(np.float64))

    def solve_with(self, between: Floats, within: Floats, wanted: Floats, offset: Floats) -> Solution:
        """Learn the targets of these examples and of more: ``between`` is the likeness of these (rows) to the new.

        The same as ``solve`` over all of them, by the inverse of a matrix in blocks. ``within`` is the likeness of
        the new ones to each other, ``wanted`` has the rows of the old ones first.
        """
        old = self._size
        carried = self._inverse_times(between)
        rest = within - between.T @ carried
        rest.flat[:: len(rest) + 1] += self.strength
        inverse: Floats = np.linalg.inv(rest.astype(np.float64)).astype(np.float32)
        centred = wanted - offset
        new_votes = inverse @ (centred[old:] - carried.T @ centred[:old])
        old_votes = self._inverse_times(centred[:old]) - carried @ new_votes
        explained = np.einsum("ij,ij->i", carried @ inverse, carried)
        diagonal = np.concatenate((self._diagonal + explained, np.diag(inverse)))
        votes: Floats = np.concatenate((old_votes, new_votes)).astype(np.float32, copy=False)
        return Solution(votes, (wanted - votes / diagonal[:, None]).astype(np.float64))

    def _inverse_times(self, columns: Floats) -> Floats:
        product = np.zeros_like(columns)
        for half in self._bands:
            band = half.astype(np.float32)
            width = band.shape[1]
            product[:width] += band.T @ (band @ columns[:width])
        return product


def one_hot(labels: Labels, classes: int) -> Floats:
    """Return the targets of labels: one in the label's column, nothing else."""
    wanted = np.zeros((len(labels), classes), dtype=np.float32)
    wanted[np.arange(len(labels)), labels] = 1.0
    return wanted


def softmax(logits: Doubles) -> Doubles:
    """Turn each row of scores into probabilities."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def best_temperature(scores: Doubles, labels: Labels) -> float:
    """Return the temperature under which the true labels were most likely."""

    def unlikelihood(log_temperature: float) -> float:
        scaled = scores / math.exp(log_temperature)
        scaled -= scaled.max(axis=1, keepdims=True)
        true = scaled[np.arange(len(labels)), labels]
        return float((np.log(np.exp(scaled).sum(axis=1)) - true).mean())

    low, high = _COLDEST, _HOTTEST
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = unlikelihood(left), unlikelihood(right)
    for _ in range(_SEARCH_STEPS):
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = unlikelihood(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = unlikelihood(right)
    return math.exp((low + high) / 2)


def _factor(matrix: Floats) -> None:
    """Replace the lower triangle of a positive definite matrix by its Cholesky factor; above it nothing is changed."""
    size = len(matrix)
    for start in range(0, size, _STEP):
        end = min(start + _STEP, size)
        corner = np.linalg.cholesky(matrix[start:end, start:end])
        matrix[start:end, start:end] = corner
        matrix[end:, start:end] = matrix[end:, start:end] @ np.linalg.inv(corner).T
        for top in range(end, size, _STEP):
            bottom = min(top + _STEP, size)
            matrix[top:bottom, end:bottom] -= matrix[top:bottom, start:end] @ matrix[end:bottom, start:end].T


def _invert_triangle(lower: Floats) -> None:
    """Invert a lower triangular matrix by halves, in its place, and clear what is above the diagonal.

    numpy's general inverse takes five times as long.
    """
    size = len(lower)
    if size <= _SMALL_TRIANGLE:
        lower[:] = np.tril(np.linalg.inv(np.tril(lower)))
        return
    half = size // 2
    _invert_triangle(lower[:half, :half])
    _invert_triangle(lower[half:, half:])
    lower[half:, :half] = -lower[half:, half:] @ (lower[half:, :half] @ lower[:half, :half])
    lower[:half, half:] = 0.0
