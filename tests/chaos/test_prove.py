"""The proof in its short version: a fleet of its own, customers, faults, kills, and a count from Chatwoot's side."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from smarteros.proving.judge import CHARGES
from smarteros.proving.proof import Wanted, prove
from smarteros.proving.report import show

# What fits into a default run: a killed worker takes seconds of CPU to start, and there are two cores for everything.
# `smos prove` plays 300 turns with 30 kills, `just prove` 10,000 with 320. The seed is fixed so that a red run can be
# played again.
SHORT = Wanted(turns=60, kills=6, seed=1)


def test_nothing_is_lost_doubled_out_of_order_after_a_person_or_superseded_whatever_is_killed(tmp_path: Path) -> None:
    report = prove(SHORT, lambda _: None, keep=tmp_path)

    show(report, Console(width=150))  # what a red run shows
    assert report.complete
    assert {charge: getattr(report, charge) for charge in CHARGES} == dict.fromkeys(CHARGES, 0)
    assert report.max_takeover_s < 10.0
    # On a fast machine the play may end before the last ones are due.
    assert report.kills >= SHORT.kills // 2
    assert report.turns >= SHORT.turns
