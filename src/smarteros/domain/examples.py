"""A tenant's own example messages, and the versions of the model that was taught by them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

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


ProposalSource = Literal[
    "chosen_option",  # the customer said which of two questions was meant
    "person_label",  # a person of the shop labelled the conversation with an intent
    "person_note",  # a person wrote "intent: faq_hours" in a private note
    "person_reply",  # a person answered with the words of a passage
    "answered",  # answered with high confidence, in a conversation that ended well without a person
    "misunderstood",  # the customer said that this was not meant: an example of what it is not
    "written",  # added to the review file by hand
]


class Proposal(Model):
    """A message of a customer that may become an example, without personal data; a line of the review file.

    ``accepted`` is None as long as a person has to say; only what is true is learnt from. Messages of one
    ``conversation`` are never on both sides of an evaluation.
    """

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
    intent: Intent
    accepted: bool | None = None
    source: ProposalSource = "written"
    why: str = Field(default="", max_length=500)
    conversation: int | None = None


class PeopleSaid(Model):
    """What people of the shop left in a conversation: its status and labels, their private notes and replies."""

    status: str | None = None
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()


class Flip(Model):
    """An unseen message that the models before and after understand differently."""

    text: str
    intent: Intent
    before: Intent
    after: Intent


class IntentChange(Model):
    """How many unseen messages of one intent there are, and how many are understood before and after."""

    examples: int
    before: int
    after: int


class TrainingReport(Model):
    """What learning from conversations has found and changed.

    ``held_out`` counts the messages that were judged by models which knew neither them nor their conversation.
    ``contradicted`` are accepted ones of which the present model is sure that they mean something else.
    """

    proposed: dict[str, int]
    accepted: int
    held_out: int = 0
    right_before: int = 0
    right_after: int = 0
    intents: dict[Intent, IntentChange] = Field(default_factory=dict[Intent, IntentChange])
    flips: tuple[Flip, ...] = ()
    contradicted: tuple[Flip, ...] = ()
    activated: int | None = Field(default=None, description="The new version; None when nothing was activated")
    reason: str = ""
