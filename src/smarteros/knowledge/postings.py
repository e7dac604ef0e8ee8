"""An inverted index: for every term, the texts that hold it and its weight there.

Written on numpy: bm25s and scikit-learn bring scipy, which takes 28 and 67 MB in a process whose whole index is
smaller than that.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

_BM25_K1 = 1.2
_BM25_B = 0.75


@dataclass(frozen=True)
class Postings:
    """Terms to (text, weight) pairs, packed in three arrays; term ``t`` owns ``starts[t]`` to ``starts[t + 1]``."""

    size: int
    column: dict[str, int]
    idf: Floats
    starts: Ints
    texts: Ints
    weights: Floats

    def weighted(self, terms: Mapping[str, float]) -> Floats:
        """Score every text by the sum of its weights of the terms asked, each times its weight in the question."""
        return self._sum(terms)

    def cosine(self, terms: Iterable[str]) -> Floats:
        """Score every text by TF-IDF cosine; needs an index made by ``tfidf_postings``."""
        counts = Counter(term for term in terms if term in self.column)
        weighted = {term: (1 + math.log(n)) * float(self.idf[self.column[term]]) for term, n in counts.items()}
        norm = math.sqrt(sum(weight * weight for weight in weighted.values())) or 1.0
        return self._sum({term: weight / norm for term, weight in weighted.items()})

    def covered(self, terms: Iterable[str]) -> Floats:
        """Tell for every text which share of the terms it holds, from 0 to 1: rare terms count more, unknown ones most.

        Needs an index made by ``bm25_postings``.
        """
        asked = set(terms)
        unknown = _rarity(self.size, 0)
        weights = {term: float(self.idf[self.column[term]]) if term in self.column else unknown for term in asked}
        held = np.zeros(self.size, dtype=np.float32)
        for term, weight in weights.items():
            column = self.column.get(term)
            if column is not None:
                held[self.texts[int(self.starts[column]) : int(self.starts[column + 1])]] += weight
        return held / (sum(weights.values()) or 1.0)

    def _sum(self, wanted: Mapping[str, float]) -> Floats:
        known = [(column, weight) for term, weight in wanted.items() if (column := self.column.get(term)) is not None]
        if not known:
            return np.zeros(self.size, dtype=np.float32)
        columns = np.array([column for column, _ in known])
        starts = self.starts[columns]
        lengths = self.starts[columns + 1] - starts
        # Where the texts of all terms lie, one term's behind the other's: one sum instead of one per term.
        first = np.concatenate(([0], np.cumsum(lengths)[:-1]))
        owned = np.arange(int(lengths.sum())) + np.repeat(starts - first, lengths)
        weights = self.weights[owned] * np.repeat(np.array([weight for _, weight in known]), lengths)
        return np.bincount(self.texts[owned], weights, minlength=self.size).astype(np.float32)


def bm25_postings(texts: Sequence[Iterable[str]]) -> Postings:
    """Index texts for BM25 (Robertson's form, idf never negative)."""
    counted = [Counter(terms) for terms in texts]
    lengths = [sum(counts.values()) for counts in counted]
    mean = (sum(lengths) / len(lengths) if lengths else 0.0) or 1.0
    frequency = Counter(term for counts in counted for term in counts)
    idf = {term: _rarity(len(counted), n) for term, n in frequency.items()}
    weights = [
        {
            term: idf[term] * n * (_BM25_K1 + 1) / (n + _BM25_K1 * (1 - _BM25_B + _BM25_B * length / mean))
            for term, n in counts.items()
        }
        for counts, length in zip(counted, lengths, strict=True)
    ]
    return _packed(weights, idf)


def _rarity(texts: int, holding: int) -> float:
    return math.log(1 + (texts - holding + 0.5) / (holding + 0.5))


def tfidf_postings(texts: Sequence[Iterable[str]]) -> Postings:
    """Index texts for cosine similarity: logarithmic counts, smoothed idf, every text of length 1."""
    counted = [Counter(terms) for terms in texts]
    frequency = Counter(term for counts in counted for term in counts)
    idf = {term: 1 + math.log((1 + len(counted)) / (1 + n)) for term, n in frequency.items()}
    weights: list[dict[str, float]] = []
    for counts in counted:
        raw = {term: (1 + math.log(n)) * idf[term] for term, n in counts.items()}
        norm = math.sqrt(sum(weight * weight for weight in raw.values())) or 1.0
        weights.append({term: weight / norm for term, weight in raw.items()})
    return _packed(weights, idf)


def _packed(weights: Sequence[dict[str, float]], idf: dict[str, float]) -> Postings:
    column = {term: number for number, term in enumerate(idf)}
    flat_columns = np.fromiter((column[term] for text in weights for term in text), dtype=np.int32)
    flat_weights = np.fromiter((weight for text in weights for weight in text.values()), dtype=np.float32)
    flat_texts = np.repeat(np.arange(len(weights), dtype=np.int32), [len(text) for text in weights])
    order = np.argsort(flat_columns, kind="stable")
    starts = np.zeros(len(column) + 1, dtype=np.int32)
    np.cumsum(np.bincount(flat_columns, minlength=len(column)), out=starts[1:])
    return Postings(
        size=len(weights),
        column=column,
        idf=np.fromiter(idf.values(), dtype=np.float32),
        starts=starts,
        texts=flat_texts[order],
        weights=flat_weights[order],
    )
