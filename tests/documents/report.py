"""The page of figures."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from tests.documents.scores import CORE, Scores, Tally

LEVELS = ("clean", "light", "original", "medium", "heavy")
GOOD = ("clean", "light", "medium")
_HEADS = (*CORE, "core fields", "letters wrong", "timbre decoded", "product, with catalogue")

_INTRODUCTION = """# Reading documents: figures

Measured {at:%Y-%m-%d} with `{command}` on {cores} cores ({machine}), load average {load:.1f}: other work ran at the
same time, so times by the clock are upper bounds and CPU seconds are what counts. Every document is invented and
drawn from seed {seed}; the code was tuned on seed 11 and on documents-dev.

Core fields are the issuer's RUT, number, date, total and first product, compared exactly (the product without accents
and case, and in that column without a catalogue). Letters are compared piece by piece with the most similar stretch of
a line. A timbre counts as decoded when its bytes were read and believed, whatever its size in the photo: below about
0.95 pixels a module it is not to be decoded.
"""


def table(scores: Scores) -> str:
    """Fields by level."""
    lines = [f"| level | {' | '.join(_HEADS)} |", "|" + "---|" * (len(_HEADS) + 1)]
    for level in LEVELS:
        if level not in scores.core:
            continue
        rate = scores.error_rate(level)
        cells = [f"{scores.by_field[level, key].right}/{scores.by_field[level, key].of}" for key in CORE]
        cells += [str(scores.core[level]), "–" if np.isnan(rate) else f"{rate:.1f} %"]
        cells += [str(tallies.get(level, Tally())) for tallies in (scores.timbre, scores.product)]
        lines.append(f"| {level} | {' | '.join(cells)} |")
    return "\n".join(lines)


def targets(scores: Scores, report: dict[str, Any] | None = None) -> str:
    """The targets and what was measured."""
    letters = scores.error_rate(*GOOD)
    rows = [
        _at_least("core fields, clean + light + medium", 98.5, scores.together(scores.core, *GOOD)),
        ("letters wrong, clean + light + medium", "<= 5 %", f"{letters:.1f} %", letters <= 5),
        _at_least("core fields where the timbre was decoded", 99.5, scores.stamped),
        _at_least("core fields, heavy", 65, scores.core["heavy"]),
        ("unreadable: values at >= 0.7", "0", str(scores.emitted), scores.emitted == 0),
        _at_least("fields with confidence >= 0.9 that are right", 99, scores.sure),
        _at_least("timbre decoded, light", 85, scores.timbre.get("light", Tally())),
        _at_least("timbre decoded, medium", 50, scores.timbre.get("medium", Tally())),
        _at_least("product with the catalogue, clean + light + medium", 90, scores.together(scores.product, *GOOD)),
    ]
    rows += [] if report is None else _of_the_run(scores, report)
    lines = ["| | target | measured | |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {target} | {got} | {'met' if met else '**missed**'} |" for name, target, got, met in rows
    ]  # fmt: skip
    return "\n".join(lines)


def page(report: dict[str, Any]) -> str:
    """The whole page."""
    own: Scores = report["own"]
    parts = [
        _INTRODUCTION.format(
            at=report["at"], cores=os.cpu_count(), machine=report["machine"], load=os.getloadavg()[2],
            seed=report["seed"], command="just bench-documents" + (" --quick" if report["quick"] else ""),
        ),
        "## Targets, on the set drawn from an unseen seed\n", targets(own, report),
        "\n## By level\n", table(own),
        "\n## Forged timbres, rejected\n", "| forgery | rejected |", "|---|---|",
        *(f"| {name} | {tally} |" for name, tally in report["forged"].items()),
        "\n## PDFs and other pictures\n", "| | |", "|---|---|",
        *(f"| PDF, {name} | {tally} |" for name, tally in report["pdfs"].items()),
        f"| pictures of something else, recognised as such | {report['others']} |",
        _costs(report),
    ]  # fmt: skip
    if report["dev"] is not None:
        parts += ["\n## documents-dev\n", targets(report["dev"]), "", table(report["dev"])]
    wrong = [line for line in own.wrong if not line.startswith("heavy")]
    if wrong:
        parts += ["\n## Read wrongly (without the heavy level)\n", *(f"- {line}" for line in wrong)]
    return "\n".join(parts) + "\n"


def _at_least(name: str, percent: float, tally: Tally) -> tuple[str, str, str, bool]:
    return name, f">= {percent:g} %", str(tally), tally.percent >= percent


def _of_the_run(scores: Scores, report: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    forged = Tally()
    for tally in report["forged"].values():
        forged.right, forged.of = forged.right + tally.right, forged.of + tally.of
    seconds = report["seconds"]
    ocr, p90 = (float(np.percentile(seconds.ocr_cpu, part)) for part in (50, 90))
    wall = float(np.percentile(seconds.wall, 95))
    alarms = scores.false_alarms
    return [
        _at_least("timbre decoded, phone original (12 MP)", 95, scores.timbre.get("original", Tally())),
        _at_least("timbre decoded, close-up", 95, report["close_ups"]),
        _at_least("forged or altered, rejected", 100, forged),
        ("genuine documents under suspicion", "0", f"{alarms.right} of {alarms.of}", alarms.right == 0),
        ("OCR, CPU median / p90", "<= 1.0 s / <= 1.5 s", f"{ocr:.2f} s / {p90:.2f} s", ocr <= 1.0 and p90 <= 1.5),
        ("whole step by the clock, p95", "<= 2.5 s", f"{wall:.2f} s", wall <= 2.5),
    ]


def _costs(report: dict[str, Any]) -> str:
    cpu, wall = ([float(np.percentile(times, part)) for part in (50, 95)] for times in (
        report["seconds"].cpu, report["seconds"].wall,
    ))  # fmt: skip
    memory = ", ".join(f"{mb} MB after {at} pages" for at, mb in report["memory"].items())
    lines = ["\n## Cost\n", "CPU seconds a page on the same pictures in the same run, models loaded before:\n"]
    lines += ["| | median | p90 |", "|---|---|---|"]
    lines += [f"| {name} | {median:.2f} s | {p90:.2f} s |" for name, (median, p90) in report["compared"].items()]
    lines += [
        f"\nWhole step (timbre, OCR, fields) over all levels and 12-megapixel originals: CPU median {cpu[0]:.2f} s, "
        f"p95 {cpu[1]:.2f} s; by the clock median {wall[0]:.2f} s, p95 {wall[1]:.2f} s.",
        f"\nResident memory of the worker process: {memory}.",
    ]
    return "\n".join(lines)
