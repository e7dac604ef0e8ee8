"""What a flow's SLO asks for, as shares of turns, and how fast its error budget may burn before somebody is told.

The same arithmetic for the Prometheus rules (``exporters.prometheus``) and for ``smos slo`` (``observability.slo``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from smarteros.contracts.models import Severity, Slo
from smarteros.domain.turns import Verdict

# After so many times the promised latency an answer no longer counts as one.
PATIENCE = 3
# ``latency_p95_ms`` is a promise about this share of the turns.
LATENCY_SHARE = 0.95
# A ratio of fewer turns than this is no ratio: one bad turn of two is no outage.
FEWEST_TURNS = 10
# A threshold above this share of bad turns would come too late or (over 1) never: 14.4 times the budget of a promise
# of 92 % is 115 %.
_MOST_BAD = 0.5

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}


@dataclass(frozen=True)
class Objective:
    """A share of turns that must end well. ``bad`` are the verdicts that spend the budget."""

    name: Literal["success", "latency"]
    ratio: float
    bad: tuple[Verdict, ...]

    @property
    def budget(self) -> float:
        """Share of the turns that may end badly."""
        return 1 - self.ratio

    def burning(self, burn: Burn) -> float:
        """Share of bad turns at which a burn is told of; one that can be reached, whatever was promised."""
        return round(min(burn.factor * self.budget, _MOST_BAD), 6)


@dataclass(frozen=True)
class Burn:
    """A speed of burning, in budgets a window, seen in a long window and, because it must go on, in a short one."""

    name: str
    factor: float
    long: str
    short: str
    severity: Severity


BURNS = (
    Burn("fast", 6, "1h", "5m", "page"),
    Burn("steady", 2, "6h", "30m", "ticket"),
    Burn("slow", 1, "3d", "6h", "ticket"),
)


def objectives(slo: Slo) -> tuple[Objective, Objective]:
    """Return what the SLO promises: that turns succeed, and how quickly."""
    return Objective("success", slo.success_rate, ("broken",)), Objective("latency", LATENCY_SHARE, ("late", "broken"))


def patience_ms(slo: Slo) -> int:
    """Return after how many milliseconds the customer has given up."""
    return PATIENCE * slo.latency_p95_ms


def window_of(slo: Slo) -> timedelta:
    """Return the time over which the budget is counted."""
    return int(slo.window[:-1]) * _UNITS[slo.window[-1]]


def burns_of(objective: Objective) -> Iterator[Burn]:
    """Return the burns somebody is told of. Slowness wakes nobody up: what is too slow to wait for has failed."""
    return (burn for burn in BURNS if objective.name == "success" or burn.severity != "page")
