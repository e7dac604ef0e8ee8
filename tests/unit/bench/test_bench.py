"""The measurement itself: its report has every figure, and nothing it sent was lost or doubled. No time is judged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.process import QUICK_START

from smarteros.bench.report import Report, markdown
from smarteros.bench.scale.assumptions import assumed
from smarteros.bench.targets import targets


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, str]:
    page = tmp_path_factory.mktemp("bench") / "benchmarks.md"
    command = [sys.executable, "-m", "smarteros.cli.main", "bench", "--quick", "--json", "--write", str(page)]
    ran = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
        cwd=Path(__file__).parents[3],
        # The same measurements of processes that start quicker; figures are taken with the whole brain.
        env=os.environ | QUICK_START,
    )
    return Report.model_validate(json.loads(ran.stdout)), page.read_text()


def test_every_turn_of_the_measurement_was_answered_once(measured: tuple[Report, str]) -> None:
    report, _ = measured
    assert report.turn.missing == report.accept.missing == report.turn_at_70_percent.missing == 0
    assert all(load.missing == 0 for load in report.scaling)
    assert report.doubled == 0


def test_the_report_has_the_bare_limits_of_the_same_run(measured: tuple[Report, str]) -> None:
    report, _ = measured
    assert report.limits.calls_per_s > 0
    assert report.limits.queue_per_s > 0
    assert report.best.turns_per_s > 0
    assert report.turn.p50_ms <= report.turn.p95_ms <= report.turn.p99_ms


def test_the_page_says_what_the_report_says(measured: tuple[Report, str]) -> None:
    report, page = measured
    assert page == markdown(report)
    assert report.machine in page
    assert f"**{report.best.turns_per_s:.1f}**" in page


def test_photos_were_read_and_the_demo_was_weighed(measured: tuple[Report, str]) -> None:
    report, _ = measured
    assert report.photos is not None
    assert report.photos.understood == report.photos.photos > 0
    assert 0 < report.photos.wall_p50_ms <= report.photos.wall_p95_ms
    assert report.demo is not None
    # Which is more is not said: right after the start what learning took has not been given back yet.
    assert min(report.demo.memory_mb, report.demo.memory_with_models_mb) > 0


def test_every_target_says_whether_it_was_met(measured: tuple[Report, str]) -> None:
    report, page = measured
    assert report.targets == targets(report)
    assert len(report.targets) == 11
    for target in report.targets:
        reached = target.measured < target.target if target.at_most else target.measured >= target.target
        assert target.met == reached
        assert f"| {target.name} |" in page


def test_a_report_of_an_earlier_version_is_still_read(measured: tuple[Report, str]) -> None:
    report, _ = measured
    old = report.model_dump(mode="json", exclude={"photos", "demo", "targets", "decide_p95_ms"})
    for load in old["scaling"]:
        del load["commits_per_turn"]
    assert "| processes |" in markdown(Report.model_validate(old))


def test_a_simulation_takes_what_a_turn_costs_from_a_report(measured: tuple[Report, str]) -> None:
    report, _ = measured
    assumptions = assumed(["cells=2"], report)
    assert assumptions.postgres_ms == report.best.postgres_cpu_ms_per_turn
    assert assumptions.worker_ms + assumptions.postgres_ms == pytest.approx(report.best.cpu_ms_per_turn)
    assert assumptions.commits_per_turn == report.best.commits_per_turn
