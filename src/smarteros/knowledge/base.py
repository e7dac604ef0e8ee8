"""The embedded knowledge base: documents in a store, their passages indexed in memory per tenant."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import date, datetime

import structlog

from smarteros.domain.decisions import Language
from smarteros.domain.errors import RejectedInputError, SmosError
from smarteros.domain.knowledge import Category, Document, Hit, KnowledgeVersion, Passage, Policy
from smarteros.domain.tenants import TenantScope
from smarteros.kit.clock import Clock, SystemClock, in_santiago
from smarteros.knowledge.enriching import Enricher
from smarteros.knowledge.indexed import Indexed, indexed
from smarteros.knowledge.memory import Question
from smarteros.knowledge.opening_hours import HoursAnswer, answer_about_hours
from smarteros.knowledge.protocol import DocumentStore, Encoders

# How long an import by another process may stay unseen here; a turn asks several times and the store once.
FRESH_FOR_S = 0.25
_BUILT_BEHIND = 400  # passages; fewer are indexed at once, in some hundred milliseconds

_log = structlog.get_logger()


class EmbeddedKnowledgeBase:
    """KnowledgeBase without a server of its own. Indexes of the tenants asked last are kept, others are rebuilt.

    An index of words answers at once; sentence vectors are added in the background, and those of passages that did
    not change are taken over, so that an import makes no answer worse for a while.
    """

    def __init__(
        self,
        store: DocumentStore,
        *,
        encoders: Encoders | None = None,
        clock: Clock | None = None,
        cached_tenants: int = 64,
        cached_passages: int = 20_000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``cached_passages`` of all tenants together, 4 kB each with vectors; the tenant asked last always fits."""
        self._store = store
        self._clock = clock or SystemClock()
        self._monotonic = monotonic
        self._asked_at: dict[str, float] = {}
        self._building: set[str] = set()
        self._imports: dict[str, int] = {}  # made here, by tenant
        self._cached_tenants = cached_tenants
        self._cached_passages = cached_passages
        self._lock = threading.Lock()
        self._cache: OrderedDict[str, Indexed] = OrderedDict()
        self._enricher = None if encoders is None else Enricher(encoders, self._cached, self._swap)

    def replace(self, scope: TenantScope, documents: tuple[Document, ...], *, note: str = "") -> int:
        """Make these the tenant's documents; RejectedInputError when two of them have one name."""
        names = [document.name for document in documents]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise RejectedInputError("kb_duplicate_name", f"Two documents are named {', '.join(twice)}")
        self._store.save(scope, documents, note=note)
        with self._lock:
            self._imports[scope.tenant_id] = self._imports.get(scope.tenant_id, 0) + 1
        return len(self._indexed(scope, imported=True).index)

    def merge(self, scope: TenantScope, documents: tuple[Document, ...], *, note: str = "") -> int:
        """Add these to the tenant's documents, in place of those of the same names."""
        return self.change(scope, lambda before: merged(before, documents), note=note)

    def change(
        self, scope: TenantScope, how: Callable[[tuple[Document, ...]], tuple[Document, ...]], *, note: str = ""
    ) -> int:
        """Make of the documents as the store has them now what ``how`` says."""
        return self.replace(scope, how(self._store.load(scope)), note=note)

    def documents(self, scope: TenantScope) -> tuple[Document, ...]:
        """List the tenant's documents in the order of their import."""
        return self._indexed(scope).documents

    def passages(self, scope: TenantScope) -> tuple[Passage, ...]:
        """List the passages of all documents, drafts and expired ones too."""
        return self._indexed(scope).index.passages

    def versions(self, scope: TenantScope) -> tuple[KnowledgeVersion, ...]:
        """List the versions that can be gone back to, newest first."""
        return self._store.versions(scope)

    def rollback(self, scope: TenantScope, revision: int | None = None) -> int:
        """Make an earlier version the newest; the one left stays a version too."""
        if revision is None:
            earlier = [version.revision for version in self._store.versions(scope) if not version.current]
            if not earlier:
                raise RejectedInputError("kb_no_version", "There is no earlier version to go back to")
            revision = earlier[0]
        documents = self._store.load_version(scope, revision)
        if documents is None:
            raise RejectedInputError("kb_no_version", f"Version {revision} is not kept; see smos kb versions")
        return self.replace(scope, documents, note=f"rollback to {revision}")

    def search(
        self,
        scope: TenantScope,
        query: str,
        *,
        language: Language = "es",
        category: Category | None = None,
        limit: int = 5,
        priors: Mapping[Category, float] | None = None,
        today: date | None = None,
    ) -> tuple[Hit, ...]:
        """Find the passages nearest to a question, best first; see ``KnowledgeBase.search``. Waits for no encoder."""
        known = self._indexed(scope)
        question = Question(query, language, category, priors, today or self._today())
        if self._enricher is not None:
            self._enricher.want(scope.tenant_id, known)
            question = self._enricher.with_vectors(question, known.index)
        return known.index.find(question, limit=limit)

    def answer_about_hours(
        self, scope: TenantScope, text: str, *, now: datetime, language: Language = "es"
    ) -> HoursAnswer | None:
        """Answer whether the shop is open on a day or now; see ``opening_hours.answer_about_hours``."""
        return answer_about_hours(self._indexed(scope).hours, text, now, language)

    def settle(self, scope: TenantScope, timeout_s: float) -> bool:
        """Wait until the encoders are loaded, and compute the tenant's sentence vectors; False without encoders.

        For commands: a server does the same in the background.
        """
        if self._enricher is None or not self._enricher.encoders.wait(timeout_s):
            return False
        self._indexed(scope)
        return self._enricher.enrich(scope.tenant_id)

    def policy(self, scope: TenantScope) -> Policy:
        """Return the policy figures of the documents that hold today; the first document that states one wins."""
        facts: dict[str, int] = {}
        today = self._today()
        for document in self._indexed(scope).documents:
            if document.approval == "approved" and document.holds_on(today):
                for name, value in document.facts.items():
                    facts.setdefault(name, value)
        return Policy.of_facts(facts)

    def _today(self) -> date:
        return in_santiago(self._clock.now()).date()

    def _indexed(self, scope: TenantScope, *, imported: bool = False) -> Indexed:
        """Return the tenant's index; after an import here (``imported``) the store is asked in any case."""
        tenant_id, now = scope.tenant_id, self._monotonic()
        with self._lock:
            known = self._cache.get(tenant_id)
            asked_at = self._asked_at.get(tenant_id, now - FRESH_FOR_S)
            if known is not None and now - asked_at < FRESH_FOR_S and not imported:
                self._cache.move_to_end(tenant_id)
                return known
            imports = self._imports.get(tenant_id, 0)
        # The revision is read before the documents: a save in between makes the entry look old, never new.
        revision = self._store.revision(scope)
        with self._lock:
            known = self._cache.get(tenant_id)
            # What was read before an import here may be old: it answers this question and is not kept.
            untouched = self._imports.get(tenant_id, 0) == imports
            if untouched:
                self._asked_at[tenant_id] = now
            if known is not None and known.revision == revision:
                self._cache.move_to_end(tenant_id)
                return known
            if known is not None and not imported and len(known.index) > _BUILT_BEHIND:
                # Another process imported: the old index answers for the seconds that a large one takes.
                if tenant_id not in self._building:
                    self._building.add(tenant_id)
                    work = (scope, revision, known, imports)
                    threading.Thread(target=self._build_behind, args=work, name="kb-index", daemon=True).start()
                return known
        return self._build(scope, revision, known, imports)

    def _build_behind(self, scope: TenantScope, revision: int, known: Indexed, imports: int) -> None:
        try:
            self._build(scope, revision, known, imports)
        except SmosError as error:  # the next question tries again
            _log.warning("kb_index_failed", tenant_id=scope.tenant_id, error=error.operator_message)
        finally:
            with self._lock:
                self._building.discard(scope.tenant_id)

    def _build(self, scope: TenantScope, revision: int, known: Indexed | None, imports: int) -> Indexed:
        fresh = indexed(revision, self._store.load(scope), before=known)
        with self._lock:
            if self._imports.get(scope.tenant_id, 0) == imports:
                self._cache[scope.tenant_id] = fresh
                self._cache.move_to_end(scope.tenant_id)
                self._forget_the_oldest()
        return fresh

    def _forget_the_oldest(self) -> None:
        passages = sum(len(each.index) for each in self._cache.values())
        while len(self._cache) > self._cached_tenants or (passages > self._cached_passages and len(self._cache) > 1):
            tenant_id, forgotten = self._cache.popitem(last=False)
            passages -= len(forgotten.index)
            self._asked_at.pop(tenant_id, None)

    def _cached(self, tenant_id: str) -> Indexed | None:
        with self._lock:
            return self._cache.get(tenant_id)

    def _swap(self, tenant_id: str, old: Indexed, new: Indexed) -> bool:
        """Put an enriched index in the place of the one it was made from; False when that is gone."""
        with self._lock:
            if self._cache.get(tenant_id) is not old:
                return False
            self._cache[tenant_id] = new
            return True


def merged(old: tuple[Document, ...], new: tuple[Document, ...]) -> tuple[Document, ...]:
    """Put new documents in the place of those of the same names, the others behind."""
    by_name = {document.name: document for document in new}
    kept = tuple(by_name.pop(document.name, document) for document in old)
    return kept + tuple(document for document in new if document.name in by_name)
