"""The proof in its short version: a fleet of its own, customers, faults, kills, and a count from Chatwoot's side."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from smarteros.proving.judge import CHARGES
from smarteros.proving.proof import Wanted, prove
from smarteros.proving.report import show

# `just prove` plays 10,000 turns with 320 kills. The seed is fixed so that a red run can be played again.
SHORT = Wanted(turns=300, kills=30, seed=1)
# A kill that does not find its moment in time is done at any other.
MOST_UNMET = 0.1


def test_nothing_is_lost_doubled_out_of_order_after_a_person_or_superseded_whatever_is_killed(tmp_path: Path) -> None:
    report = prove(SHORT, lambda _: None, keep=tmp_path)

    show(report, Console(width=150))  # what a red run shows
    assert report.complete
    assert {charge: getattr(report, charge) for charge in CHARGES} == dict.fromkeys(CHARGES, 0)
    assert report.seldom_two
    assert report.max_takeover_s < 10.0
    assert (report.turns, report.kills) >= (SHORT.turns, SHORT.kills)
    unmet = sum(number for moment, number in report.kills_by_moment.items() if moment.endswith(".unmet"))
    assert unmet <= MOST_UNMET * report.kills
