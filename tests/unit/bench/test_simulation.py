"""The simulation keeps what mathematics promises, loses nothing, and says the same thing twice."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from smarteros.bench.scale.assumptions import Assumptions, assumed, read_measured
from smarteros.bench.scale.events import Simulation
from smarteros.bench.scale.placement import imbalance, modulo, moved, rendezvous
from smarteros.bench.scale.report import BEGIN, END, SimulationReport, section, write_section
from smarteros.bench.scale.scenarios import simulate
from smarteros.bench.scale.workload import Floats, Work, load_at, sizes, usual_work
from smarteros.cli.main import app
from smarteros.domain.errors import ConfigError

SMALL = Assumptions(
    tenants=300, messages_per_day=300, window_min=60, cells=3, machines=3, processes=1, postgres_cores=1
)
NOBODY_MOVES = np.zeros(1, dtype=np.int64)


def poisson_work(rate: float, turns: int, *services: Floats) -> Work:
    at_s = np.cumsum(np.random.default_rng(7).exponential(1 / rate, turns))
    return Work(at_s, np.zeros(turns, dtype=np.int64), np.stack(services))


def exponential(mean: float, turns: int, seed: int) -> Floats:
    return np.random.default_rng(seed).exponential(mean, turns)


def erlang_c(servers: int, offered: float) -> float:
    """The probability that a turn waits (M/M/c)."""
    last = offered**servers / math.factorial(servers) * servers / (servers - offered)
    return last / (sum(offered**n / math.factorial(n) for n in range(servers)) + last)


def all_waits(work: Work, *servers: int) -> Floats:
    simulation = Simulation(work, NOBODY_MOVES, servers, 1)
    simulation.run()
    return simulation.waited_s()


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (3, 0.8), (8, 0.7)])
def test_waiting_for_random_work_is_what_the_formula_of_erlang_says(servers: int, load: float) -> None:
    turns, offered = 200_000, servers * load
    waits = all_waits(poisson_work(offered, turns, exponential(1.0, turns, 11)), servers)
    assert waits.mean() == pytest.approx(erlang_c(servers, offered) / (servers - offered), rel=0.06)
    assert (waits > 1e-9).mean() == pytest.approx(erlang_c(servers, offered), rel=0.03)


def test_waiting_for_even_work_is_what_the_formula_of_pollaczek_and_khinchine_says() -> None:
    turns, load = 200_000, 0.7
    waits = all_waits(poisson_work(load, turns, np.ones(turns)), 1)
    assert waits.mean() == pytest.approx(load / (2 * (1 - load)), rel=0.05)


def test_two_stations_in_a_row_wait_as_each_alone_would() -> None:
    turns = 200_000
    work = poisson_work(0.6, turns, exponential(1.0, turns, 3), exponential(0.5, turns, 4))
    first, second = 0.6 / (1 - 0.6), 0.3 / (2 - 0.6)
    assert all_waits(work, 1, 1).mean() == pytest.approx(first + second, rel=0.06)


@pytest.mark.parametrize("share_s", [None, 0.05])
def test_what_has_arrived_is_served_or_waits_at_every_instant(share_s: float | None) -> None:
    size = sizes(SMALL)
    work, cell_of = usual_work(SMALL, size), rendezvous(SMALL.tenants, SMALL.cells)
    tenant, cell = int(size.argmax()), int(cell_of[size.argmax()])
    simulation = Simulation(work, cell_of, (4, 1), SMALL.cells, share_s=share_s)
    simulation.at(-600, lambda now: simulation.lose_servers(cell, 0, 3, 2.0, now))
    simulation.at(-590, lambda now: simulation.lose_servers(cell, 1, 1, 0.0, now))
    simulation.at(-300, lambda now: simulation.return_servers(cell, 1, 1, now))
    simulation.at(-200, lambda now: simulation.return_servers(cell, 0, 3, now))

    def move_on(now: float) -> None:
        simulation.at(now + 30, lambda then: simulation.release(tenant, (cell + 1) % SMALL.cells, then))

    simulation.at(0, lambda now: simulation.hold(tenant, move_on, now))
    for instant in (-1000.0, -599.0, -589.5, -400.0, -299.0, -100.0, 10.0, 200.0):
        simulation.run(until_s=instant)
        assert simulation.arrived == (work.at_s <= instant).sum()
        assert simulation.arrived == simulation.served().sum() + simulation.waiting
    simulation.run()
    assert simulation.served().all()
    assert simulation.waiting == 0
    assert simulation.waited_s().min() > -1e-9


def test_turns_of_a_lost_machine_begin_anew_on_the_others() -> None:
    work = Work(np.array([0.0, 0.0]), np.zeros(2, dtype=np.int64), np.array([[10.0, 10.0]]))
    simulation = Simulation(work, NOBODY_MOVES, (2,), 1)
    simulation.at(4.0, lambda now: simulation.lose_servers(0, 0, 1, 1.0, now))
    simulation.run()
    # The other server is free at 10 and needs 10 more: 10 s beyond the turn's own work.
    assert sorted(simulation.waited_s()) == pytest.approx([0.0, 10.0])


def test_a_tenant_that_moves_begins_nothing_until_it_has_arrived() -> None:
    arrivals = np.array([0.0, 0.5, 2.0, 3.0])
    work = Work(arrivals, np.array([0, 0, 0, 1]), np.full((1, 4), 1.5))
    simulation = Simulation(work, np.zeros(2, dtype=np.int64), (1,), 2)
    drained: list[float] = []

    def drain(now: float) -> None:
        drained.append(now)
        simulation.at(now + 10, lambda then: simulation.release(0, 1, then))

    simulation.at(1.0, lambda now: simulation.hold(0, drain, now))
    simulation.run()
    assert drained == [1.5]  # the running turn ended in the old cell; the queued one did not begin there
    assert simulation.served_in().tolist() == [0, 1, 1, 0]
    assert simulation.waited_s().tolist() == pytest.approx([0.0, 11.0, 11.0, 0.0])


def test_served_as_due_nobody_waits_for_the_flood_of_another() -> None:
    flood = 1_000
    at_s = np.concatenate((np.zeros(flood), [0.5]))
    work = Work(at_s, np.concatenate((np.zeros(flood), [1])).astype(np.int64), np.ones((1, flood + 1)))
    waits: list[float] = []
    for share_s in (None, 0.05):
        simulation = Simulation(work, np.zeros(2, dtype=np.int64), (1,), 1, share_s=share_s)
        simulation.run()
        assert simulation.served().all()
        waits.append(float(simulation.waited_s()[-1]))
    assert waits[0] == pytest.approx(flood - 0.5)
    assert waits[1] <= 0.5 / 0.05 + 2  # behind those of the flood that were due before it came


@pytest.mark.parametrize("cells", [1, 4, 9])
def test_a_new_cell_takes_its_share_and_nothing_else_moves(cells: int) -> None:
    tenants = 50_000
    before, after = rendezvous(tenants, cells), rendezvous(tenants, cells + 1)
    assert moved(before, after) == pytest.approx(1 / (cells + 1), rel=0.05)
    assert set(after[before != after]) == {cells}


def test_places_by_remainder_move_nearly_everybody() -> None:
    assert moved(modulo(50_000, 4), modulo(50_000, 5)) == pytest.approx(0.8, rel=0.02)


def test_tenants_of_equal_size_fill_cells_evenly_and_unequal_ones_do_not() -> None:
    cell_of = rendezvous(10_000, 8)
    assert imbalance(cell_of, np.ones(10_000), 8) < 1.1
    assert imbalance(cell_of, sizes(Assumptions(size_sigma=2.5)), 8) > 1.1


def test_the_day_has_the_mean_and_the_peak_it_should_have() -> None:
    load = load_at(Assumptions(), np.arange(0, 24, 1 / 360))
    assert load.mean() == pytest.approx(1.0, rel=0.001)
    assert load.max() == pytest.approx(10.0, rel=0.001)
    assert Assumptions().peak_per_s == pytest.approx(231.5, rel=0.001)


def test_the_limit_of_a_cell_is_the_narrower_of_cores_and_commits() -> None:
    assert Assumptions(postgres_cores=2, postgres_ms=10, commits_per_turn=6).cell_maximum == pytest.approx(200)
    assert Assumptions(commits_per_turn=18, commits_per_s=900).cell_maximum == pytest.approx(50)


@pytest.fixture(scope="module")
def small() -> SimulationReport:
    return simulate(SMALL)


def test_the_same_seed_gives_the_same_report_and_another_one_does_not(small: SimulationReport) -> None:
    assert simulate(SMALL) == small
    assert simulate(SMALL.model_copy(update={"seed": 2})).turns != small.turns


def test_every_cell_is_as_busy_as_its_load_says(small: SimulationReport) -> None:
    workers = SMALL.machines_per_cell * SMALL.machine_maximum
    for cell in small.cells:
        assert cell.workers_percent == pytest.approx(100 * cell.turns_per_s / workers, rel=0.1)
        assert cell.postgres_percent == pytest.approx(100 * cell.turns_per_s / SMALL.cell_maximum, rel=0.1)


def test_a_lost_cell_answers_late_what_came_meanwhile(small: SimulationReport) -> None:
    machine, cell = small.losses
    assert cell.late > machine.late
    assert SMALL.failover_min * 60 * 0.9 < cell.longest_s


def test_the_section_takes_the_place_of_the_old_one_and_of_nothing_else(
    small: SimulationReport, tmp_path: Path
) -> None:
    page = tmp_path / "scale.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_section(page, section(small))
    write_section(page, section(small))
    assert page.read_text() == f"before\n{section(small)}\nafter\n"


def test_a_page_without_markers_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "other.md"
    page.write_text("mine\n")
    with pytest.raises(ConfigError):
        write_section(page, "section")
    assert page.read_text() == "mine\n"


def test_the_page_on_scale_has_the_section_of_a_simulation() -> None:
    page = (Path(__file__).parents[3] / "docs" / "scale.md").read_text(encoding="utf-8")
    assert page.count(BEGIN) == page.count(END) == 1
    assert "Taken for granted" in page.partition(BEGIN)[2].partition(END)[0]


@pytest.mark.parametrize("change", ["cell=3", "cells", "cells=0", "seed=x", "messages_per_day=1000000"])
def test_an_assumption_that_cannot_be_made_is_refused_in_one_sentence(change: str) -> None:
    with pytest.raises(ConfigError) as refused:
        assumed([change])
    assert "\n" not in refused.value.operator_message


def test_a_file_that_is_no_measurement_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text("{}")
    with pytest.raises(ConfigError):
        read_measured(other)


def test_the_command_simulates_with_other_assumptions() -> None:
    options = ["tenants=100", "window_min=20", "cells=1"]
    ran = CliRunner().invoke(
        app, ["bench", "--simulate", "--json", *(part for one in options for part in ("--assume", one))]
    )
    assert ran.exit_code == 0, ran.output
    report = SimulationReport.model_validate(json.loads(ran.stdout))
    assert (report.assumptions.tenants, report.assumptions.cells) == (100, 1)
    assert report.moves == ()


def test_assumptions_without_a_simulation_are_an_error() -> None:
    assert CliRunner().invoke(app, ["bench", "--assume", "cells=1"]).exit_code == 2
