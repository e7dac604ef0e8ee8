"""The embedded knowledge base over a store: policy, cache, changes made by other processes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.knowledge import Document, Policy
from smarteros.domain.tenants import TenantScope
from smarteros.knowledge.base import FRESH_FOR_S, EmbeddedKnowledgeBase
from smarteros.knowledge.markdown import parse_markdown
from smarteros.knowledge.store import MemoryDocumentStore

SCOPE = TenantScope(tenant_id="TENANT_A")


class CountingStore(MemoryDocumentStore):
    """Counts how often documents are loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.loads = self.asked = 0

    def revision(self, scope: TenantScope) -> int:
        self.asked += 1
        return super().revision(scope)

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


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def first_answer(knowledge: EmbeddedKnowledgeBase) -> str:
    return knowledge.search(SCOPE, "pagar")[0].passage.text


def test_documents_imported_by_another_process_are_seen_a_moment_later():
    store, clock = MemoryDocumentStore(), Clock()
    here, elsewhere = EmbeddedKnowledgeBase(store, monotonic=clock), EmbeddedKnowledgeBase(store, monotonic=clock)
    here.replace(SCOPE, (document("pago.md", "Con débito."),))
    assert first_answer(here) == "Con débito."
    elsewhere.replace(SCOPE, (document("pago.md", "Con crédito."),))
    clock.now += FRESH_FOR_S
    assert first_answer(here) == "Con crédito."


def test_a_turn_that_asks_several_times_asks_the_store_once():
    store, clock = CountingStore(), Clock()
    knowledge = EmbeddedKnowledgeBase(store, monotonic=clock)
    for _ in range(5):
        knowledge.search(SCOPE, "pagar")
        knowledge.policy(SCOPE)
        clock.now += FRESH_FOR_S / 10
    assert store.asked == 1
    clock.now += FRESH_FOR_S
    knowledge.search(SCOPE, "pagar")
    assert store.asked == 2


def test_documents_imported_here_are_seen_at_once_and_do_not_make_others_stale():
    clock = Clock()
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore(), monotonic=clock)
    for answer in ("Con débito.", "Con crédito."):
        knowledge.replace(SCOPE, (document("pago.md", answer),))
        assert first_answer(knowledge) == answer


def test_an_import_is_seen_at_once_though_somebody_asked_just_before_it():
    old_read, importing, answered, clock = threading.Event(), threading.Event(), threading.Event(), Clock()

    class Store(MemoryDocumentStore):
        def revision(self, scope: TenantScope) -> int:
            found = super().revision(scope)
            if threading.current_thread() is not importer and not old_read.is_set():
                old_read.set()
                importing.wait(10)
            return found

    def monotonic() -> float:
        if threading.current_thread() is importer:
            importing.set()
            answered.wait(10)
        return clock()

    def replace() -> None:
        old_read.wait(10)
        knowledge.replace(SCOPE, (document("pago.md", "Con crédito."),))

    importer = threading.Thread(target=replace)
    old_read.set()
    knowledge = EmbeddedKnowledgeBase(Store(), monotonic=monotonic)
    knowledge.replace(SCOPE, (document("pago.md", "Con débito."),))
    clock.now += FRESH_FOR_S
    old_read.clear()
    importer.start()
    assert first_answer(knowledge) == "Con débito."
    answered.set()
    importer.join(10)

    assert first_answer(knowledge) == "Con crédito."


def test_an_import_is_not_undone_by_somebody_who_was_still_reading_the_documents_before_it():
    clock = Clock()

    class Store(MemoryDocumentStore):
        meanwhile: Callable[[], object] | None = None

        def load(self, scope: TenantScope) -> tuple[Document, ...]:
            found = super().load(scope)
            meanwhile, self.meanwhile = self.meanwhile, None
            if meanwhile is not None:
                meanwhile()
            return found

    store = Store()
    EmbeddedKnowledgeBase(store).replace(SCOPE, (document("pago.md", "Con débito."),))
    knowledge = EmbeddedKnowledgeBase(store, monotonic=clock)
    store.meanwhile = lambda: knowledge.replace(SCOPE, (document("pago.md", "Con crédito."),))
    knowledge.search(SCOPE, "pagar")

    assert first_answer(knowledge) == "Con crédito."


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


def test_a_large_index_goes_on_answering_until_the_next_one_is_built():
    loaded, may_load, clock = threading.Event(), threading.Event(), Clock()

    class Store(MemoryDocumentStore):
        def load(self, scope: TenantScope) -> tuple[Document, ...]:
            if threading.current_thread().name == "kb-index":
                may_load.wait(10)
                loaded.set()
            return super().load(scope)

    def shop(answer: str) -> tuple[Document, ...]:
        rest = "".join(f"## Asunto {number}\nTexto {number}.\n" for number in range(450))
        return (document("pago.md", answer), parse_markdown("resto.md", rest))

    store = Store()
    here, elsewhere = EmbeddedKnowledgeBase(store, monotonic=clock), EmbeddedKnowledgeBase(store, monotonic=clock)
    here.replace(SCOPE, shop("Con débito."))
    elsewhere.replace(SCOPE, shop("Con crédito."))
    clock.now += FRESH_FOR_S
    assert first_answer(here) == "Con débito."
    may_load.set()
    builders = [thread for thread in threading.enumerate() if thread.name == "kb-index"]
    for builder in builders:
        builder.join(30)
    assert loaded.is_set()
    assert first_answer(here) == "Con crédito."
