"""The embedded knowledge base: documents in a store, their passages indexed in memory per tenant."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from smarteros.domain.decisions import Language
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.knowledge import Category, Document, Hit, Policy
from smarteros.domain.tenants import TenantScope
from smarteros.knowledge.markdown import passages_of
from smarteros.knowledge.memory import PassageIndex
from smarteros.knowledge.protocol import DocumentStore

# How long an import by another process may stay unseen here; a turn asks several times and the store once.
FRESH_FOR_S = 0.25


@dataclass(frozen=True)
class _Indexed:
    """What is kept per tenant, with the revision of the store it was made from."""

    revision: int
    documents: tuple[Document, ...]
    index: PassageIndex


class EmbeddedKnowledgeBase:
    """KnowledgeBase without a server of its own. Indexes of the tenants asked last are kept, others are rebuilt."""

    def __init__(
        self,
        store: DocumentStore,
        *,
        cached_tenants: int = 64,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._monotonic = monotonic
        self._asked_at: dict[str, float] = {}
        self._cached_tenants = cached_tenants
        self._lock = threading.Lock()
        self._cache: OrderedDict[str, _Indexed] = OrderedDict()

    def replace(self, scope: TenantScope, documents: tuple[Document, ...]) -> int:
        """Make these the tenant's documents; RejectedInputError when two of them have one name."""
        names = [document.name for document in documents]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise RejectedInputError("kb_duplicate_name", f"Two documents are named {', '.join(twice)}")
        self._store.save(scope, documents)
        self._asked_at.pop(scope.tenant_id, None)
        return len(self._indexed(scope).index)

    def documents(self, scope: TenantScope) -> tuple[Document, ...]:
        """List the tenant's documents in the order of their import."""
        return self._indexed(scope).documents

    def search(
        self,
        scope: TenantScope,
        query: str,
        *,
        language: Language = "es",
        category: Category | None = None,
        limit: int = 5,
    ) -> tuple[Hit, ...]:
        """Find the passages nearest to a question, best first; see ``PassageIndex.search``."""
        return self._indexed(scope).index.search(query, language=language, category=category, limit=limit)

    def policy(self, scope: TenantScope) -> Policy:
        """Return the policy figures; the first document that states one wins."""
        facts: dict[str, int] = {}
        for document in self._indexed(scope).documents:
            for name, value in document.facts.items():
                facts.setdefault(name, value)
        return Policy(
            warranty_days=facts.get("warranty_days"),
            return_days=facts.get("return_days"),
            refund_working_days=facts.get("refund_working_days"),
        )

    def _indexed(self, scope: TenantScope) -> _Indexed:
        now = self._monotonic()
        with self._lock:
            known = self._cache.get(scope.tenant_id)
            if known is not None and now - self._asked_at.get(scope.tenant_id, -FRESH_FOR_S) < FRESH_FOR_S:
                return known
        # The revision is read before the documents: a save in between makes the entry look old, never new.
        revision = self._store.revision(scope)
        with self._lock:
            self._asked_at[scope.tenant_id] = now
            known = self._cache.get(scope.tenant_id)
            if known is not None and known.revision == revision:
                self._cache.move_to_end(scope.tenant_id)
                return known
        documents = self._store.load(scope)
        passages = [passage for document in documents for passage in passages_of(document)]
        fresh = _Indexed(revision=revision, documents=documents, index=PassageIndex(passages))
        with self._lock:
            self._cache[scope.tenant_id] = fresh
            self._cache.move_to_end(scope.tenant_id)
            while len(self._cache) > self._cached_tenants:
                self._asked_at.pop(self._cache.popitem(last=False)[0], None)
        return fresh
