"""A document store that forgets: for tests and for a runtime without a database."""

from __future__ import annotations

import threading

from smarteros.domain.knowledge import Document
from smarteros.domain.tenants import TenantScope


class MemoryDocumentStore:
    """DocumentStore in a dictionary."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._saved: dict[str, tuple[int, tuple[Document, ...]]] = {}

    def save(self, scope: TenantScope, documents: tuple[Document, ...]) -> None:
        """Replace all documents of the tenant."""
        with self._lock:
            revision, _ = self._saved.get(scope.tenant_id, (0, ()))
            self._saved[scope.tenant_id] = (revision + 1, documents)

    def load(self, scope: TenantScope) -> tuple[Document, ...]:
        """Return the tenant's documents."""
        with self._lock:
            return self._saved.get(scope.tenant_id, (0, ()))[1]

    def revision(self, scope: TenantScope) -> int:
        """Return how many times documents were saved."""
        with self._lock:
            return self._saved.get(scope.tenant_id, (0, ()))[0]
