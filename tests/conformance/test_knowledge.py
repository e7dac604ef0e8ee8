"""What every KnowledgeBase and every DocumentStore must do, whatever stands behind it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from smarteros.domain.errors import RejectedInputError
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


def test_every_save_is_a_version_that_can_be_gone_back_to(
    knowledge: KnowledgeBase, a_tenant: Callable[[], TenantScope]
):
    scope, other = a_tenant(), a_tenant()
    first, second = (document("uno.md", "Con débito."),), (document("dos.md", "Con cheque."),)
    knowledge.replace(scope, first, note="uno")
    knowledge.replace(scope, second, note="dos")
    versions = knowledge.versions(scope)
    assert [(v.note, v.documents, v.current) for v in versions] == [("dos", 1, True), ("uno", 1, False)]
    assert knowledge.rollback(scope) == 1
    assert knowledge.documents(scope) == first
    assert knowledge.rollback(scope, versions[0].revision) == 1
    assert knowledge.documents(scope) == second
    assert knowledge.versions(other) == ()
    with pytest.raises(RejectedInputError):
        knowledge.rollback(other)


def test_only_so_many_versions_are_kept(knowledge: KnowledgeBase, a_tenant: Callable[[], TenantScope]):
    scope = a_tenant()
    for number in range(23):
        knowledge.replace(scope, (document("a.md", f"Número {number}."),))
    versions = knowledge.versions(scope)
    assert len(versions) == 20
    with pytest.raises(RejectedInputError):
        knowledge.rollback(scope, versions[-1].revision - 1)


def test_merging_replaces_by_name_and_keeps_the_rest(knowledge: KnowledgeBase, a_tenant: Callable[[], TenantScope]):
    scope = a_tenant()
    knowledge.replace(scope, (document("a.md", "Con débito."), document("b.md", "Con vale.")))
    assert knowledge.merge(scope, (document("c.md", "Con oro."), document("a.md", "Con crédito."))) == 3
    assert [d.name for d in knowledge.documents(scope)] == ["a.md", "b.md", "c.md"]
    assert "Con crédito." in {hit.passage.text for hit in knowledge.search(scope, "crédito")}


def test_only_approved_texts_that_hold_that_day_answer(knowledge: KnowledgeBase, a_tenant: Callable[[], TenantScope]):
    scope = a_tenant()
    texts = {
        "borrador.md": "approval: draft", "vencido.md": "valid_until: 2026-06-30",
        "vigente.md": "valid_from: 2026-07-01",
    }  # fmt: skip
    knowledge.replace(
        scope,
        tuple(parse_markdown(n, f"---\ncategory: pago\n{f}\n---\n## ¿Cómo se paga?\nAsí.") for n, f in texts.items()),
    )

    def answering(day: date) -> set[str]:
        return {hit.passage.document for hit in knowledge.search(scope, "cómo se paga", today=day)}

    assert answering(date(2026, 6, 30)) == {"vencido.md"}
    assert answering(date(2026, 7, 1)) == {"vigente.md"}
    assert len(knowledge.passages(scope)) == 3


def test_opening_hours_are_answered_from_the_tenants_own_texts(
    knowledge: KnowledgeBase, a_tenant: Callable[[], TenantScope]
):
    scope, other = a_tenant(), a_tenant()
    text = "---\ncategory: horarios\n---\n## ¿Cuál es el horario?\nLunes a viernes de 10:00 a 19:00."
    knowledge.replace(scope, (parse_markdown("h.md", text),))
    now = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
    found = knowledge.answer_about_hours(scope, "¿están abiertos?", now=now)
    assert found is not None
    assert found.text == "Hoy lunes 23 de noviembre atendemos de 10:00 a 19:00; ahora está abierto."
    assert knowledge.answer_about_hours(other, "¿están abiertos?", now=now) is None
