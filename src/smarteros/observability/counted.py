"""Gauges that are counted when somebody looks, over all processes of the installation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from smarteros.observability.metrics import REGISTRY


class CountedGauges(Collector):
    """Gauges by name and help. ``count`` returns their values in that order, or None when it cannot tell.

    None shows no figures: none is better than a wrong one, and the store's own gauge says that it is away.
    """

    def __init__(self, *gauges: tuple[str, str]) -> None:
        self.count: Callable[[], Sequence[float] | None] | None = None
        self._gauges = gauges
        REGISTRY.register(self)

    def describe(self) -> Iterator[Metric]:
        """Name the gauges."""
        return (GaugeMetricFamily(name, told) for name, told in self._gauges)

    def collect(self) -> Iterator[Metric]:
        """Count."""
        values = self.count() if self.count else None
        for (name, told), value in zip(self._gauges, values or (), strict=values is not None):
            yield GaugeMetricFamily(name, told, value)
