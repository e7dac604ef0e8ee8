"""The passages of one tenant, indexed in memory.

Two text scores are summed after being put on one scale: BM25 over word stems, and TF-IDF over letter groups for
what is mistyped. What the message wants (its category) is worth more than words: "¿hasta qué hora?" names nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smarteros.domain.decisions import Language
from smarteros.domain.knowledge import Category, Hit, Passage
from smarteros.knowledge.postings import Floats, bm25_postings, tfidf_postings
from smarteros.knowledge.synonyms import expanded
from smarteros.knowledge.terms import letter_groups, stems

MAX_QUERY_CHARS = 600
_CATEGORY_BONUS = 2.5  # in standard deviations of a text score
_OPENING_BONUS = 1.0  # owners write the main answer first, and a bare "¿abren hoy?" is after that one
_TITLE_WEIGHT = 2  # a heading is written as the question it answers
_LEAST_COSINE = 0.12  # below this, letters are shared by chance


class PassageIndex:
    """An immutable index over passages; safe to search from several threads."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = tuple(passages)
        self._languages: tuple[Language, ...] = tuple(sorted({p.language for p in self._passages}))
        for language in self._languages:
            expanded("", language)  # reads the word lists now, so that the first question does not wait for them
        self._words = bm25_postings([list(stems(_weighted_text(p), p.language)) for p in self._passages])
        self._opening = np.array(
            [p.document not in {q.document for q in self._passages[:i]} for i, p in enumerate(self._passages)],
            dtype=np.float32,
        )
        self._letters = tfidf_postings([list(letter_groups(_weighted_text(p))) for p in self._passages])

    def __len__(self) -> int:
        return len(self._passages)

    def search(
        self, query: str, *, language: Language = "es", category: Category | None = None, limit: int = 5
    ) -> tuple[Hit, ...]:
        """Find the best passages, best first; those that share nothing with the query are left out."""
        pool = self._pool(language)
        if pool.size == 0 or limit < 1:
            return ()
        asked = query[:MAX_QUERY_CHARS]
        words = self._words.weighted(self._asked_words(asked))[pool]
        letters = self._letters.cosine(letter_groups(asked))[pool]
        wanted = np.array([self._passages[i].category == category for i in pool], dtype=np.float32)
        scores = _standardised(words) + _standardised(letters) + _CATEGORY_BONUS * wanted
        scores += _OPENING_BONUS * self._opening[pool]
        found = (words > 0) | (letters >= _LEAST_COSINE) | (wanted > 0)
        best = [i for i in np.argsort(-scores, kind="stable") if found[i]][:limit]
        return tuple(Hit(passage=self._passages[pool[i]], score=round(float(scores[i]), 4)) for i in best)

    def _asked_words(self, question: str) -> dict[str, float]:
        """Stem the question as each language of the passages does; the heavier weight of a stem counts."""
        asked: dict[str, float] = {}
        for language in self._languages:
            for stem, weight in expanded(question, language).items():
                asked[stem] = max(weight, asked.get(stem, 0.0))
        return asked

    def _pool(self, language: Language) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        """Number the passages in the language asked, and those of categories that language has nothing on."""
        covered = {p.category for p in self._passages if p.language == language}
        return np.array(
            [i for i, p in enumerate(self._passages) if p.language == language or p.category not in covered],
            dtype=np.intp,
        )


def _weighted_text(passage: Passage) -> str:
    return f"{passage.title}\n" * _TITLE_WEIGHT + passage.text


def _standardised(scores: Floats) -> Floats:
    spread = float(scores.std())
    return (scores - scores.mean()) / spread if spread > 1e-6 else np.zeros_like(scores)
