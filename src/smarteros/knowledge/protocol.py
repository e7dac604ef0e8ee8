"""What a knowledge base must be able to do, and what it needs from a store and from the encoders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Literal, Protocol

from smarteros.domain.decisions import Language
from smarteros.domain.knowledge import Category, Document, Hit, KnowledgeVersion, Passage, Policy
from smarteros.domain.tenants import TenantScope
from smarteros.embedders.protocol import Embedder
from smarteros.knowledge.opening_hours import HoursAnswer


class KnowledgeBase(Protocol):
    """The tenant's documents, searchable. Everything takes the scope: one tenant never sees another's passage."""

    def replace(self, scope: TenantScope, documents: tuple[Document, ...], *, note: str = "") -> int:
        """Make these the tenant's documents, as a new version; returns the number of passages."""
        ...

    def merge(self, scope: TenantScope, documents: tuple[Document, ...], *, note: str = "") -> int:
        """Add these to the tenant's documents, in place of those of the same names; returns all passages' number."""
        ...

    def change(
        self, scope: TenantScope, how: Callable[[tuple[Document, ...]], tuple[Document, ...]], *, note: str = ""
    ) -> int:
        """Make of the documents, as they are at this moment, what ``how`` says; returns all passages' number.

        Two who do so at once need a lock of their own (``store.documents.lock_documents``).
        """
        ...

    def documents(self, scope: TenantScope) -> tuple[Document, ...]:
        """List the tenant's documents."""
        ...

    def passages(self, scope: TenantScope) -> tuple[Passage, ...]:
        """List the passages of all documents, drafts and expired ones too."""
        ...

    def versions(self, scope: TenantScope) -> tuple[KnowledgeVersion, ...]:
        """List the versions that can be gone back to, newest first."""
        ...

    def rollback(self, scope: TenantScope, revision: int | None = None) -> int:
        """Make an earlier version (by default the one before) the newest; returns the number of passages.

        RejectedInputError when there is no such version.
        """
        ...

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
        """Find the passages nearest to a question, best first: approved ones that hold today.

        ``category`` prefers, it does not exclude. ``priors``, the probabilities that the message wants each category,
        say more and then count instead. ``today`` is the Chilean day of the question, by default the present one.
        """
        ...

    def answer_about_hours(
        self, scope: TenantScope, text: str, *, now: datetime, language: Language = "es"
    ) -> HoursAnswer | None:
        """Answer whether the shop is open on a day or at the instant ``now``.

        None when the text asks neither or the tenant's texts do not say.
        """
        ...

    def settle(self, scope: TenantScope, timeout_s: float) -> bool:
        """Wait until searches of the tenant are as good as they get; False when that is by words alone."""
        ...

    def policy(self, scope: TenantScope) -> Policy:
        """Return the policy figures found in the tenant's documents."""
        ...


class DocumentStore(Protocol):
    """Keeps the documents of each tenant; the index over them is built in memory from what it returns.

    Every call takes the scope; a store must not return a document saved under another scope. A store that cannot
    be reached raises TransientError.
    """

    def save(self, scope: TenantScope, documents: tuple[Document, ...], *, note: str = "") -> None:
        """Replace all documents of the tenant in one step, and change its revision. What was there stays a version."""
        ...

    def load(self, scope: TenantScope) -> tuple[Document, ...]:
        """Return the tenant's documents in the order in which they were saved; none is an empty tuple."""
        ...

    def revision(self, scope: TenantScope) -> int:
        """Return a number that differs after every save, 0 before the first.

        It is read before every search, so it must be cheap: another process may have imported documents.
        """
        ...

    def versions(self, scope: TenantScope) -> tuple[KnowledgeVersion, ...]:
        """List the saved versions that are kept, newest first."""
        ...

    def load_version(self, scope: TenantScope, revision: int) -> tuple[Document, ...] | None:
        """Return the documents of a version; None when it is not kept."""
        ...


class Encoders(Protocol):
    """The sentence encoders of the process; each is None until it is loaded, or where it is not used."""

    def ready(self, name: Literal["use", "e5"]) -> Embedder | None:
        """Return an encoder for questions."""
        ...

    def kept(self, name: Literal["use", "e5"]) -> Embedder | None:
        """Return the same encoder for texts that come again; their vectors are kept."""
        ...

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until all that can be loaded are; tells whether that is so."""
        ...
