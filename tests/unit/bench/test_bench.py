"""The measurement itself: its report has every figure, and nothing it sent was lost or doubled. No time is judged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from smarteros.bench.report import Report, markdown


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, str]:
    page = tmp_path_factory.mktemp("bench") / "benchmarks.md"
    command = [sys.executable, "-m", "smarteros.cli.main", "bench", "--quick", "--json", "--write", str(page)]
    ran = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=240, cwd=Path(__file__).parents[3]
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
