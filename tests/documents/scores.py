"""How good readings are, counted against what is printed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from smarteros.documents.protocol import OcrPage
from smarteros.documents.reading import DocumentResult
from smarteros.documents.rows import clean, rows_of
from smarteros.kit.text import fold

CORE = ("issuer_rut", "invoice_number", "purchase_date", "total", "product_name")
SURE, TRUSTED = 0.9, 0.7


@dataclass
class Tally:
    """So many of so many."""

    right: int = 0
    of: int = 0

    def add(self, good: bool) -> None:
        self.right += bool(good)
        self.of += 1

    @property
    def percent(self) -> float:
        return 100 * self.right / self.of if self.of else float("nan")

    def __str__(self) -> str:
        return f"{self.percent:.1f} % ({self.right}/{self.of})" if self.of else "–"


@dataclass
class Scores:
    """What a set of readings came to."""

    core: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    by_field: dict[tuple[str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))
    stamped: Tally = field(default_factory=Tally)
    sure: Tally = field(default_factory=Tally)
    product: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    timbre: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    accepted: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    false_alarms: Tally = field(default_factory=Tally)
    emitted: int = 0
    errors: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    letters: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    wrong: list[str] = field(default_factory=list)

    def add(self, name: str, level: str, wanted: dict[str, Any], found: DocumentResult, *, stamp: bytes | None) -> None:
        decoded = found.timbre.document_key is not None
        if stamp is not None:
            self.timbre[level].add(decoded)
            self.false_alarms.add(bool(found.fraud))
            if found.fraud:
                self.wrong.append(f"{name}: FALSE ALARM {found.fraud}")
        if level == "unreadable":
            values = [key for key in CORE if key in found.fields and found.fields[key].confidence >= TRUSTED]
            self.emitted += len(values)
            self.wrong += [f"{name}: emitted {key} {found.fields[key].value!r}" for key in values]
            return
        for key, value in wanted.items():
            got = found.fields[key].value if key in found.fields else None
            good = same(key, got, value)
            self.by_field[level, key].add(good)
            self.core[level].add(good)
            if decoded:
                self.stamped.add(good)
            if key in found.fields and found.fields[key].confidence >= SURE:
                self.sure.add(good)
            if not good:
                sure = f"{found.fields[key].confidence:.2f}" if key in found.fields else "-"
                self.wrong.append(f"{name}: {key} {got!r} not {value!r} ({sure})")
        accepted = found.confidence >= TRUSTED
        self.accepted[level].add(accepted)

    def add_page(self, level: str, segments: list[str], page: OcrPage) -> None:
        wrong, letters = character_errors(segments, page)
        self.errors[level] += wrong
        self.letters[level] += letters

    def together(self, tallies: dict[str, Tally], *levels: str) -> Tally:
        return Tally(
            sum(tallies[level].right for level in levels if level in tallies),
            sum(tallies[level].of for level in levels if level in tallies),
        )

    def error_rate(self, *levels: str) -> float:
        letters = sum(self.letters.get(level, 0) for level in levels)
        return 100 * sum(self.errors.get(level, 0) for level in levels) / letters if letters else float("nan")


def same(key: str, got: Any, wanted: Any) -> bool:
    """Products are compared without accents and case, everything else exactly."""
    if key == "product_name":
        return got is not None and fold(clean(str(got))) == fold(clean(str(wanted)))
    return got == wanted


def character_errors(segments: list[str], page: OcrPage) -> tuple[int, int]:
    """Letters wrong and letters printed: each printed piece against the most similar stretch of a line or row."""
    rows = [row.text for row in rows_of(page)] + [clean(line.text) for line in page.lines]
    wrong = letters = 0
    for segment in segments:
        piece = clean(segment).replace(" ", "")
        letters += len(piece)
        wrong += min((_nearest(piece, row.replace(" ", "")) for row in rows), default=len(piece))
    return wrong, letters


def _nearest(piece: str, row: str) -> int:
    """Edit distance to the best stretch of the row, at most the piece's length."""
    if piece in row:
        return 0
    costs = np.zeros(len(row) + 1, dtype=int)
    for at, letter in enumerate(piece, start=1):
        before = costs
        costs = np.empty_like(before)
        costs[0] = at
        replaced = before[:-1] + np.fromiter((letter != other for other in row), int, len(row))
        best = np.minimum(replaced, before[1:] + 1)
        running = costs[0]
        for index, cost in enumerate(best, start=1):
            running = min(int(cost), running + 1)
            costs[index] = running
    return min(int(costs.min()), len(piece))
