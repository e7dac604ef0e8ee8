"""What a knowledge base must be able to do."""

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
