"""The week's questions that had no answer, by matter and pattern, the most frequent first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from smarteros.agents.faq_answers import CATEGORY_OF_INTENT
from smarteros.domain.gaps import StoredGap
from smarteros.domain.knowledge import Category
from smarteros.domain.model import Model

A_WEEK = timedelta(days=7)
_MOST_SHOWN = 50


class QuestionGroup(Model):
    """Questions about one matter; each stands for all that differ from it only in spelling, courtesies and numbers."""

    matter: Category
    questions: tuple[StoredGap, ...]


class WeeklyReport(Model):
    """What customers asked from ``since`` to ``until`` and had no sure answer to.

    ``asked`` counts the patterns; ``left_out`` are those not in ``groups``. ``waiting`` names the changes of the texts
    that wait for approval.
    """

    tenant_id: str
    shop: str
    since: datetime
    until: datetime
    asked: int
    groups: tuple[QuestionGroup, ...]
    left_out: int = 0
    waiting: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not self.asked and not self.waiting


def weekly_report(
    tenant_id: str,
    shop: str,
    gaps: Sequence[StoredGap],
    *,
    since: datetime,
    until: datetime,
    waiting: Sequence[str] = (),
) -> WeeklyReport:
    """Group the questions that came in the time; ``gaps`` are those asked most often first."""
    asked = [gap for gap in gaps if since < gap.last_at <= until]
    groups: dict[Category, list[StoredGap]] = {}
    for gap in asked[:_MOST_SHOWN]:
        groups.setdefault(CATEGORY_OF_INTENT.get(gap.intent, "otros"), []).append(gap)
    # Stable: among groups asked about equally often the one with the most frequent question comes first.
    by_weight = sorted(groups.items(), key=lambda group: -sum(gap.times for gap in group[1]))
    return WeeklyReport(
        tenant_id=tenant_id,
        shop=shop,
        since=since,
        until=until,
        asked=len(asked),
        groups=tuple(QuestionGroup(matter=matter, questions=tuple(found)) for matter, found in by_weight),
        left_out=max(0, len(asked) - _MOST_SHOWN),
        waiting=tuple(waiting),
    )
