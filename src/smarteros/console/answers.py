"""Answers written in the console: drafts first, customers read them once they are published.

They are the sections of one document of the shop's knowledge base, beside the imported ones, and a new version of it
each time: ``smos kb versions`` lists them, ``smos kb rollback`` goes back.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import sqlalchemy as sa

from smarteros.console.access import Visitor
from smarteros.console.guard import not_found
from smarteros.console.journal import note
from smarteros.console.parts import ConsoleParts
from smarteros.domain.decisions import Language
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.knowledge import Category, Document, Section
from smarteros.domain.tenants import Tenant
from smarteros.kit.text import strip_controls
from smarteros.store.documents import lock_documents
from smarteros.store.gaps import forget_gap, list_gaps

DOCUMENT = "consola.json"
_TITLE = "Respuestas escritas en la consola"
_LONGEST_QUESTION, _LONGEST_TEXT = 300, 4000
_ALL_GAPS = 1000


class Answers:
    """Writes, publishes and discards answers; who did it is in the tenant's audit."""

    def __init__(self, parts: ConsoleParts) -> None:
        self._parts = parts

    def written(self, tenant: Tenant) -> tuple[Section, ...]:
        """List the answers written here, drafts first."""
        return tuple(sorted(self._sections(tenant), key=lambda section: section.approval != "draft"))

    def draft(
        self,
        visitor: Visitor,
        tenant: Tenant,
        *,
        question: str,
        text: str,
        category: Category,
        language: Language,
        example: str | None = None,
    ) -> None:
        """Write an answer nobody is told yet, in place of one to the same question.

        ``example`` is how a customer asked. RejectedInputError when question or text is empty or too long.
        """
        question, text = strip_controls(question).strip(), strip_controls(text).strip()
        if not 0 < len(question) <= _LONGEST_QUESTION or not 0 < len(text) <= _LONGEST_TEXT:
            raise RejectedInputError("answer_length", "Question and answer are needed, within their limits.")
        also = (example,) if example and example != question else ()
        section = Section(title=question, text=text, category=category, language=language, approval="draft", also=also)
        with self._changed(visitor, tenant, "console_answer_drafted"):
            self._keep(tenant, [*(each for each in self._sections(tenant) if each.title != question), section])

    def publish(self, visitor: Visitor, tenant: Tenant, question: str) -> None:
        """Let customers read an answer; the questions it was written for are forgotten. 404 for an unknown one."""
        with self._changed(visitor, tenant, "console_answer_published") as connection:
            section = self._section(tenant, question)
            approved = section.model_copy(update={"approval": "approved"})
            self._keep(tenant, [approved if each == section else each for each in self._sections(tenant)])
            for gap in list_gaps(connection, tenant.tenant_id, limit=_ALL_GAPS):
                if gap.example in (section.title, *section.also):
                    forget_gap(connection, tenant.tenant_id, gap.pattern)

    def discard(self, visitor: Visitor, tenant: Tenant, question: str) -> None:
        """Remove an answer. 404 for an unknown one."""
        with self._changed(visitor, tenant, "console_answer_discarded"):
            section = self._section(tenant, question)
            self._keep(tenant, [each for each in self._sections(tenant) if each != section])

    def forget(self, visitor: Visitor, tenant: Tenant, pattern: str) -> None:
        """Remove a question that needs no answer. 404 for an unknown one."""
        with self._changed(visitor, tenant, "console_gap_forgotten") as connection:
            if not forget_gap(connection, tenant.tenant_id, pattern):
                raise not_found()

    def _section(self, tenant: Tenant, question: str) -> Section:
        found = next((section for section in self._sections(tenant) if section.title == question), None)
        if found is None:
            raise not_found()
        return found

    def _sections(self, tenant: Tenant) -> tuple[Section, ...]:
        documents = self._parts.knowledge.documents(tenant.scope)
        return next((document.sections for document in documents if document.name == DOCUMENT), ())

    def _keep(self, tenant: Tenant, sections: list[Section]) -> None:
        written = Document(name=DOCUMENT, title=_TITLE, sections=tuple(sections), source="json")
        others = tuple(each for each in self._parts.knowledge.documents(tenant.scope) if each.name != DOCUMENT)
        self._parts.knowledge.replace(tenant.scope, (*others, written) if sections else others, note="consola")

    @contextmanager
    def _changed(self, visitor: Visitor, tenant: Tenant, kind: str) -> Generator[sa.Connection]:
        """Change the answers one at a time: each change begins with what the one before it has left."""
        with self._parts.database.tenant(tenant.scope) as connection:
            lock_documents(connection, tenant.tenant_id)
            yield connection
            note(connection, self._parts.clock.now(), kind, visitor.person, tenant_id=tenant.tenant_id)
