"""The tenant's own words and policy figures."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from smarteros.domain.decisions import Language
from smarteros.domain.model import Model

Category = Literal["horarios", "ubicacion", "pago", "envios", "devoluciones", "garantia", "contacto", "otros"]


class Document(Model):
    """One text of the shop owner, as imported. ``markdown`` is without front matter."""

    name: str
    title: str
    category: Category = "otros"
    language: Language = "es"
    markdown: str
    facts: dict[str, int] = Field(default_factory=dict, description="Policy figures, e.g. warranty_days")


class Passage(Model):
    """A part of a document that answers one question; its words are sent to customers as they are."""

    document: str
    title: str
    category: Category
    language: Language
    text: str


class Hit(Model):
    """A passage found, with its score (comparable within one search only)."""

    passage: Passage
    score: float


class Policy(Model):
    """The figures of a shop's own policy, in days."""

    warranty_days: int | None = None
    return_days: int | None = None
    refund_working_days: int | None = None
