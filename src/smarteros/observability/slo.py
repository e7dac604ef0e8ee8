"""Whether a turn kept the flow's promise, and what is left of the error budget. Pure arithmetic, no I/O.

Success is what the customer got: an answer or a person, in time. A turn that ended without either is broken even when
no exception was raised, and so is one that ended after the customer's patience. Turns that are rightly silent (a person
has the conversation; the message was answered with another one) promise nothing and are not counted.
"""

from __future__ import annotations

from smarteros.contracts.models import Contract, Slo
from smarteros.contracts.objectives import Objective, objectives, patience_ms
from smarteros.domain.model import Model
from smarteros.domain.turns import Outcome, TurnCause, Verdict


class Promises(Model):
    """How many turns of a time kept the flow's promise. ``overdue`` ones still wait, longer than any customer would."""

    kept: int = 0
    late: int = 0
    broken: int = 0
    overdue: int = 0

    @property
    def total(self) -> int:
        """Turns that promised something."""
        return self.kept + self.late + self.broken + self.overdue

    def bad(self, objective: Objective) -> int:
        """Turns that spent of this budget. A customer who still waits has been failed already."""
        counted = {"kept": self.kept, "late": self.late, "broken": self.broken + self.overdue}
        return sum(counted[verdict] for verdict in objective.bad)


class Budget(Model):
    """The error budget of one objective. ``left`` is 1 when nothing is spent, 0 when all is, negative beyond that.

    ``burn_rate`` is the speed at which ``recent`` spends it: 1 spends just all of it in the whole window. Both are None
    when there was no turn to judge.
    """

    tenant_id: str
    flow_id: str
    objective: str
    promised: float
    window: str
    turns: int
    bad: int
    reached: float | None
    left: float | None
    burn_rate: float | None


def verdict(outcome: Outcome, cause: TurnCause, waited_ms: float, slo: Slo) -> Verdict | None:
    """Judge a turn. ``waited_ms`` is how long the customer waited for its end; None when nothing was promised."""
    if cause != "message" or outcome in ("merged", "muted"):
        return None
    if outcome == "failed" or waited_ms > patience_ms(slo):
        return "broken"
    return "kept" if waited_ms <= slo.latency_p95_ms else "late"


def budgets(tenant_id: str, contract: Contract, window: Promises, recent: Promises) -> tuple[Budget, ...]:
    """Return what is left of a flow's budgets: ``window`` counts the turns of the SLO's window, ``recent`` the last."""
    return tuple(_budget(tenant_id, contract, each, window, recent) for each in objectives(contract.slo))


def _budget(tenant_id: str, contract: Contract, objective: Objective, window: Promises, recent: Promises) -> Budget:
    ratio, burning = _bad_ratio(window, objective), _bad_ratio(recent, objective)
    return Budget(
        tenant_id=tenant_id,
        flow_id=contract.flow_id,
        objective=objective.name,
        promised=objective.ratio,
        window=contract.slo.window,
        turns=window.total,
        bad=window.bad(objective),
        reached=None if ratio is None else round(1 - ratio, 6),
        left=None if ratio is None else round(1 - ratio / objective.budget, 6),
        burn_rate=None if burning is None else round(burning / objective.budget, 6),
    )


def _bad_ratio(promises: Promises, objective: Objective) -> float | None:
    return promises.bad(objective) / promises.total if promises.total else None
