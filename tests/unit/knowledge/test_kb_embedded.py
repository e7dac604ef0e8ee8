"""The embedded knowledge base over a store: policy, cache, changes made by other processes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.knowledge import Document, Policy
from smarteros.domain.tenants import TenantScope
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.markdown import parse_markdown
from smarteros.knowledge.store import MemoryDocumentStore

SCOPE = TenantScope(tenant_id="TENANT_A")


class CountingStore(MemoryDocumentStore):
    """Counts how often documents are loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.loads = 0

    def load(self, scope: TenantScope) -> tuple[Document, ...]:
        self.loads += 1
        return super().load(scope)


def document(name: str, answer: str) -> Document:
    return parse_markdown(name, f"---\ncategory: pago\n---\n# Pago\n## ¿Cómo se paga?\n{answer}\n")


def test_policy_figures_come_from_the_documents_and_the_first_one_wins():
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore())
    assert knowledge.policy(SCOPE) == Policy()
    knowledge.replace(
        SCOPE,
        (
            parse_markdown("a.md", "---\nwarranty_days: 90\n---\n# A\n"),
            parse_markdown("b.md", "---\nwarranty_days: 30\nreturn_days: 30\nrefund_working_days: 7\n---\n# B\n"),
        ),
    )
    assert knowledge.policy(SCOPE) == Policy(warranty_days=90, return_days=30, refund_working_days=7)


def test_the_index_is_built_once_and_again_only_after_a_change():
    store = CountingStore()
    knowledge = EmbeddedKnowledgeBase(store)
    knowledge.replace(SCOPE, (document("pago.md", "Con débito."),))
    for _ in range(5):
        knowledge.search(SCOPE, "pagar")
    assert store.loads == 1


def test_documents_imported_by_another_process_are_seen_at_the_next_question():
    store = MemoryDocumentStore()
    here, elsewhere = EmbeddedKnowledgeBase(store), EmbeddedKnowledgeBase(store)
    here.replace(SCOPE, (document("pago.md", "Con débito."),))
    assert here.search(SCOPE, "pagar")[0].passage.text == "Con débito."
    elsewhere.replace(SCOPE, (document("pago.md", "Con crédito."),))
    assert here.search(SCOPE, "pagar")[0].passage.text == "Con crédito."


def test_the_tenants_asked_least_recently_leave_the_cache_first():
    store = CountingStore()
    knowledge = EmbeddedKnowledgeBase(store, cached_tenants=2)
    scopes = [TenantScope(tenant_id=f"TENANT_{letter}") for letter in "ABC"]
    for scope in (scopes[0], scopes[1], scopes[0], scopes[2]):  # B is the one forgotten
        knowledge.search(scope, "pagar")
    loads = store.loads
    knowledge.search(scopes[0], "pagar")
    assert store.loads == loads
    knowledge.search(scopes[1], "pagar")
    assert store.loads == loads + 1


def test_two_documents_of_one_name_are_refused_and_nothing_changes():
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore())
    knowledge.replace(SCOPE, (document("pago.md", "Con débito."),))
    with pytest.raises(RejectedInputError, match=r"pago\.md"):
        knowledge.replace(SCOPE, (document("pago.md", "uno"), document("pago.md", "dos")))
    assert len(knowledge.documents(SCOPE)) == 1


def test_searching_while_documents_are_replaced_always_sees_one_version_whole():
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore())
    versions = [tuple(document(f"{name}{version}.md", f"v{version}") for name in "ab") for version in range(6)]
    knowledge.replace(SCOPE, versions[0])

    def search() -> set[str]:
        return {hit.passage.text for hit in knowledge.search(SCOPE, "cómo se paga", limit=10)}

    with ThreadPoolExecutor(4) as pool:
        seen = [pool.submit(search) for _ in range(40)]
        for version in versions[1:]:
            knowledge.replace(SCOPE, version)
        assert all(len(future.result()) == 1 for future in seen)
    assert search() == {"v5"}
