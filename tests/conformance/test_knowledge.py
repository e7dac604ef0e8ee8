"""What every KnowledgeBase and every DocumentStore must do, whatever stands behind it."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from smarteros.domain.knowledge import Document
from smarteros.domain.tenants import TenantScope
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.markdown import parse_markdown
from smarteros.knowledge.protocol import DocumentStore, KnowledgeBase
from smarteros.knowledge.store import MemoryDocumentStore
from smarteros.store.database import Database
from smarteros.store.documents import PostgresDocumentStore


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> DocumentStore:
    if request.param == "memory":
        return MemoryDocumentStore()
    database: Database = request.getfixturevalue("database")
    return PostgresDocumentStore(database)


@pytest.fixture
def knowledge(store: DocumentStore) -> KnowledgeBase:
    return EmbeddedKnowledgeBase(store)


@pytest.fixture
def a_tenant() -> Callable[[], TenantScope]:
    return lambda: TenantScope(tenant_id=f"TENANT_{uuid.uuid4().hex[:12].upper()}")


def document(name: str, answer: str, *, language: str = "es") -> Document:
    front = f"---\ncategory: pago\nlanguage: {language}\nreturn_days: 30\n---\n"
    return parse_markdown(name, f"{front}# Pago\n## ¿Cómo se paga?\n{answer}\n")


def test_documents_come_back_as_they_were_saved(knowledge: KnowledgeBase, a_tenant: Callable[[], TenantScope]):
    scope = a_tenant()
    documents = (document("z.md", "Con débito ñandú 💳."), document("a.md", "Con crédito."))
    assert knowledge.replace(scope, documents) == 2
    assert knowledge.documents(scope) == documents


def test_replacing_leaves_nothing_of_the_old_documents(knowledge: KnowledgeBase, a_tenant: Callable[[], TenantScope]):
    scope = a_tenant()
    knowledge.replace(scope, (document("viejo.md", "Con cheque."), document("otro.md", "Con vale.")))
    knowledge.replace(scope, (document("nuevo.md", "Con débito."),))
    assert {hit.passage.document for hit in knowledge.search(scope, "cómo se paga", limit=10)} == {"nuevo.md"}
    assert knowledge.replace(scope, ()) == 0
    assert knowledge.search(scope, "cómo se paga") == ()


def test_a_tenant_never_sees_anothers_passage(knowledge: KnowledgeBase, a_tenant: Callable[[], TenantScope]):
    ours, theirs, nobody = a_tenant(), a_tenant(), a_tenant()
    knowledge.replace(ours, (document("pago.md", "La clave nuestra es azul."),))
    knowledge.replace(theirs, (document("pago.md", "La clave ajena es roja."),))
    for question in ("clave", "nuestra azul", "ajena roja", "cómo se paga"):
        assert all("nuestra" in hit.passage.text for hit in knowledge.search(ours, question, category="pago"))
        assert all("ajena" in hit.passage.text for hit in knowledge.search(theirs, question, category="pago"))
        assert knowledge.search(nobody, question, category="pago") == ()
    assert knowledge.documents(nobody) == ()
    assert knowledge.policy(nobody).return_days is None


def test_policy_figures_are_the_tenants_own(knowledge: KnowledgeBase, a_tenant: Callable[[], TenantScope]):
    scope = a_tenant()
    knowledge.replace(scope, (document("pago.md", "Con débito."),))
    assert knowledge.policy(scope).return_days == 30


def test_the_answer_is_in_the_language_asked_where_there_is_one(
    knowledge: KnowledgeBase, a_tenant: Callable[[], TenantScope]
):
    scope = a_tenant()
    knowledge.replace(scope, (document("pago.md", "Con débito."),))
    assert knowledge.search(scope, "how to pay", language="en", category="pago")[0].passage.language == "es"
    knowledge.replace(scope, (document("pago.md", "Con débito."), document("pay.md", "By card.", language="en")))
    assert knowledge.search(scope, "how to pay", language="en", category="pago")[0].passage.text == "By card."


def test_no_more_hits_than_asked_for(knowledge: KnowledgeBase, a_tenant: Callable[[], TenantScope]):
    scope = a_tenant()
    knowledge.replace(scope, tuple(document(f"{n}.md", f"Se paga así {n}.") for n in range(6)))
    assert len(knowledge.search(scope, "cómo se paga", limit=2)) == 2


def test_the_revision_differs_after_every_save(store: DocumentStore, a_tenant: Callable[[], TenantScope]):
    scope, other = a_tenant(), a_tenant()
    seen = [store.revision(scope)]
    for documents in ((document("a.md", "uno"),), (document("a.md", "dos"),), ()):
        store.save(scope, documents)
        seen.append(store.revision(scope))
    assert seen[0] == 0
    assert len(set(seen)) == len(seen)
    assert store.revision(other) == 0


@pytest.mark.parametrize("question", ["", " ", "'; DROP TABLE x; --", "%_\\", "\x00", "ñ" * 50_000, "😀"])
def test_odd_questions_find_something_or_nothing_but_never_fail(
    knowledge: KnowledgeBase, a_tenant: Callable[[], TenantScope], question: str
):
    scope = a_tenant()
    knowledge.replace(scope, (document("pago.md", "Con débito."),))
    assert len(knowledge.search(scope, question)) <= 5
