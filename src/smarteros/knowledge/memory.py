"""The passages of one tenant, indexed in memory.

Scores of several kinds are put on one scale and summed: BM25 over word stems, TF-IDF over letter groups for what is
mistyped, sentence vectors as far as they are there, and how likely question and passage are about one matter. What
the message wants (its category) is worth more than words: "¿hasta qué hora?" names nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt

from smarteros.agents.normalise import normalise
from smarteros.agents.spelling import base_speller
from smarteros.domain.decisions import Language
from smarteros.domain.knowledge import Category, Hit, Passage
from smarteros.kit.sounds import sounds
from smarteros.kit.text import fold
from smarteros.knowledge.postings import Floats, bm25_postings, tfidf_postings
from smarteros.knowledge.sureness import log_odds
from smarteros.knowledge.synonyms import expanded
from smarteros.knowledge.terms import letter_groups, stems
from smarteros.knowledge.topics import Topics, lexical_topics

MAX_QUERY_CHARS = 600
_SHORTEST_SET_RIGHT = 4
_WORD = re.compile(r"[a-z]+")
Numbers = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

# In standard deviations of a text score. How they were chosen, and how little they matter: docs/decisions/0014.
_LETTERS_WEIGHT = 0.5
_TOPIC_WEIGHT = 1.5  # of the logarithm of the probability that both are about one topic
_LEAST_TOPIC = 0.005
_PRIOR_WEIGHT = 0.7  # of the logarithm of the probability that the message wants the passage's category
_LEAST_PRIOR = 0.02
_CATEGORY_BONUS = 2.5
_OPENING_BONUS = 0.3  # owners write the main answer first
_TITLE_WEIGHT = 2  # a heading is written as the question it answers
_TITLE_SHARE = 0.8  # of a passage's topic; the rest is said by its text
_TOPIC_CHARS = 160  # of a text: what it is about is said at its beginning
_LEAST_COSINE = 0.12  # below this, letters are shared by chance
_LEAST_COMMON = 0.5  # a passage that shares no word is found when both are this likely about one topic
_WANTED = 0.5
_OUTSTANDING = 1.3  # standard deviations above the mean: found by meaning alone
_FOR_SHORT_TEXTS = "use"
_SHORT_WORDS, _LONG_WORDS, _LEAST_TRUST = 40, 120, 0.2
# A passage this far ahead of the next, in a question about shops, is not looked for with the dear encoder. Of 926
# searches (116 questions, three quarters mistyped, with and without intents) that spares 84 in 100 the encoder and
# costs two the right first passage.
_CLEARLY_AHEAD, _SURELY_OF_SHOPS = 2.5, 0.8


@dataclass(frozen=True)
class DenseView:
    """Sentence vectors of the passages by one encoder, one row each; a row of zeros is not computed yet."""

    rows: Floats

    @property
    def complete(self) -> bool:
        """Whether every passage has its vector."""
        return bool(self.rows.any(axis=1).all())


@dataclass(frozen=True)
class Question:
    """What is looked for, with its vectors by encoder name and its row of topic probabilities.

    ``further`` computes vectors that take time; it is called when the first passage is in doubt without them.
    """

    text: str
    language: Language = "es"
    category: Category | None = None
    priors: Mapping[Category, float] | None = None
    today: date | None = None
    vectors: Mapping[str, Floats] | None = None
    topics: Floats | None = None
    further: Callable[[], Mapping[str, Floats]] | None = None


class PassageIndex:
    """An immutable index over passages; safe to search from several threads."""

    def __init__(
        self,
        passages: Sequence[Passage],
        *,
        views: Mapping[str, DenseView] | None = None,
        topics: Topics | None = None,
        passage_topics: Floats | None = None,
    ) -> None:
        """``passage_topics`` are the passages' rows by the classifier ``topics``; by default both are of words only."""
        self.passages = tuple(passages)
        self.topics = topics or lexical_topics()
        self._languages: tuple[Language, ...] = tuple(sorted({p.language for p in self.passages}))
        for language in self._languages:
            expanded("", language)  # reads the word lists now, so that the first question does not wait for them
        self._words = bm25_postings([list(stems(_weighted_text(p), p.language)) for p in self.passages])
        self._letters = tfidf_postings([list(letter_groups(_weighted_text(p))) for p in self.passages])
        self._mean_words = float(np.mean([len(p.text.split()) for p in self.passages])) if self.passages else 0.0
        self._opening = _first_of_documents(self.passages)
        self._views = dict(views or {})
        rows = topics_of_passages(self.passages, self.topics) if passage_topics is None else passage_topics
        self.topic_rows = rows

    def __len__(self) -> int:
        return len(self.passages)

    def with_views(self, views: Mapping[str, DenseView], topics: Topics, passage_topics: Floats) -> PassageIndex:
        """Return this index with sentence vectors; what is made of words is shared."""
        other = object.__new__(PassageIndex)
        other.__dict__.update(self.__dict__)
        other.topics, other.topic_rows, other._views = topics, passage_topics, dict(views)
        return other

    @property
    def views(self) -> Mapping[str, DenseView]:
        """The sentence vectors, by encoder name."""
        return self._views

    def search(
        self, query: str, *, language: Language = "es", category: Category | None = None, limit: int = 5
    ) -> tuple[Hit, ...]:
        """Find the best passages, best first; those that share nothing with the query are left out."""
        return self.find(Question(query, language, category), limit=limit)

    def find(self, question: Question, *, limit: int) -> tuple[Hit, ...]:
        """Find the best passages, approved and valid today, best first."""
        pool = self._pool(question)
        if pool.size == 0 or limit < 1:
            return ()
        asked = question.text[:MAX_QUERY_CHARS]
        plain = self.plain(asked)
        topics = self.topics.probabilities([plain])[0] if question.topics is None else question.topics
        common = self.topics.in_common(topics, self.topic_rows)[pool]
        of_shops = self.topics.of_shops(topics)
        words = self._words.weighted(self._asked_words(f"{asked} {plain}", of_shops))[pool]
        letters = self._letters.cosine(letter_groups(plain))[pool]
        wanted = self._wanted(question, pool)
        scores = _standardised(words) + _LETTERS_WEIGHT * _standardised(letters)
        scores += of_shops * (_TOPIC_WEIGHT * np.log(common + _LEAST_TOPIC) + _OPENING_BONUS * self._opening[pool])
        dense, by_meaning = self._dense(question.vectors or {}, pool)
        scores += dense
        if question.priors is None:
            scores += _CATEGORY_BONUS * wanted
        else:
            scores += _PRIOR_WEIGHT * np.log(wanted + _LEAST_PRIOR)
        if question.further is not None and not (of_shops >= _SURELY_OF_SHOPS and _is_clearly_ahead(scores)):
            dense, further = self._dense(question.further(), pool)
            scores += dense
            by_meaning |= further
        found = (words > 0) | (letters >= _LEAST_COSINE) | (wanted >= _WANTED) | (common >= _LEAST_COMMON) | by_meaning
        best = [i for i in np.argsort(-scores, kind="stable") if found[i]][:limit]
        sure = log_odds(scores, self._meaning(question, pool), self._named(plain, pool), letters)
        return tuple(
            Hit(passage=self.passages[pool[i]], score=round(float(scores[i]), 4), log_odds=round(float(sure[i]), 4))
            for i in best
        )

    def plain(self, question: str) -> str:
        """Return a question in plain words; one that no passage has is spelt as passages or customers spell it."""
        return " ".join(map(self._as_written_here, normalise(question).split()))

    def _as_written_here(self, word: str) -> str:
        if len(word) < _SHORTEST_SET_RIGHT or any(stem in self._words.column for stem in self._stems_of(word)):
            return word
        return self._by_sound.get(sounds(word)) or base_speller().corrected(word)

    def _stems_of(self, word: str) -> Iterator[str]:
        return (stem for language in self._languages for stem in stems(word, language))

    @cached_property
    def _by_sound(self) -> dict[str, str]:
        """The passages' words by how they sound."""
        written = {word for p in self.passages for word in _WORD.findall(fold(_weighted_text(p)))}
        return {sounds(word): word for word in sorted(written) if len(word) >= _SHORTEST_SET_RIGHT}

    def _named(self, plain: str, pool: Numbers) -> Floats:
        """Return the share of the question's words that each passage holds, in the language that finds most."""
        shares = [self._words.covered(stems(plain, language)) for language in self._languages]
        return np.max(shares, axis=0)[pool]

    def _meaning(self, question: Question, pool: Numbers) -> Floats:
        view, vector = self._views.get(_FOR_SHORT_TEXTS), (question.vectors or {}).get(_FOR_SHORT_TEXTS)
        if view is None or vector is None:
            return np.zeros(pool.size, dtype=np.float32)
        return view.rows[pool] @ vector

    def _asked_words(self, question: str, of_shops: float) -> dict[str, float]:
        """Stem the question as each language of the passages does; the heavier weight of a stem counts.

        The synonyms are those of shops: they count as far as the question is about one.
        """
        asked: dict[str, float] = {}
        for language in self._languages:
            for stem, weight in expanded(question, language).items():
                counted = weight if weight == 1.0 else weight * of_shops
                asked[stem] = max(counted, asked.get(stem, 0.0))
        return asked

    def _wanted(self, question: Question, pool: Numbers) -> Floats:
        """Return the probability that the message wants each passage's category, 0 or 1 where only one is named."""
        categories: list[Category] = [self.passages[int(i)].category for i in pool]
        if question.priors is None:
            return np.array([category == question.category for category in categories], dtype=np.float32)
        return np.array([question.priors.get(category, 0.0) for category in categories], dtype=np.float32)

    def _dense(self, vectors: Mapping[str, Floats], pool: Numbers) -> tuple[Floats, Bools]:
        """Return the sum of the vectors' scores, and which passages stand out by them."""
        total = np.zeros(pool.size, dtype=np.float32)
        outstanding = np.zeros(pool.size, dtype=np.bool_)
        for name, vector in vectors.items():
            view = self._views.get(name)
            if view is not None:
                rows = view.rows[pool]
                known = rows.any(axis=1)
                # A passage whose vector is still being computed stands in the middle, neither found nor lost by it.
                scores = np.zeros(pool.size, dtype=np.float32)
                scores[known] = _standardised((rows @ vector)[known])
                total += scores * self._trust(name)
                outstanding |= scores >= _OUTSTANDING
        return total, outstanding

    def _trust(self, encoder: str) -> float:
        """Weigh an encoder: the small one is good on short texts and weak on long ones."""
        if encoder != _FOR_SHORT_TEXTS:
            return 1.0
        return float(np.clip((_LONG_WORDS - self._mean_words) / (_LONG_WORDS - _SHORT_WORDS), _LEAST_TRUST, 1.0))

    def _pool(self, question: Question) -> Numbers:
        """Number the passages that may answer: approved, valid, in the language asked where it has the category."""
        usable = [
            (i, p)
            for i, p in enumerate(self.passages)
            if p.approval == "approved" and (question.today is None or p.holds_on(question.today))
        ]
        covered = {p.category for _, p in usable if p.language == question.language}
        return np.array(
            [i for i, p in usable if p.language == question.language or p.category not in covered], dtype=np.intp
        )


def topic_texts(passages: Sequence[Passage]) -> tuple[list[str], list[str]]:
    """Return what of the passages is compared with topics: their titles and their texts, normalised."""
    titles = [normalise(f"{p.title} {' '.join(p.also[:3])}") for p in passages]
    return titles, [normalise(p.text[:_TOPIC_CHARS]) for p in passages]


def topics_of_passages(
    passages: Sequence[Passage], topics: Topics, vectors: tuple[Floats, Floats] | None = None
) -> Floats:
    """Return one row of topic probabilities per passage; ``vectors`` are those of titles and texts."""
    if not passages:
        return np.zeros((0, len(topics.categories)), dtype=np.float32)
    titles, texts = topic_texts(passages)
    of_titles, of_texts = vectors if vectors is not None else (None, None)
    about_titles, about_texts = topics.probabilities(titles, of_titles), topics.probabilities(texts, of_texts)
    return np.asarray(_TITLE_SHARE * about_titles + (1 - _TITLE_SHARE) * about_texts, dtype=np.float32)


def _is_clearly_ahead(scores: npt.NDArray[np.floating]) -> bool:
    if scores.size < 2:
        return False
    second, first = np.partition(scores, -2)[-2:]
    return bool(first - second >= _CLEARLY_AHEAD)


def _first_of_documents(passages: Sequence[Passage]) -> Floats:
    seen: set[str] = set()
    opening = np.zeros(len(passages), dtype=np.float32)
    for number, passage in enumerate(passages):
        opening[number] = passage.document not in seen
        seen.add(passage.document)
    return opening


def _weighted_text(passage: Passage) -> str:
    return f"{passage.title}\n" * _TITLE_WEIGHT + "\n".join(passage.also) + f"\n{passage.text}"


def _standardised(scores: Floats) -> Floats:
    spread = float(scores.std()) if scores.size else 0.0
    return (scores - scores.mean()) / spread if spread > 1e-6 else np.zeros_like(scores)
