"""Sentence vectors come behind: nothing waits for them, an import loses none, an encoder may fail."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from typing import Literal

import numpy as np

from smarteros.domain.errors import TransientError
from smarteros.domain.knowledge import Document
from smarteros.domain.tenants import TenantScope
from smarteros.embedders.protocol import Embedder, Vectors
from smarteros.knowledge.base import FRESH_FOR_S, EmbeddedKnowledgeBase
from smarteros.knowledge.markdown import parse_markdown
from smarteros.knowledge.store import MemoryDocumentStore

SCOPE = TenantScope(tenant_id="TENANT_A")
OTHER = TenantScope(tenant_id="TENANT_B")
Name = Literal["use", "e5"]


class MeaningEmbedder:
    """Knows one thing about meaning: "guagua" and "bebé" are the same; other texts point anywhere."""

    name = "meaning"
    dimension = 64

    def __init__(self) -> None:
        self.embedded: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.broken = False

    def queries(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._vector(text) for text in texts])

    def passages(self, texts: Sequence[str]) -> Vectors:
        self.gate.wait(10)
        if self.broken:
            raise TransientError("encoder_down", "The encoder does not answer")
        self.embedded += texts
        return self.queries(texts)

    def _vector(self, text: str) -> Vectors:
        meaning = "bebe" if "guagua" in text.lower() or "bebé" in text.lower() else text
        seed = int.from_bytes(hashlib.sha256(meaning.encode()).digest()[:4])
        vector = np.random.default_rng(seed).normal(size=self.dimension)
        return (vector / np.linalg.norm(vector)).astype(np.float32)


class OneEncoder:
    """Encoders of which only one exists, once it is loaded."""

    def __init__(self, embedder: MeaningEmbedder, *, loaded: bool = True, name: Name = "e5") -> None:
        self.embedder, self.loaded, self._name = embedder, loaded, name

    def ready(self, name: Name) -> Embedder | None:
        return self.embedder if self.loaded and name == self._name else None

    kept = ready

    def wait(self, timeout_s: float | None = None) -> bool:
        return True


def document(name: str, *answers: str) -> Document:
    return parse_markdown(name, "".join(f"## Asunto {n}\n{answer}\n" for n, answer in enumerate(answers)))


CHANGING_TABLE = "Hay un mudador para tu bebé en el baño."
SHOP = (
    document("a.md", "Vendemos tazas azules.", "Hay una sala de lectura.", CHANGING_TABLE),
    document("b.md", "Tostamos café.", "Molemos trigo.", "Cosemos bolsos.", "Pintamos muros.", "Hilamos lana."),
)


def first(knowledge: EmbeddedKnowledgeBase, question: str = "guagua") -> str | None:
    hits = knowledge.search(SCOPE, question)
    return hits[0].passage.text if hits else None


def test_a_question_in_other_words_finds_its_passage_once_there_are_vectors():
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore(), encoders=OneEncoder(MeaningEmbedder()))
    knowledge.replace(SCOPE, SHOP)
    assert first(EmbeddedKnowledgeBase(MemoryDocumentStore())) is None
    assert knowledge.settle(SCOPE, 1.0)
    assert first(knowledge) == CHANGING_TABLE


def test_a_search_answers_by_words_while_vectors_are_being_computed():
    embedder = MeaningEmbedder()
    embedder.gate.clear()
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore(), encoders=OneEncoder(embedder))
    knowledge.replace(SCOPE, SHOP)
    assert first(knowledge, "café") == "Tostamos café."
    embedder.gate.set()
    knowledge.settle(SCOPE, 1.0)
    assert first(knowledge) == CHANGING_TABLE


def test_encoders_that_are_loaded_later_are_used_from_then_on():
    encoders = OneEncoder(MeaningEmbedder(), loaded=False)
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore(), encoders=encoders)
    knowledge.replace(SCOPE, SHOP)
    first(knowledge)
    encoders.loaded = True
    assert knowledge.settle(SCOPE, 1.0)
    assert first(knowledge) == CHANGING_TABLE


def test_an_import_takes_over_the_vectors_of_what_did_not_change():
    embedder = MeaningEmbedder()
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore(), encoders=OneEncoder(embedder))
    knowledge.replace(SCOPE, SHOP)
    knowledge.settle(SCOPE, 1.0)
    embedder.gate.clear()
    knowledge.merge(SCOPE, (document("c.md", "Regamos plantas."),))
    assert first(knowledge) == CHANGING_TABLE
    embedder.gate.set()
    assert knowledge.settle(SCOPE, 1.0)


def test_an_import_during_the_work_is_not_overwritten_by_it():
    embedder = MeaningEmbedder()
    embedder.gate.clear()
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore(), encoders=OneEncoder(embedder))
    knowledge.replace(SCOPE, SHOP)
    first(knowledge)
    knowledge.replace(SCOPE, (document("nuevo.md", "Todo es nuevo.", "De verdad.", "Y más."),))
    embedder.gate.set()
    knowledge.settle(SCOPE, 1.0)
    assert {hit.passage.document for hit in knowledge.search(SCOPE, "asunto", limit=10)} == {"nuevo.md"}


def test_an_encoder_that_fails_leaves_the_words():
    embedder = MeaningEmbedder()
    embedder.broken = True
    clock = iter(range(1_000))
    knowledge = EmbeddedKnowledgeBase(
        MemoryDocumentStore(), encoders=OneEncoder(embedder), monotonic=lambda: next(clock) * FRESH_FOR_S
    )
    knowledge.replace(SCOPE, SHOP)
    for _ in range(5):
        assert first(knowledge, "café") == "Tostamos café."


def test_the_matters_of_texts_are_known_by_the_small_encoder_too():
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore(), encoders=OneEncoder(MeaningEmbedder(), name="use"))
    knowledge.replace(SCOPE, SHOP)
    assert knowledge.settle(SCOPE, 1.0)
    assert first(knowledge) == CHANGING_TABLE


def test_without_encoders_there_is_nothing_to_wait_for():
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore())
    knowledge.replace(SCOPE, SHOP)
    assert knowledge.settle(SCOPE, 1.0) is False


def test_tenants_with_contradicting_texts_never_mix_with_vectors_either():
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore(), encoders=OneEncoder(MeaningEmbedder()))
    knowledge.replace(SCOPE, (document("a.md", "Sí, hay mudador para bebé."), *SHOP[1:]))
    knowledge.replace(OTHER, (document("a.md", "No hay mudador para bebé."), *SHOP[1:]))
    for scope in (SCOPE, OTHER):
        knowledge.settle(scope, 1.0)
    for _ in range(3):
        assert knowledge.search(SCOPE, "guagua")[0].passage.text == "Sí, hay mudador para bebé."
        assert knowledge.search(OTHER, "guagua")[0].passage.text == "No hay mudador para bebé."


def test_the_passages_kept_in_memory_are_bounded():
    class Counting(MemoryDocumentStore):
        loads = 0

        def load(self, scope: TenantScope) -> tuple[Document, ...]:
            self.loads += 1
            return super().load(scope)

    store = Counting()
    knowledge = EmbeddedKnowledgeBase(store, cached_passages=8)
    for scope in (SCOPE, OTHER):
        knowledge.replace(scope, SHOP)
    loads = store.loads
    knowledge.search(OTHER, "café")
    assert store.loads == loads
    knowledge.search(SCOPE, "café")
    assert store.loads == loads + 1
