"""The backlog in the metrics: counted when somebody looks, over all processes of the installation."""

from __future__ import annotations

from collections.abc import Callable

from smarteros.observability.counted import CountedGauges
from smarteros.store.queue import Backlog

_gauges = CountedGauges(
    ("smos_turns_waiting", "Accepted turns that have not begun"),
    ("smos_turns_oldest_waiting_seconds", "Age of the oldest of them"),
)


def watch_backlog(count: Callable[[], Backlog | None]) -> None:
    """Let ``/metrics`` show what ``count`` says."""

    def figures() -> tuple[float, float] | None:
        backlog = count()
        return None if backlog is None else (backlog.waiting, backlog.oldest_s)

    _gauges.count = figures
