"""The arithmetic of availability: how much of a time something was up, down, or not looked at.

A probe's answer holds until the next probe, and at most for a while (``Stretch.valid_s``): after that nobody knows, and
nothing is made of it. Unknown time is neither up nor down; it is told beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise, zip_longest
from typing import Literal

from smarteros.domain.model import Model
from smarteros.kit.clock import SANTIAGO

State = Literal["up", "down", "unknown"]


class Stretch(Model):
    """Probes of one service that followed each other with the same answer, from the first to the last of them."""

    began_at: datetime
    last_at: datetime
    up: bool
    probes: int
    valid_s: float


class Segment(Model):
    """A time in one state, from ``began_at`` up to ``ended_at``, in UTC."""

    began_at: datetime
    ended_at: datetime
    state: State

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.ended_at - self.began_at).total_seconds()


class Availability(Model):
    """Seconds of a time by state; they add up to the whole of it."""

    total_s: float
    up_s: float
    down_s: float
    unknown_s: float

    @property
    def ratio(self) -> float | None:
        """The part of the known time in which it was up, 0 to 1; None when nothing is known."""
        known = self.up_s + self.down_s
        return self.up_s / known if known else None

    @property
    def arithmetic(self) -> str:
        """How the ratio comes about, for people who check it."""
        if self.ratio is None:
            return f"nobody looked: {self.unknown_s:.0f} of {self.total_s:.0f} s unknown"
        known = f"({self.up_s:.0f} s up + {self.down_s:.0f} s down)"
        rest = f"{self.unknown_s:.0f} of {self.total_s:.0f} s unknown"
        return f"{self.up_s:.0f} s up / {known} = {percent(self.ratio)}; {rest}"


def month_bounds(month: str) -> tuple[datetime, datetime]:
    """Return the first instant of a month of Chile's calendar (2026-11) and that of the next one, in UTC.

    A month in which the clocks change is an hour longer or shorter. ValueError for anything else than a month.
    """
    first = datetime.strptime(month, "%Y-%m").date()
    following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return day_begins(first), day_begins(following)


def day_begins(day: date) -> datetime:
    """Return the instant a day begins in Chile, in UTC: where the clocks skip midnight, the one after the gap."""
    midnight = datetime.combine(day, time())
    instant = midnight.replace(tzinfo=SANTIAGO).astimezone(UTC)
    missing = instant.astimezone(SANTIAGO).replace(tzinfo=None) - midnight
    return instant - missing if missing > timedelta() else instant


def timeline(stretches: Iterable[Stretch], start: datetime, end: datetime) -> tuple[Segment, ...]:
    """Lay stretches over a time: segments without gap or overlap from ``start`` to ``end``, empty when there is none.

    Neighbours differ in state.
    """
    ordered = sorted(stretches, key=lambda stretch: stretch.began_at)
    known: list[Segment] = []
    for stretch, following in zip_longest(ordered, ordered[1:]):
        until = stretch.last_at + timedelta(seconds=stretch.valid_s)
        until = until if following is None else min(until, following.began_at)
        began, ended = max(stretch.began_at, start), min(until, end)
        if began < ended:
            known.append(Segment(began_at=began, ended_at=ended, state="up" if stretch.up else "down"))
    return tuple(_joined(_with_unknown(known, start, end)))


def all_of(timelines: Sequence[tuple[Segment, ...]]) -> tuple[Segment, ...]:
    """Put services that are all needed into one: down when one is down, unknown when one is unknown, else up.

    All of them must lie over the same time.
    """
    edges = sorted({edge for line in timelines for each in line for edge in (each.began_at, each.ended_at)})
    lines = [iter(line) for line in timelines]
    current = [next(line, None) for line in lines]
    parts: list[Segment] = []
    for began, ended in pairwise(edges):
        for at, line in enumerate(lines):
            while (now := current[at]) is not None and now.ended_at <= began:
                current[at] = next(line, None)
        states = {"unknown" if now is None else now.state for now in current}
        state: State = "down" if "down" in states else "unknown" if "unknown" in states else "up"
        parts.append(Segment(began_at=began, ended_at=ended, state=state))
    return tuple(_joined(parts))


def availability(segments: Iterable[Segment]) -> Availability:
    """Add up a timeline."""
    seconds: dict[State, float] = {"up": 0.0, "down": 0.0, "unknown": 0.0}
    for segment in segments:
        seconds[segment.state] += segment.seconds
    return Availability(
        total_s=sum(seconds.values()), up_s=seconds["up"], down_s=seconds["down"], unknown_s=seconds["unknown"]
    )


def incidents(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Return the outages of a timeline. What was down before and after an unknown time are two."""
    return tuple(segment for segment in segments if segment.state == "down")


def percent(ratio: float) -> str:
    """Write a ratio as a percentage of three decimals, rounded down: 99.8999 % has not kept a promise of 99.9 %."""
    thousandths = int(ratio * 100_000 + 1e-9)
    return f"{thousandths // 1000}.{thousandths % 1000:03d} %"


def _with_unknown(known: Iterable[Segment], start: datetime, end: datetime) -> Iterator[Segment]:
    at = start
    for segment in known:
        if at < segment.began_at:
            yield Segment(began_at=at, ended_at=segment.began_at, state="unknown")
        yield segment
        at = segment.ended_at
    if at < end:
        yield Segment(began_at=at, ended_at=end, state="unknown")


def _joined(segments: Iterable[Segment]) -> Iterator[Segment]:
    held: Segment | None = None
    for segment in segments:
        if held is not None and held.state == segment.state:
            held = held.model_copy(update={"ended_at": segment.ended_at})
            continue
        if held is not None:
            yield held
        held = segment
    if held is not None:
        yield held
