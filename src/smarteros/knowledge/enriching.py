"""Sentence vectors for the index of a tenant, added behind while it already answers by its words."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
import structlog

from smarteros.agents.memory import give_back_freed_memory
from smarteros.agents.normalise import readable
from smarteros.agents.reading import sentence_of
from smarteros.domain.errors import SmosError
from smarteros.embedders.protocol import Embedder, Vectors
from smarteros.knowledge.indexed import Indexed, text_to_embed
from smarteros.knowledge.memory import (
    MAX_QUERY_CHARS,
    DenseView,
    PassageIndex,
    Question,
    topic_texts,
    topics_of_passages,
)
from smarteros.knowledge.protocol import Encoders
from smarteros.knowledge.topics import Topics, in_batches, topics_with

_log = structlog.get_logger()

EncoderName = Literal["use", "e5"]
_NAMES: tuple[EncoderName, ...] = ("use", "e5")  # in the order of their cost
_OF_TOPICS: EncoderName = "use"
_AT_ONCE = 32  # passages between two looks at whether the work is still wanted


class Enricher:
    """Computes what an index lacks on one thread, tenant after tenant; an index that changed meanwhile starts anew."""

    def __init__(
        self,
        encoders: Encoders,
        cached: Callable[[str], Indexed | None],
        swap: Callable[[str, Indexed, Indexed], bool],
    ) -> None:
        """``cached`` returns a tenant's index, ``swap`` puts an enriched one in its place if it is still there."""
        self.encoders = encoders
        self._cached = cached
        self._swap = swap
        self._waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._asked: set[str] = set()
        self._broken: set[tuple[str, int]] = set()  # not tried again before the next import
        self._lock = threading.Lock()
        self._working = threading.Lock()
        self._topics: Topics | None = None
        self._thread: threading.Thread | None = None

    def want(self, tenant_id: str, known: Indexed) -> None:
        """Have the index enriched soon, if an encoder is ready that it lacks."""
        if not self._missing(known) or (tenant_id, known.revision) in self._broken:
            return
        with self._lock:
            if tenant_id in self._asked:
                return
            self._asked.add(tenant_id)
            self._waiting.put(tenant_id)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="kb-vectors", daemon=True)
                self._thread.start()

    def enrich(self, tenant_id: str) -> bool:
        """Compute now what the tenant's index lacks; tells whether it now has all that the encoders give."""
        with self._working:
            while (known := self._cached(tenant_id)) is not None:
                missing = self._missing(known)
                if not missing:
                    return True
                self._add(tenant_id, known, missing[0])
                give_back_freed_memory()
        return False

    def with_vectors(self, question: Question, index: PassageIndex) -> Question:
        """Add the question's vectors by the encoders that the index has: the quick one's now, the other's if needed.

        What is embedded is what the classifier embeds of a message, so that both ask the encoders once.
        """
        asked = question.text[:MAX_QUERY_CHARS]
        sentence = sentence_of(" ".join(readable(asked).split()))
        vectors = self._vectors(sentence, _NAMES[:1], index)
        further = partial(self._vectors, sentence, _NAMES[1:], index)
        of_topics = vectors.get(_OF_TOPICS)
        rows = None if of_topics is None else of_topics[None, :]
        topics = index.topics.probabilities([index.plain(asked)], rows)[0]
        if not vectors:
            return replace(question, vectors=further(), topics=topics)
        return replace(question, vectors=vectors, topics=topics, further=further)

    def _vectors(self, sentence: str, names: Sequence[EncoderName], index: PassageIndex) -> dict[str, Vectors]:
        """Embed by those of the encoders that the index has; one that fails is left out."""
        vectors: dict[str, Vectors] = {}
        for name in names:
            embedder = self.encoders.ready(name)
            if embedder is not None and name in index.views:
                try:
                    vectors[name] = embedder.queries([sentence])[0]
                except SmosError as error:
                    _log.warning("question_not_embedded", encoder=name, error=error.operator_message)
        return vectors

    def _missing(self, known: Indexed) -> list[EncoderName]:
        if len(known.index) == 0:
            return []
        return [name for name in _NAMES if name not in known.enriched_by and self.encoders.kept(name) is not None]

    def _work(self) -> None:
        while True:
            tenant_id = self._waiting.get()
            with self._lock:
                self._asked.discard(tenant_id)
            try:
                self.enrich(tenant_id)
            except Exception as error:  # the index goes on answering by its words
                known = self._cached(tenant_id)
                if known is not None:
                    self._broken.add((tenant_id, known.revision))
                _log.warning("kb_vectors_failed", tenant_id=tenant_id, error=repr(error))

    def _add(self, tenant_id: str, known: Indexed, name: EncoderName) -> None:
        """Add one encoder's vectors and swap the index in; nothing happens when it was replaced meanwhile."""
        embedder = self.encoders.kept(name)
        if embedder is None:
            return
        index = known.index
        rows = self._embedded(tenant_id, known, embedder)
        if rows is None:
            return
        views = {**index.views, name: DenseView(rows)}
        topics, topic_rows = index.topics, index.topic_rows
        if name == _OF_TOPICS:
            topics = self._topics = self._topics or topics_with(embedder)
            titles, texts = topic_texts(index.passages)
            vectors = (in_batches(embedder.queries, titles), in_batches(embedder.queries, texts))
            topic_rows = topics_of_passages(index.passages, topics, vectors)
        enriched = index.with_views(views, topics, topic_rows)
        self._swap(tenant_id, known, known.enriched(enriched, known.enriched_by | {name}))

    def _embedded(self, tenant_id: str, known: Indexed, embedder: Embedder) -> Vectors | None:
        texts = [text_to_embed(passage) for passage in known.index.passages]
        rows = np.zeros((len(texts), embedder.dimension), dtype=np.float32)
        for start in range(0, len(texts), _AT_ONCE):
            if self._cached(tenant_id) is not known:
                return None
            rows[start : start + _AT_ONCE] = embedder.passages(texts[start : start + _AT_ONCE])
        return rows
