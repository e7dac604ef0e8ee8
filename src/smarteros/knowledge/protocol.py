"""What a knowledge base must be able to do, and what it needs from a store."""

from __future__ import annotations

from typing import Protocol

from smarteros.domain.decisions import Language
from smarteros.domain.knowledge import Category, Document, Hit, Policy
from smarteros.domain.tenants import TenantScope


class KnowledgeBase(Protocol):
    """The tenant's documents, searchable. Everything takes the scope: one tenant never sees another's passage."""

    def replace(self, scope: TenantScope, documents: tuple[Document, ...]) -> int:
        """Make these the tenant's documents; returns the number of passages."""
        ...

    def documents(self, scope: TenantScope) -> tuple[Document, ...]:
        """List the tenant's documents."""
        ...

    def search(
        self,
        scope: TenantScope,
        query: str,
        *,
        language: Language = "es",
        category: Category | None = None,
        limit: int = 5,
    ) -> tuple[Hit, ...]:
        """Find the passages nearest to a question, best first; ``category`` prefers, it does not exclude."""
        ...

    def policy(self, scope: TenantScope) -> Policy:
        """Return the policy figures found in the tenant's documents."""
        ...


class DocumentStore(Protocol):
    """Keeps the documents of each tenant; the index over them is built in memory from what it returns.

    Every call takes the scope; a store must not return a document saved under another scope. A store that cannot
    be reached raises TransientError.
    """

    def save(self, scope: TenantScope, documents: tuple[Document, ...]) -> None:
        """Replace all documents of the tenant in one step, and change its revision."""
        ...

    def load(self, scope: TenantScope) -> tuple[Document, ...]:
        """Return the tenant's documents in the order in which they were saved; none is an empty tuple."""
        ...

    def revision(self, scope: TenantScope) -> int:
        """Return a number that differs after every save, 0 before the first.

        It is read before every search, so it must be cheap: another process may have imported documents.
        """
        ...
