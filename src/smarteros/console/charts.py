"""How promises are drawn: what is left of a budget, how fast it burns, waits, and the turns of each day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from smarteros.contracts.models import Slo
from smarteros.contracts.objectives import BURNS
from smarteros.domain.model import Model
from smarteros.domain.turns import Verdict
from smarteros.observability.slo import Budget, Promises

Mood = Literal["none", "good", "warn", "bad"]
_MOODS: tuple[Mood, ...] = ("none", "good", "warn", "bad")
# Less left than this is worth a look, however slowly it burns.
_LITTLE = 0.25
_FASTEST = max(burn.factor for burn in BURNS)


class FlowStanding(Model):
    """How a flow keeps its promises to one tenant's customers. ``p95_ms`` is None when nothing was replied."""

    flow_id: str
    slo: Slo
    budgets: tuple[Budget, ...]
    p95_ms: float | None

    @property
    def turns(self) -> int:
        """Turns in the window that promised something."""
        return max(budget.turns for budget in self.budgets)

    @property
    def mood(self) -> Mood:
        """How its budgets stand: as the worst of them does."""
        return _worst(*map(budget_mood, self.budgets))


def budget_mood(budget: Budget) -> Mood:
    """Tell whether a budget is spent or soon will be, deserves a look, or is well; by the worse of left and burn."""
    if budget.left is None:
        return "none"
    left: Mood = "bad" if budget.left <= 0 else "warn" if budget.left < _LITTLE else "good"
    return _worst(left, burn_mood(budget.burn_rate or 0.0))


def burn_mood(rate: float) -> Mood:
    """Judge how fast a budget burns: above 1 it does not last, at the fastest burn of the rules somebody is paged."""
    return "bad" if rate >= _FASTEST else "warn" if rate > 1 else "good"


def _worst(*moods: Mood) -> Mood:
    return max(moods, key=_MOODS.index)


@dataclass(frozen=True)
class Gauge:
    """A value beside its limit, both as parts (0 to 100) of one bar."""

    value: float
    limit: float
    mood: Mood


def wait_gauge(p95_ms: float, slo: Slo) -> Gauge:
    """Lay the measured wait on a bar that has room for both it and the promised one."""
    full = max(p95_ms, 1.25 * slo.latency_p95_ms)
    mood: Mood = "good" if p95_ms <= slo.latency_p95_ms else "bad"
    return Gauge(round(100 * p95_ms / full, 1), round(100 * slo.latency_p95_ms / full, 1), mood)


CHART_WIDTH, CHART_HEIGHT = 600.0, 90.0
_GAP = 3.0


@dataclass(frozen=True)
class Block:
    """The turns of one verdict in a day's column."""

    verdict: Verdict
    y: float
    height: float


@dataclass(frozen=True)
class Column:
    """A day: its turns on top of each other, the broken ones lowest, where all columns can be compared."""

    day: date
    promises: Promises
    x: float
    width: float
    blocks: tuple[Block, ...]


def day_columns(days: Sequence[tuple[date, Promises]]) -> tuple[Column, ...]:
    """Lay the days side by side on the chart; the day with the most turns is as high as it."""
    most = max((promises.total for _, promises in days), default=0)
    step = CHART_WIDTH / max(1, len(days))
    return tuple(
        Column(day, promises, round(at * step, 1), round(max(1.0, step - _GAP), 1), tuple(_blocks(promises, most)))
        for at, (day, promises) in enumerate(days)
    )


def _blocks(promises: Promises, most: int) -> Iterator[Block]:
    bottom = CHART_HEIGHT
    counted: tuple[tuple[Verdict, int], ...] = (
        ("broken", promises.broken), ("late", promises.late), ("kept", promises.kept)
    )  # fmt: skip
    for verdict, count in counted:
        if count:
            # One turn of thousands is seen all the same.
            height = max(2.0, count / most * (CHART_HEIGHT - 6))
            bottom -= height
            yield Block(verdict, round(bottom, 1), round(height, 1))
