"""What is kept in memory of one tenant: its documents and the index over their passages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from smarteros.agents.normalise import normalise
from smarteros.domain.knowledge import Document, Passage
from smarteros.knowledge.memory import DenseView, PassageIndex, topics_of_passages
from smarteros.knowledge.opening_hours import OpeningHours
from smarteros.knowledge.passages import passages_of
from smarteros.knowledge.topics import lexical_topics

_SURE_OF_CATEGORY = 0.6


@dataclass(frozen=True)
class Indexed:
    """Documents and index, with the revision of the store they were made from."""

    revision: int
    documents: tuple[Document, ...]
    index: PassageIndex
    enriched_by: frozenset[str] = frozenset()

    @cached_property
    def hours(self) -> OpeningHours:
        """What the passages say about opening hours, read when it is first asked for."""
        return OpeningHours(self.index.passages)

    def enriched(self, index: PassageIndex, by: frozenset[str]) -> Indexed:
        """Return the same documents with an index that has sentence vectors by these encoders."""
        return replace(self, index=index, enriched_by=by)


def indexed(revision: int, documents: tuple[Document, ...], *, before: Indexed | None) -> Indexed:
    """Build the index over documents; vectors of passages that were in the index before are taken over."""
    passages = [_categorised(passage) for document in documents for passage in passages_of(document)]
    if before is None or not before.index.views:
        return Indexed(revision, documents, PassageIndex(passages))
    old = before.index
    place = {text_to_embed(passage): at for at, passage in enumerate(old.passages)}
    taken = [(at, place[text]) for at, p in enumerate(passages) if (text := text_to_embed(p)) in place]
    here, there = [at for at, _ in taken], [at for _, at in taken]
    views: dict[str, DenseView] = {}
    for name, view in old.views.items():
        rows = np.zeros((len(passages), view.rows.shape[1]), dtype=np.float32)
        rows[here] = view.rows[there]
        views[name] = DenseView(rows)
    topic_rows = topics_of_passages(passages, lexical_topics())
    topic_rows[here] = old.topic_rows[there]
    return Indexed(
        revision, documents, PassageIndex(passages, views=views, topics=old.topics, passage_topics=topic_rows)
    )


def text_to_embed(passage: Passage) -> str:
    """Return what encoders read of a passage."""
    return f"{passage.title}\n{passage.text}"


def _categorised(passage: Passage) -> Passage:
    """Find the category of a passage whose owner named none, where its topic leaves little doubt."""
    if passage.category != "otros":
        return passage
    topics = lexical_topics()
    by_category = topics.by_category(topics.probabilities([normalise(passage.title)])[0])
    best = max(by_category, key=by_category.__getitem__)
    return passage.model_copy(update={"category": best}) if by_category[best] >= _SURE_OF_CATEGORY else passage
