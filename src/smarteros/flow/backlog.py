"""The backlog in the metrics: counted when somebody looks, over all processes of the installation."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from smarteros.observability.metrics import REGISTRY
from smarteros.store.queue import Backlog


class _BacklogCollector(Collector):
    def __init__(self) -> None:
        self.count: Callable[[], Backlog | None] | None = None

    def describe(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("smos_turns_waiting", "Accepted turns that have not begun")
        yield GaugeMetricFamily("smos_turns_oldest_waiting_seconds", "Age of the oldest of them")

    def collect(self) -> Iterator[Metric]:
        backlog = self.count() if self.count else None
        if backlog is None:
            return  # no figure is better than a wrong one; the store's own gauge says that it is away
        for family, value in zip(self.describe(), (backlog.waiting, backlog.oldest_s), strict=True):
            if isinstance(family, GaugeMetricFamily):
                family.add_metric([], value)
            yield family


_collector = _BacklogCollector()
REGISTRY.register(_collector)


def watch_backlog(count: Callable[[], Backlog | None]) -> None:
    """Let ``/metrics`` show what ``count`` says."""
    _collector.count = count
