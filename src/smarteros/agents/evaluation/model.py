"""A question, a labelled one, what the agent made of it, and the report over many of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from smarteros.domain.decisions import Decision, Intent
from smarteros.domain.model import Model

# Finer names under which others label the same questions (facts of the language, "Intents, routes and entity names").
_OTHER_NAMES: dict[str, Intent] = {
    "faq_schedule": "faq_hours",
    "faq_location": "faq_address",
    "faq_delivery": "faq_shipping",
    "faq_refunds": "faq_returns",
    "faq_phone": "faq_contact",
    "faq_email": "faq_contact",
}


def _our_name(value: object) -> object:
    return _OTHER_NAMES.get(value, value) if isinstance(value, str) else value


class Question(BaseModel):
    """A message to decide, with the customer's earlier ones, oldest first. ``now``: this moment unless it is given."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=20_000)
    history: tuple[str, ...] = ()
    language: Literal["es", "es-CL", "en"] = "es-CL"
    now: AwareDatetime | None = None


class LabelledLine(Question):
    """A question with its intent; ``in_scope`` follows from that unless it is given."""

    intent: Annotated[Intent, BeforeValidator(_our_name)]
    in_scope: bool | None = None


class Answered(Model):
    """A labelled message and its decision; ``claimed`` is the intent in scope that ``confidence`` is about."""

    text: str
    intent: Intent
    language: Literal["es", "en"]
    in_scope: bool
    decision: Decision
    milliseconds: float

    @property
    def right(self) -> bool:
        """Whether the intent is the labelled one."""
        return self.decision.intent == self.intent

    @property
    def claimed(self) -> Intent:
        """The intent that the confidence is the probability of: the best one in scope."""
        said, candidates = self.decision.intent, self.decision.candidates
        return candidates[0].intent if said in {"ambiguous", "out_of_scope"} and candidates else said


class OfIntent(Model):
    """How one intent is recognised; shares of 0 to 1."""

    messages: int
    precision: float
    recall: float
    f1: float


class Bin(Model):
    """Messages whose confidence lies between two bounds: how sure the agent was and how often it was right."""

    low: float
    high: float
    messages: int
    confidence: float
    accuracy: float


class CurvePoint(Model):
    """What would be answered at a threshold (``coverage``) and how much of that rightly (``precision``)."""

    threshold: float
    coverage: float
    precision: float


class EvaluationReport(Model):
    """Everything measured over one set of messages; shares of 0 to 1, times in milliseconds, memory in megabytes.

    ``ece`` is the expected calibration error over ten bins; ``scope_auroc`` the probability that the confidence in a
    message of the shop's matters is higher than in one that is none of them (None without both kinds);
    ``answered_out_of_scope`` the share of the latter that would have been answered as if in scope, at 0.80.
    """

    messages: int
    accuracy: float
    route_accuracy: float
    macro_f1: float
    intents: dict[Intent, OfIntent]
    confusion: dict[Intent, dict[Intent, int]] = Field(description="By labelled intent, then by the one decided")
    ece: float
    bins: tuple[Bin, ...]
    curve: tuple[CurvePoint, ...]
    scope_auroc: float | None
    answered_out_of_scope: float | None
    languages: dict[str, float] = Field(description="Accuracy by language")
    ms_p50: float
    ms_p95: float
    rss_mb: float | None = None
    missed: tuple[str, ...] = Field(default=(), description="'labelled -> decided (confidence): text'")
