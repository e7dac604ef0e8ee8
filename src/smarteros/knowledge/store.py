"""A document store that forgets: for tests and for a runtime without a database."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from smarteros.domain.knowledge import Document, KnowledgeVersion
from smarteros.domain.tenants import TenantScope

KEPT_VERSIONS = 20


@dataclass(frozen=True)
class _Saved:
    revision: int
    documents: tuple[Document, ...]
    note: str
    saved_at: datetime


class MemoryDocumentStore:
    """DocumentStore in a dictionary."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._saved: Mapping[str, tuple[_Saved, ...]] = {}

    def save(self, scope: TenantScope, documents: tuple[Document, ...], *, note: str = "") -> None:
        """Replace all documents of the tenant."""
        with self._lock:
            before = self._saved.get(scope.tenant_id, ())
            fresh = _Saved(before[0].revision + 1 if before else 1, documents, note, datetime.now(UTC))
            self._saved = {**self._saved, scope.tenant_id: (fresh, *before)[:KEPT_VERSIONS]}

    def load(self, scope: TenantScope) -> tuple[Document, ...]:
        """Return the tenant's documents."""
        saved = self._saved.get(scope.tenant_id, ())
        return saved[0].documents if saved else ()

    def revision(self, scope: TenantScope) -> int:
        """Return how many times documents were saved."""
        saved = self._saved.get(scope.tenant_id, ())
        return saved[0].revision if saved else 0

    def versions(self, scope: TenantScope) -> tuple[KnowledgeVersion, ...]:
        """List the versions, newest first."""
        return tuple(
            KnowledgeVersion(
                revision=each.revision,
                saved_at=each.saved_at,
                note=each.note,
                documents=len(each.documents),
                current=number == 0,
            )
            for number, each in enumerate(self._saved.get(scope.tenant_id, ()))
        )

    def load_version(self, scope: TenantScope, revision: int) -> tuple[Document, ...] | None:
        """Return the documents of a version."""
        saved = self._saved.get(scope.tenant_id, ())
        return next((each.documents for each in saved if each.revision == revision), None)
