"""Time as a parameter: code that asks for "now" receives a Clock, so that tests can hold time still."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

SANTIAGO = ZoneInfo("America/Santiago")


class Clock(Protocol):
    """Source of the current instant, always an aware UTC datetime."""

    def now(self) -> datetime:
        """Return the current instant."""
        ...


@dataclass(frozen=True)
class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current instant in UTC."""
        return datetime.now(UTC)


@dataclass
class FixedClock:
    """A clock that stands still until it is set."""

    instant: datetime

    def now(self) -> datetime:
        """Return the instant it was set to."""
        return self.instant


def month_in_chile(instant: datetime) -> str:
    """Return the month of Chile's calendar an instant lies in, like 2026-11: what is counted by month is by these."""
    return in_santiago(instant).strftime("%Y-%m")


def in_santiago(instant: datetime) -> datetime:
    """Convert an aware instant to Chilean wall time (customers are spoken to in this zone)."""
    return instant.astimezone(SANTIAGO)
