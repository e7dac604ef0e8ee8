"""Messages as sparse vectors: TF-IDF over words and over letter groups, each block of length one.

Own numpy code instead of scikit-learn, whose import alone takes 67 MB and two seconds.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Analyser = Callable[[Sequence[str]], Iterable[str]]

_GROUP_SIZES = (2, 3, 4, 5)
_COMMON = 32  # rows from which a feature is cheaper to multiply densely
_MOST_WORDS = 200  # words of one message that are read
_LONGEST_KEPT = 24  # letters; the groups of a longer word are not kept, or a few strangers could fill the memory


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
            yield from _known_groups(word) if len(word) <= _LONGEST_KEPT else _groups_of_word(word)


def _groups_of_word(word: str) -> tuple[str, ...]:
    padded = f" {word} "
    return tuple(padded[start : start + size] for size in _GROUP_SIZES for start in range(len(padded) - size + 1))


_known_groups = lru_cache(maxsize=4_000)(_groups_of_word)


class TfIdfBlock:
    """One family of features with its vocabulary; learnt once, then only read."""

    def __init__(
        self,
        analyser: Analyser,
        corpus: Sequence[Sequence[str]],
        *,
        first_column: int = 0,
        base: TfIdfBlock | None = None,
    ) -> None:
        """Learn the features of a corpus; with a ``base`` only those it does not know, the others keep its weights."""
        self._analyser = analyser
        self._base = base
        frequency = Counter(feature for words in corpus for feature in set(analyser(words)) if not self._known(feature))
        self.total = len(corpus) + (base.total if base else 0)
        self._own = {
            feature: (first_column + number, 1 + math.log((1 + self.total) / (1 + n)))
            for number, (feature, n) in enumerate(frequency.items())
        }
        self.size = len(frequency)

    def row(self, words: Sequence[str]) -> SparseRow:
        """Return a message's vector, of length one unless no feature is known."""
        columns: list[int] = []
        weights: list[float] = []
        for feature, n in Counter(self._analyser(words)).items():
            known = self._own.get(feature) or (self._base.find(feature) if self._base else None)
            if known is not None:
                columns.append(known[0])
                weights.append((1 + math.log(n)) * known[1])
        values = np.array(weights, dtype=np.float32)
        norm = float(np.sqrt(values @ values)) or 1.0
        return SparseRow(np.array(columns, dtype=np.int32), values / np.float32(norm))

    def find(self, feature: str) -> tuple[int, float] | None:
        """Return column and inverse document frequency of a feature that was learnt."""
        return self._own.get(feature)

    def _known(self, feature: str) -> bool:
        return self._base is not None and self._base.find(feature) is not None


class Vectoriser:
    """Word block and letter block side by side.

    One made over a ``base`` adds the features of its own corpus behind those of the base, whose rows stay what they
    were: a tenant's few words do not change what was learnt from everybody's.
    """

    def __init__(self, corpus: Sequence[Sequence[str]], *, base: Vectoriser | None = None) -> None:
        before = base.size if base else 0
        self._words = TfIdfBlock(word_features, corpus, first_column=before, base=base.words if base else None)
        self._letters = TfIdfBlock(
            letter_features, corpus, first_column=before + self._words.size, base=base.letters if base else None
        )
        self.size = before + self._words.size + self._letters.size

    @property
    def words(self) -> TfIdfBlock:
        """The block of words and pairs of words."""
        return self._words

    @property
    def letters(self) -> TfIdfBlock:
        """The block of letter groups."""
        return self._letters

    def row(self, words: Sequence[str]) -> SparseRow:
        """Return the vector of one message."""
        left, right = self._words.row(words), self._letters.row(words)
        return SparseRow(np.concatenate((left.columns, right.columns)), np.concatenate((left.values, right.values)))


class Postings:
    """Rows turned round: for each feature the rows that have it. Answers how alike one row is to all of them."""

    def __init__(self, rows: Sequence[SparseRow]) -> None:
        self.count = len(rows)
        owners = np.repeat(np.arange(self.count, dtype=np.int32), [row.columns.size for row in rows])
        columns = np.concatenate([row.columns for row in rows]) if rows else np.zeros(0, dtype=np.int32)
        values = np.concatenate([row.values for row in rows]) if rows else np.zeros(0, dtype=np.float32)
        order = np.argsort(columns, kind="stable")
        self._owners, self._values = owners[order], values[order]
        self._columns, starts = np.unique(columns[order], return_index=True)
        self._starts = np.append(starts, columns.size)

    def products(self, row: SparseRow) -> Floats:
        """Return the inner product of a row with each of the rows."""
        if self._columns.size == 0 or row.columns.size == 0:
            return np.zeros(self.count, dtype=np.float32)
        at = np.minimum(np.searchsorted(self._columns, row.columns), self._columns.size - 1)
        held = self._columns[at] == row.columns
        starts, lengths = self._starts[at[held]], np.diff(self._starts)[at[held]]
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if ends.size else 0
        entries = np.arange(total) + np.repeat(starts - (ends - lengths), lengths)
        weights = self._values[entries] * np.repeat(row.values[held], lengths)
        return np.bincount(self._owners[entries], weights=weights, minlength=self.count).astype(np.float32)


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
