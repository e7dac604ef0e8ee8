"""The dear encoder is asked only where the first passage is in doubt without it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from smarteros.domain.tenants import TenantScope
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.formats.files import read_documents
from smarteros.knowledge.memory import DenseView, PassageIndex, Question
from smarteros.knowledge.postings import Floats
from smarteros.knowledge.store import MemoryDocumentStore

SCOPE = TenantScope(tenant_id="TENANT_RAYEN")
DEAR = "e5"


class Looks:
    """A shop's index, and an encoder that counts how often it is asked and points at one passage."""

    def __init__(self) -> None:
        knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore())
        knowledge.replace(SCOPE, read_documents([Path(__file__).parent / "data" / "shop_faq.json"]))
        words = PassageIndex(knowledge.passages(SCOPE))
        self.rows = np.eye(len(words), dtype=np.float32)
        self.index = words.with_views({DEAR: DenseView(self.rows)}, words.topics, words.topic_rows)
        self.asked = 0

    def first(self, question: str, *, points_at: int = 0) -> str:
        def further() -> Mapping[str, Floats]:
            self.asked += 1
            return {DEAR: self.rows[points_at]}

        return self.index.find(Question(question, further=further), limit=3)[0].passage.title


@pytest.fixture(scope="module")
def shop() -> Looks:
    return Looks()


@pytest.fixture(autouse=True)
def forget(shop: Looks) -> None:
    shop.asked = 0


def test_a_clear_question_of_shops_is_answered_without_it(shop: Looks):
    clear = shop.first("¿Dónde están ubicados?", points_at=30)
    assert shop.asked == 0
    assert clear == shop.index.find(Question("¿Dónde están ubicados?"), limit=1)[0].passage.title


def test_a_question_in_doubt_is_decided_by_it(shop: Looks):
    assert shop.first("y eso cómo es", points_at=30) == shop.index.passages[30].title
    assert shop.asked == 1


def test_a_question_of_other_matters_than_shops_is_looked_at_twice_however_clear(shop: Looks):
    shop.first("¿quién pintó la capilla Sixtina?")
    assert shop.asked == 1
