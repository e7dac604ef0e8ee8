"""When sources are read and reports are due, in Chile's time."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from smarteros.domain.upkeep import Interval
from smarteros.kit.clock import SANTIAGO, in_santiago

_READ_AT = time(2, 0)  # facts of the flows, "KB upkeep": daily 02:00
_REPORT_AT = time(8, 0)
_MONDAY, _SUNDAY = 0, 6
_A_WEEK = range(8)  # days from today, in which every weekday's hour comes at least once
# What may pass by itself is tried again before the next regular time.
RETRY_AFTER = timedelta(hours=1)


def next_reading(interval: Interval, now: datetime) -> datetime:
    """Return the first 02:00 in Chile after ``now``, of any day or of a Sunday."""
    moments = (_on(now, days, _READ_AT) for days in _A_WEEK)
    return next(each for each in moments if each > now and (interval == "day" or each.weekday() == _SUNDAY))


def last_report(now: datetime) -> datetime:
    """Return the last Monday 08:00 in Chile that is not after ``now``: from then on the weekly report is due."""
    moments = (_on(now, -days, _REPORT_AT) for days in _A_WEEK)
    return next(each for each in moments if each <= now and each.weekday() == _MONDAY)


def _on(now: datetime, days: int, at: time) -> datetime:
    return datetime.combine(in_santiago(now).date() + timedelta(days=days), at, tzinfo=SANTIAGO)
