"""The questions put to the simulation. Every one starts from the same evening, so that answers can be compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smarteros.bench.scale.assumptions import Assumptions
from smarteros.bench.scale.events import Simulation
from smarteros.bench.scale.placement import imbalance, modulo, moved, rendezvous
from smarteros.bench.scale.report import (
    Campaign,
    CellLoad,
    Imbalance,
    Loss,
    Move,
    NewCell,
    SimulationReport,
    Waiting,
)
from smarteros.bench.scale.workload import Work, campaign, sizes, usual_work

_BUSIEST_S = 300.0  # to either side of the peak
_LATE_S = 1.0
_PLACEMENTS = 200
_WORKERS, _POSTGRES = 0, 1

Marked = NDArray[np.bool_]


class Evening:
    """An ordinary evening: who is where and what comes in."""

    def __init__(self, assumptions: Assumptions) -> None:
        self.assumptions = assumptions
        self.size = sizes(assumptions)
        self.cell_of = rendezvous(assumptions.tenants, assumptions.cells, assumptions.seed)
        self.work = usual_work(assumptions, self.size)
        self.load = np.bincount(self.cell_of, weights=self.size, minlength=assumptions.cells)
        self.fullest, self.emptiest = int(self.load.argmax()), int(self.load.argmin())
        self.machines = assumptions.machines_per_cell
        self.servers = (self.machines * assumptions.processes, assumptions.postgres_cores)

    def simulation(self, work: Work, *, by_due: bool = True) -> Simulation:
        """All cells at their usual places, with this work."""
        share_s = self.assumptions.tenant_share_s if by_due else None
        return Simulation(work, self.cell_of, self.servers, self.assumptions.cells, share_s=share_s)

    def work_of(self, *cells: int) -> Work:
        """The work of some cells; the others are left out, for nothing of them reaches these."""
        return self.work.of(np.isin(self.cell_of, cells))


def simulate(assumptions: Assumptions) -> SimulationReport:
    """Ask everything."""
    evening = Evening(assumptions)
    ordinary = evening.simulation(evening.work)
    ordinary.run()
    waited, busiest = ordinary.waited_s(), np.abs(evening.work.at_s) <= _BUSIEST_S
    return SimulationReport(
        assumptions=assumptions,
        turns=ordinary.arrived,
        cells=tuple(_cell(evening, ordinary, waited, busiest, cell) for cell in range(assumptions.cells)),
        all_cells=waiting(waited[busiest]),
        imbalance=_imbalance(evening),
        campaigns=tuple(_campaign(evening, by_due=by_due) for by_due in (False, True)),
        moves=_moves(evening),
        new_cell=_new_cell(evening),
        losses=(_machine_loss(evening), _cell_loss(evening)),
    )


def waiting(seconds: NDArray[np.float64]) -> Waiting:
    """Percentiles of waits; none of anything is 0."""
    if not seconds.size:
        return Waiting(turns=0, p50_ms=0, p95_ms=0, p99_ms=0, longest_ms=0)
    # Rounding of sums of floats can leave a little less than nothing.
    p50, p95, p99, longest = np.clip(np.percentile(seconds, (50, 95, 99, 100)), 0, None) * 1000
    return Waiting(
        turns=seconds.size,
        p50_ms=round(float(p50), 1),
        p95_ms=round(float(p95), 1),
        p99_ms=round(float(p99), 1),
        longest_ms=round(float(longest), 1),
    )


def _cell(evening: Evening, ordinary: Simulation, waited: NDArray[np.float64], busiest: Marked, cell: int) -> CellLoad:
    here = busiest & (ordinary.served_in() == cell)
    workers, postgres = (
        100 * ordinary.busy_s(level, cell, -_BUSIEST_S, _BUSIEST_S) / (2 * _BUSIEST_S * evening.servers[level])
        for level in (_WORKERS, _POSTGRES)
    )
    return CellLoad(
        cell=cell,
        tenants=int((evening.cell_of == cell).sum()),
        turns_per_s=round(float(here.sum()) / (2 * _BUSIEST_S), 2),
        workers_percent=round(workers, 1),
        postgres_percent=round(postgres, 1),
        waiting=waiting(waited[here]),
    )


def _imbalance(evening: Evening) -> Imbalance:
    tenants, cells = evening.assumptions.tenants, evening.assumptions.cells
    many = [imbalance(rendezvous(tenants, cells, 1_000 + salt), evening.size, cells) for salt in range(_PLACEMENTS)]
    return Imbalance(
        here=round(imbalance(evening.cell_of, evening.size, cells), 3),
        median=round(float(np.median(many)), 3),
        p95=round(float(np.percentile(many, 95)), 3),
        largest_tenant_percent=round(float(100 * evening.size.max() / evening.size.sum()), 2),
    )


def _campaign(evening: Evening, *, by_due: bool) -> Campaign:
    assumptions = evening.assumptions
    tenant = int(evening.size.argmax())
    cell = int(evening.cell_of[tenant])
    work = evening.work_of(cell).and_(campaign(assumptions, evening.size, tenant))
    simulation = evening.simulation(work, by_due=by_due)
    simulation.run()
    waited, end_s = simulation.waited_s(), assumptions.campaign_min * 30
    during, own = np.abs(work.at_s) <= end_s, work.tenant == tenant
    usual = float(evening.size[tenant]) / 86_400 * assumptions.peak_ratio
    return Campaign(
        order="as due" if by_due else "as they came",
        usual_per_s=round(usual, 2),
        campaign_per_s=round(usual * assumptions.campaign_factor, 1),
        cell_maximum_per_s=round(min(evening.machines * assumptions.machine_maximum, assumptions.cell_maximum), 1),
        own=waiting(waited[during & own]),
        neighbours=waiting(waited[during & ~own]),
        catch_up_s=_caught_up(work, waited, end_s),
    )


def _moves(evening: Evening) -> tuple[Move, ...]:
    """A typical tenant and the largest of the fullest cell, copied while it is held or ahead of that."""
    if evening.assumptions.cells == 1:
        return ()
    there = np.flatnonzero(evening.cell_of == evening.fullest)
    by_size = there[np.argsort(evening.size[there])]
    average = by_size[
        np.searchsorted(evening.size[by_size], evening.assumptions.messages_per_day).clip(0, by_size.size - 1)
    ]
    largest = by_size[-1]
    return (
        _move(evening, "average tenant", int(average), ahead=False),
        _move(evening, "average tenant", int(average), ahead=True),
        _move(evening, "largest tenant", int(largest), ahead=False),
        _move(evening, "largest tenant", int(largest), ahead=True),
    )


def _move(evening: Evening, name: str, tenant: int, *, ahead: bool) -> Move:
    a = evening.assumptions
    rows = evening.size[tenant] * a.history_days * a.rows_per_turn
    copy_s = rows / a.copied_rows_per_s
    # What comes while the history is copied is copied when nothing comes any more; at the peak that is most.
    peak_rows_per_s = evening.size[tenant] / 86_400 * a.peak_ratio * a.rows_per_turn
    late_rows = min(rows, peak_rows_per_s * copy_s) if ahead else rows
    simulation = evening.simulation(evening.work_of(evening.fullest, evening.emptiest))
    drained_s: list[float] = []
    released: list[tuple[float, int]] = []

    def release(now: float) -> None:
        released.append((now, simulation.release(tenant, evening.emptiest, now)))

    def drained(now: float) -> None:
        drained_s.append(now)
        simulation.at(now + late_rows / a.copied_rows_per_s, release)

    simulation.at(0.0, lambda now: simulation.hold(tenant, drained, now))
    simulation.run()
    after = evening.cell_of.copy()
    after[tenant] = evening.emptiest
    held_until, delayed = released[0]
    return Move(
        tenant=name,
        messages_per_day=round(float(evening.size[tenant]), 1),
        way="copied ahead" if ahead else "copied while held",
        rows=round(float(rows)),
        rows_while_held=round(float(late_rows)),
        copy_before_s=round(float(copy_s) if ahead else 0.0, 2),
        drain_s=round(drained_s[0], 3),
        held_s=round(held_until, 3),
        messages_delayed=delayed,
        imbalance_before=round(imbalance(evening.cell_of, evening.size, a.cells), 3),
        imbalance_after=round(imbalance(after, evening.size, a.cells), 3),
    )


def _new_cell(evening: Evening) -> NewCell:
    tenants, cells, salt = evening.assumptions.tenants, evening.assumptions.cells, evening.assumptions.seed
    shares = [
        round(100 * moved(place(tenants, cells, salt), place(tenants, cells + 1, salt), weight), 2)
        for place in (rendezvous, modulo)
        for weight in (None, evening.size)
    ]
    return NewCell(
        cells=cells,
        rendezvous_tenants=shares[0],
        rendezvous_load=shares[1],
        modulo_tenants=shares[2],
        modulo_load=shares[3],
    )


def _machine_loss(evening: Evening) -> Loss:
    away_s = evening.assumptions.machine_loss_min * 60
    name = f"one of {evening.machines} worker machines" if evening.machines > 1 else "its only worker machine"
    return _loss(evening, name, ((_WORKERS, evening.assumptions.processes),), away_s)


def _cell_loss(evening: Evening) -> Loss:
    return _loss(evening, "its PostgreSQL", tuple(enumerate(evening.servers)), evening.assumptions.failover_min * 60)


def _loss(evening: Evening, what: str, servers: tuple[tuple[int, int], ...], away_s: float) -> Loss:
    """``servers`` has how many of which station are away; messages that come meanwhile are answered afterwards."""
    cell, takeover_s = evening.fullest, evening.assumptions.takeover_s
    work = evening.work_of(cell)
    simulation = evening.simulation(work)

    def lose(now: float) -> None:
        for level, count in servers:
            simulation.lose_servers(cell, level, count, takeover_s, now)

    def give_back(now: float) -> None:
        for level, count in servers:
            simulation.return_servers(cell, level, count, now)

    simulation.at(0.0, lose)
    simulation.at(away_s, give_back)
    simulation.run()
    waited = simulation.waited_s()
    after = waited[work.at_s >= 0]
    return Loss(
        what=what,
        lost_s=away_s,
        turns=after.size,
        late=int((waited > _LATE_S).sum()),
        longest_s=round(float(max(0.0, waited.max(initial=0.0))), 2),
        catch_up_s=_caught_up(work, waited, away_s),
    )


def _caught_up(work: Work, waited: NDArray[np.float64], since_s: float) -> float:
    late = work.at_s[waited > _LATE_S]
    return round(float(max(0.0, late.max(initial=since_s) - since_s)), 1)
