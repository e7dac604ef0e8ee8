"""The tenant's own words and policy figures."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from smarteros.domain.decisions import Language
from smarteros.domain.model import Model
from smarteros.domain.policy import Policy

__all__ = ["Approval", "Category", "Document", "Hit", "Passage", "Policy", "Section", "Source", "Validity"]

Category = Literal["horarios", "ubicacion", "pago", "envios", "devoluciones", "garantia", "contacto", "otros"]
Approval = Literal["approved", "draft"]
Source = Literal["markdown", "json", "docx", "html", "pdf"]


class Validity(Model):
    """Since when and until when a text holds, both days included, as Chilean days; None: without bound."""

    valid_from: date | None = None
    valid_until: date | None = None

    def holds_on(self, day: date) -> bool:
        """Tell whether the text holds on a day."""
        return (self.valid_from is None or self.valid_from <= day) and not self.expired_on(day)

    def expired_on(self, day: date) -> bool:
        """Tell whether the text held before a day and no more."""
        return self.valid_until is not None and self.valid_until < day


class Section(Validity):
    """One question and answer of a document that lists them; what is None is as in the document."""

    title: str
    text: str = Field(description="Markdown")
    category: Category | None = None
    language: Language | None = None
    approval: Approval | None = None
    also: tuple[str, ...] = Field(default=(), description="Other wordings of the question")


class Document(Validity):
    """One text of the shop owner, as imported. ``markdown`` is without front matter; a list has ``sections``."""

    name: str
    title: str
    category: Category = "otros"
    language: Language = "es"
    markdown: str = ""
    facts: dict[str, int] = Field(default_factory=dict, description="Policy figures, e.g. warranty_days")
    sections: tuple[Section, ...] = ()
    approval: Approval = "approved"
    source: Source = "markdown"


class Passage(Validity):
    """A part of a document that answers one question; its words are sent to customers as they are.

    Only an approved one that holds on the day of the question answers it.
    """

    document: str
    title: str
    category: Category
    language: Language
    text: str
    approval: Approval = "approved"
    also: tuple[str, ...] = ()


class Hit(Model):
    """A passage found, with its score (comparable within one search only).

    ``log_odds`` that it answers the question may be compared between searches and tenants; see ``knowledge.sureness``.
    """

    passage: Passage
    score: float
    log_odds: float = 0.0


class KnowledgeVersion(Model):
    """One import that can be gone back to."""

    revision: int
    saved_at: datetime
    note: str = ""
    documents: int
    current: bool = False


FindingKind = Literal["conflict", "expired", "not_yet_valid", "draft"]


class Finding(Model):
    """Something the owner should look at: which texts (as "document: title") and why."""

    kind: FindingKind
    passages: tuple[str, ...]
    detail: str
