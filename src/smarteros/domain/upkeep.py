"""Upkeep of a tenant's knowledge base: where texts come from, and which change of them waits for approval."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from smarteros.domain.decisions import Intent, Language
from smarteros.domain.knowledge import Document
from smarteros.domain.model import Model

SourceKind = Literal[
    "page",        # a page of the shop's own site, usually its FAQ
    "canned",      # the ready-made answers of the shop's people in Chatwoot
    "helpcenter",  # the published articles of Chatwoot's help centre
]  # fmt: skip
Interval = Literal["day", "week"]
# How often a source is read unless somebody says otherwise (facts of the flows: "KB upkeep").
USUAL_INTERVAL: dict[SourceKind, Interval] = {"page": "day", "canned": "week", "helpcenter": "week"}


# Origin of a change that a person makes; no source has this name.
IMPORT = "import"


def folder_of(source: str) -> str:
    """Return what the names of a source's documents begin with; no file that is imported is called so."""
    return f"source:{source}/"


class UpkeepSettings(Model):
    """A tenant's settings for the upkeep of its texts."""

    owner_email: str | None = Field(
        default=None,
        max_length=254,
        pattern=r"^[^@\s,<>]+@[^@\s,<>]+$",
        description="Who gets the weekly report; unset means the people of the shop who administer it in the console",
    )
    page_hosts: tuple[str, ...] = Field(
        default=(), description="Hosts its pages may redirect to, besides the one of the page's own address"
    )
    history_days: int = Field(default=30, ge=1, le=365, description="Answered turns of so many days are asked again")
    most_questions: int = Field(default=300, ge=1, le=5000, description="Of those the newest, at most so many")
    most_changed_percent: int = Field(
        default=20, ge=0, le=100, description="Above it a change that a source brings waits for approval"
    )
    most_lost_percent: int = Field(
        default=5, ge=0, le=100, description="The same for questions that would have no answer any more"
    )
    weekly_report: bool = True


class TextSource(Model):
    """Where some of a tenant's texts come from, and how it stood when it was last read.

    ``address`` is the URL of a page, or the slug of a help-centre portal; empty means all portals. ``digest`` is that
    of the documents it gave. ``failures`` counts the readings in a row that failed, the last one of ``error``.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$")
    kind: SourceKind
    address: str = Field(default="", max_length=2000)
    every: Interval
    approved: bool = Field(default=False, description="Take texts whose matter is not recognised for approved ones")
    etag: str | None = None
    last_modified: str | None = None
    digest: str | None = None
    refused: str | None = Field(default=None, description="Digest of what it gave and somebody turned down")
    added_at: datetime
    read_at: datetime | None = None
    next_at: datetime
    failures: int = 0
    error: str | None = None

    @property
    def folder(self) -> str:
        """What the names of its documents begin with."""
        return folder_of(self.name)


class TextChange(Model):
    """A change of a tenant's documents, told so that it can be applied to whatever they are by then.

    ``all`` makes ``documents`` the only ones, ``merge`` puts them in place of those of the same names, and ``source``
    in place of everything that came from the source of that name.
    """

    origin: str
    mode: Literal["all", "merge", "source"]
    documents: tuple[Document, ...]
    note: str = ""

    def applied_to(self, before: tuple[Document, ...]) -> tuple[Document, ...]:
        """Return the documents after the change; those that stay keep their place."""
        if self.mode == "all":
            return self.documents
        new = {document.name: document for document in self.documents}
        folder = folder_of(self.origin)
        stays = [
            each for each in before if each.name in new or self.mode == "merge" or not each.name.startswith(folder)
        ]
        kept = [new.pop(each.name, each) for each in stays]
        return (*kept, *new.values())


def digest_of(documents: Sequence[Document]) -> str:
    """Return a digest of documents that changes with every word of them; of none it is one too."""
    written = "\n".join(document.model_dump_json() for document in sorted(documents, key=lambda each: each.name))
    return hashlib.sha256(written.encode()).hexdigest()


class PastQuestion(Model):
    """A question of a customer that was answered from the tenant's texts, as it was understood then."""

    turn_id: str
    text: str
    intent: Intent
    confidence: float
    language: Language


class ChangedAnswer(Model):
    """A question that would be answered otherwise; titles are of the passages, None where there is none.

    ``turn_id`` is the turn it was asked in, None for one of the tenant's own test questions. What a customer wrote is
    not kept a second time: ``question`` is read from the turn when it is shown, empty when nobody knows it any more,
    and without personal data that is recognised as such (``kit.redaction``).
    """

    turn_id: str | None = None
    question: str = ""
    kind: Literal["changed", "lost", "found"]
    before: str | None = None
    after: str | None = None
    answer_before: str | None = None
    answer_after: str | None = None


class CheckReport(Model):
    """What became of the questions of a tenant's history and its own test questions under a change.

    ``lost`` ones had an answer before, and a test question also counts as lost when its passage no longer comes first.
    """

    asked: int = 0
    changed: int = 0
    lost: int = 0
    found: int = Field(default=0, description="Without an answer before, with one after")
    answers: tuple[ChangedAnswer, ...] = ()

    def with_questions(self, questions: Mapping[str, str]) -> CheckReport:
        """Return the report with the customers' questions of these turns, and no others of customers."""
        answers = (
            each if each.turn_id is None else each.model_copy(update={"question": questions.get(each.turn_id, "")})
            for each in self.answers
        )
        return self.model_copy(update={"answers": tuple(answers)})

    def within(self, settings: UpkeepSettings) -> bool:
        """Tell whether the change may be activated without anybody's approval."""
        return (
            self.changed * 100 <= settings.most_changed_percent * self.asked
            and self.lost * 100 <= settings.most_lost_percent * self.asked
        )


class WaitingChange(Model):
    """A change that waits for approval, with what would become of the questions."""

    change: TextChange
    report: CheckReport
    made_at: datetime
