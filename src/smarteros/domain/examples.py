"""A tenant's own example messages, and the versions of the model that was taught by them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from smarteros.domain.decisions import Intent
from smarteros.domain.model import Model

MOST_EXAMPLES = 1_000  # of one tenant: its model must stay small, see docs/operations.md


class LabelledExample(Model):
    """A message as a customer would write it, and what it means in this shop."""

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
    intent: Intent


class ModelReport(Model):
    """How well the examples are understood when each is left out of the training; shares of 0 to 1.

    ``before`` and ``after`` are over the examples that both the model before and this one know; ``own`` is over the
    tenant's examples, and None when it has none.
    """

    before: float
    after: float
    own: float | None = None
    spoilt: Intent | None = Field(default=None, description="Intent whose known examples lose most, if any do")
    spoilt_by: float = Field(default=0.0, description="Share of them that are understood no longer")
    looked_through: tuple[str, ...] = Field(default=(), description="Sentence encoders that took part")


class ModelVersion(Model):
    """One state of a tenant's examples. Versions count from 1 and are never changed."""

    version: int
    examples: tuple[LabelledExample, ...]
    report: ModelReport
    note: str = ""
    created_at: datetime
    active: bool = False
