"""How often does the right passage come first? A shop of forty passages, 116 questions as customers type them.

The questions were written by the person who wrote ``data/topics.yml``: the figures here are kinder than those of a
stranger's questions (docs/decisions/0014 has both). They guard against getting worse.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from smarteros.agents.native import NativeAgent
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.knowledge import Category, Passage
from smarteros.domain.tenants import TenantScope
from smarteros.embedders.loading import Embedders
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.evaluation import Expected, Recall, measure, read_questions
from smarteros.knowledge.formats.files import read_documents
from smarteros.knowledge.store import MemoryDocumentStore

DATA = Path(__file__).parent / "data"
SCOPE = TenantScope(tenant_id="TENANT_RAYEN")


@pytest.fixture(scope="module")
def questions() -> tuple[Expected, ...]:
    return read_questions("shop_questions.jsonl", (DATA / "shop_questions.jsonl").read_text("utf-8"))


@pytest.fixture(scope="module")
def lexical() -> EmbeddedKnowledgeBase:
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore())
    knowledge.replace(SCOPE, read_documents([DATA / "shop_faq.json"]))
    return knowledge


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKnowledgeBase]:
    encoders = Embedders("full", cache=tmp_path_factory.mktemp("vectors"))
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore(), encoders=encoders)
    knowledge.replace(SCOPE, read_documents([DATA / "shop_faq.json"]))
    assert knowledge.settle(SCOPE, 60)
    yield knowledge


def recall(
    knowledge: EmbeddedKnowledgeBase, questions: tuple[Expected, ...], agent: NativeAgent | None = None
) -> Recall:
    return measure(
        questions,
        lambda asked: knowledge.search(
            SCOPE,
            asked.question,
            language=asked.language,
            limit=10,
            priors=agent.category_priors(SCOPE.tenant_id, asked.question) if agent else None,
        ),
    )


def test_words_alone_put_most_passages_first(lexical: EmbeddedKnowledgeBase, questions: tuple[Expected, ...]):
    found = recall(lexical, questions)
    assert found.at(1) >= 0.90, [each.expected.question for each in found.missed]
    assert found.at(5) >= 0.98


def test_words_vectors_and_intent_put_almost_all_first(hybrid: EmbeddedKnowledgeBase, questions: tuple[Expected, ...]):
    found = recall(hybrid, questions, NativeAgent(hybrid))
    assert found.at(1) >= 0.92, [each.expected.question for each in found.missed]
    assert found.at(5) >= 0.98


def test_an_intent_that_is_known_decides_between_equals(lexical: EmbeddedKnowledgeBase):
    categories: tuple[Category, ...] = ("envios", "devoluciones")
    for category in categories:
        priors: dict[Category, float] = {category: 0.97, "otros": 0.03}
        assert lexical.search(SCOPE, "y cuánto se demora eso", priors=priors)[0].passage.category == category


def test_questions_are_read_in_several_spellings():
    read = read_questions(
        "q.jsonl",
        '{"pregunta": "¿A?", "esperado": "Título"}\n{"query": "B", "document": "b.md", "language": "en-US"}\n'
        '{"text": "C", "contains": ["3 días", "$5"]}\n',
    )
    passage = Passage(document="b.md", title="Título", category="otros", language="es", text="En 3 días, $5.")
    assert [each.fits(passage) for each in read] == [True, True, True]
    assert read[1].language == "en"


@pytest.mark.parametrize("line", ["{", "[]", '{"question": "a"}', '{"expected": "b"}', "3"])
def test_a_line_that_is_no_question_is_named(line: str):
    with pytest.raises(RejectedInputError, match="line 2"):
        read_questions("q.jsonl", f'{{"question": "a", "expected": "b"}}\n{line}')


def test_recall_counts_places():
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore())
    assert recall(knowledge, ()).at(1) == 0
    assert recall(knowledge, (Expected("a", titles=("b",)),)).at(5) == 0
