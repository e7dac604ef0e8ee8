"""How a tenant's bot and its outside systems were doing day by day, for people who only want to see that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from smarteros.domain.availability import (
    Availability,
    Segment,
    State,
    all_of,
    availability,
    day_begins,
    timeline,
)
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.health.report import OURS, seen_of
from smarteros.kit.clock import in_santiago
from smarteros.store.database import Database

DAYS = 30
BOT = "bot"
"""What our own services are together: nobody outside cares which of them it was."""


class Day(Model):
    """One day of Chile's calendar, the last one up to now."""

    day: date
    availability: Availability


class Uptime(Model):
    """A service: how it is now, and its last days, the oldest first."""

    service: str
    state: State
    whole: Availability
    days: tuple[Day, ...]


def uptime(database: Database, tenant: Tenant, now: datetime) -> tuple[Uptime, ...]:
    """Return the bot first, then the tenant's outside systems by name."""
    today = in_santiago(now).date()
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    start = day_begins(days[0])
    ours, others = seen_of(database, tenant, start, now)

    def of(service: str, line: Callable[[datetime, datetime], tuple[Segment, ...]]) -> Uptime:
        bounds = [(day, day_begins(day), min(day_begins(day + timedelta(days=1)), now)) for day in days]
        told = tuple(Day(day=day, availability=availability(line(begins, ends))) for day, begins, ends in bounds)
        whole = line(start, now)
        return Uptime(service=service, state=whole[-1].state, whole=availability(whole), days=told)

    def bot(begins: datetime, ends: datetime) -> tuple[Segment, ...]:
        return all_of([timeline(ours.get(service, ()), begins, ends) for service in OURS])

    return (
        of(BOT, bot),
        *(of(name, lambda a, b, seen=seen: timeline(seen, a, b)) for name, seen in sorted(others.items())),
    )
