"""What playing a turn again showed."""

from __future__ import annotations

import difflib
import json
from typing import Any, Literal

from pydantic import Field

from smarteros.domain.model import Model

Verdict = Literal["same", "different", "not_replayable"]


class Difference(Model):
    """One thing that came out otherwise."""

    what: str
    recorded: Any
    replayed: Any


class ReplayResult(Model):
    """One turn played again. ``notes`` name what is not as it was then and may explain a difference."""

    turn_id: str
    verdict: Verdict
    reason: str | None = Field(default=None, description="Why it could not be played")
    recorded_reply: str | None = None
    replayed_reply: str | None = None
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()

    def in_words(self) -> list[str]:
        """Write the result for a terminal: one line, and the differences below it."""
        head = f"{self.verdict.replace('_', ' '):<14} {self.turn_id}"
        lines = [f"{head}  ({self.reason})" if self.reason else head]
        lines += [f"  note: {note}" for note in self.notes if self.verdict == "different"]
        for difference in self.differences:
            if difference.what != "reply":
                lines.append(f"  {difference.what}: {_short(difference.recorded)} -> {_short(difference.replayed)}")
        if self.recorded_reply != self.replayed_reply and any(d.what == "reply" for d in self.differences):
            lines += [f"  {line}" for line in reply_diff(self.recorded_reply, self.replayed_reply)]
        return lines


class ReplaySummary(Model):
    """Many turns played again."""

    same: int = 0
    different: int = 0
    not_replayable: int = 0
    results: tuple[ReplayResult, ...] = Field(default=(), description="Only those that are not the same")


def reply_diff(recorded: str | None, replayed: str | None) -> list[str]:
    """Compare two replies line by line, in the form of ``diff -u``."""
    before, after = (recorded or "").splitlines(), (replayed or "").splitlines()
    return list(difflib.unified_diff(before, after, "recorded", "replayed", lineterm="", n=1))


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 160 else text[:157] + "…"
