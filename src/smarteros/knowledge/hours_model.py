"""Opening hours as data. A time is minutes after midnight of its day; one past midnight is above 1440."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal


@dataclass(frozen=True, order=True)
class Span:
    """From opening to closing."""

    opens: int
    closes: int

    def words(self, language: str) -> str:
        """Write "de 10:00 a 19:00"."""
        from_, to = ("from", "to") if language == "en" else ("de", "a")
        return f"{from_} {clock_words(self.opens)} {to} {clock_words(self.closes)}"


Spans = tuple[Span, ...]  # none: closed


@dataclass(frozen=True)
class Season:
    """A part of every year, or of one year; both ends included."""

    first: tuple[int, int]
    last: tuple[int, int]
    year: int | None = None

    def holds_on(self, day: date) -> bool:
        """Tell whether a day is in it; a season may go over the turn of the year."""
        here = (day.month, day.day)
        if self.year is not None and day.year != self.year + (self.first > self.last and here <= self.last):
            return False
        if self.first <= self.last:
            return self.first <= here <= self.last
        return here >= self.first or here <= self.last


@dataclass(frozen=True)
class Schedule:
    """What one text says: hours by weekday (0 is Monday), of holidays, and of single days of the year.

    What a text does not mention is missing or None, which is not the same as closed.
    """

    days: Mapping[int, Spans] = field(default_factory=dict[int, Spans])
    holidays: Spans | None = None
    mandatory_holidays: Spans | None = None
    single_days: Mapping[tuple[int, int], Spans] = field(default_factory=dict[tuple[int, int], Spans])
    season: Season | None = None

    @property
    def empty(self) -> bool:
        """Whether it says nothing."""
        return not (self.days or self.single_days) and self.holidays is None and self.mandatory_holidays is None


@dataclass(frozen=True)
class DayHours:
    """The hours of one day. ``spans`` is None when nobody knows them; ``usual`` are those of its weekday."""

    day: date
    spans: Spans | None
    because: Literal["usual", "holiday", "single_day", "season"] = "usual"
    usual: Spans | None = None


def clock_words(minutes: int) -> str:
    """Write a time as "9:00", past midnight as on the next day."""
    hours, rest = divmod(minutes, 60)
    return f"{hours if hours == 24 and rest == 0 else hours % 24}:{rest:02d}"
