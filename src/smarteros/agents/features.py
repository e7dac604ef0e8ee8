"""Messages as sparse vectors: TF-IDF over words and over letter groups, each block of length one.

Own numpy code instead of scikit-learn, whose import alone takes 67 MB and two seconds.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Analyser = Callable[[Sequence[str]], Iterable[str]]

_GROUP_SIZES = (2, 3, 4, 5)
_COMMON = 32  # rows from which a feature is cheaper to multiply densely
_MOST_WORDS = 200  # words of one message that are read


@dataclass(frozen=True)
class SparseRow:
    """One message: the columns of its features and their values."""

    columns: Ints
    values: Floats


def word_features(words: Sequence[str]) -> Iterable[str]:
    """Yield words and pairs of neighbours."""
    read = list(words[:_MOST_WORDS])
    yield from read
    for first, second in pairwise(read):
        yield f"{first} {second}"


def letter_features(words: Sequence[str]) -> Iterable[str]:
    """Yield groups of 2 to 5 letters within words; markers and signs are words of their own and are left out."""
    for word in words[:_MOST_WORDS]:
        if word[0].isalpha():
            padded = f" {word} "
            for size in _GROUP_SIZES:
                for start in range(len(padded) - size + 1):
                    yield padded[start : start + size]


class TfIdfBlock:
    """One family of features with its vocabulary; learnt once, then only read."""

    def __init__(self, analyser: Analyser, corpus: Sequence[Sequence[str]], *, first_column: int = 0) -> None:
        self._analyser = analyser
        frequency = Counter(feature for words in corpus for feature in set(analyser(words)))
        self._column = {feature: first_column + number for number, feature in enumerate(frequency)}
        total = len(corpus)
        self._idf = {feature: 1 + math.log((1 + total) / (1 + n)) for feature, n in frequency.items()}
        self.size = len(frequency)

    def row(self, words: Sequence[str]) -> SparseRow:
        """Return a message's vector, of length one unless no feature is known."""
        counts = Counter(feature for feature in self._analyser(words) if feature in self._column)
        columns = np.fromiter((self._column[feature] for feature in counts), dtype=np.int32, count=len(counts))
        values = np.fromiter(
            ((1 + math.log(n)) * self._idf[feature] for feature, n in counts.items()),
            dtype=np.float32,
            count=len(counts),
        )
        norm = float(np.sqrt(values @ values)) or 1.0
        return SparseRow(columns, values / np.float32(norm))


class Vectoriser:
    """Word block and letter block side by side."""

    def __init__(self, corpus: Sequence[Sequence[str]]) -> None:
        self._words = TfIdfBlock(word_features, corpus)
        self._letters = TfIdfBlock(letter_features, corpus, first_column=self._words.size)
        self.size = self._words.size + self._letters.size

    def row(self, words: Sequence[str]) -> SparseRow:
        """Return the vector of one message."""
        left, right = self._words.row(words), self._letters.row(words)
        return SparseRow(np.concatenate((left.columns, right.columns)), np.concatenate((left.values, right.values)))


def gram_matrix(rows: Sequence[SparseRow], width: int) -> Floats:
    """Return all inner products of the rows. Features of many rows are multiplied as a block, rare ones one by one."""
    count = len(rows)
    owners = np.repeat(np.arange(count), [row.columns.size for row in rows])
    columns = np.concatenate([row.columns for row in rows])
    values = np.concatenate([row.values for row in rows])
    frequency = np.bincount(columns, minlength=width)
    gram = _product_of_common(owners, columns, values, frequency, count)
    alone = frequency[columns] == 1
    gram.flat[:: count + 1] += np.bincount(owners[alone], weights=values[alone] ** 2, minlength=count)
    shared = (frequency[columns] > 1) & (frequency[columns] <= _COMMON)
    order = np.argsort(columns[shared], kind="stable")
    owners, values = owners[shared][order], values[shared][order]
    ends = np.cumsum(frequency[(frequency > 1) & (frequency <= _COMMON)]).tolist()
    for start, end in zip([0, *ends], ends, strict=False):
        at, weights = owners[start:end], values[start:end]
        gram[at[:, None], at] += weights[:, None] * weights
    return gram


def _product_of_common(
    owners: npt.NDArray[np.int_], columns: Ints, values: Floats, frequency: npt.NDArray[np.int_], count: int
) -> Floats:
    common = np.flatnonzero(frequency > _COMMON)
    place = np.full(frequency.size, -1)
    place[common] = np.arange(common.size)
    held = place[columns] >= 0
    dense = np.zeros((count, common.size), dtype=np.float32)
    dense[owners[held], place[columns[held]]] = values[held]
    return dense @ dense.T
