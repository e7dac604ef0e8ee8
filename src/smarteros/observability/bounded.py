"""Prometheus' own metrics with a bound on what is counted by tenant."""

from __future__ import annotations

import threading
from typing import Self, cast

import prometheus_client
from prometheus_client.metrics import MetricWrapperBase

MOST_TENANTS = 500
OTHERS = "other"


class _Tenants:
    """The tenants with figures of their own: the first ones this process met."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def label(self, tenant_id: str) -> str:
        """Return the tenant, or ``other`` when there are too many already."""
        if tenant_id in self._known:
            return tenant_id
        with self._lock:
            if len(self._known) >= MOST_TENANTS:
                return OTHERS
            self._known.add(tenant_id)
        return tenant_id


_tenants = _Tenants()


def _bounded(metric: MetricWrapperBase, values: tuple[object, ...]) -> tuple[object, ...]:
    """The label ``tenant`` comes first, where there is one."""
    names = cast("tuple[str, ...]", metric._labelnames)  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]
    if values and names[:1] == ("tenant",):
        return (_tenants.label(str(values[0])), *values[1:])
    return values


class Counter(prometheus_client.Counter):
    """A counter whose label ``tenant`` has at most ``MOST_TENANTS`` values, and ``other``."""

    def labels(self, *labelvalues: object, **labelkwargs: object) -> Self:
        """Return the counter of these labels, in their order; see prometheus_client."""
        return super().labels(*_bounded(self, labelvalues), **labelkwargs)


class Gauge(prometheus_client.Gauge):
    """A gauge bounded like ``Counter``."""

    def labels(self, *labelvalues: object, **labelkwargs: object) -> Self:
        """Return the gauge of these labels; see ``Counter``."""
        return super().labels(*_bounded(self, labelvalues), **labelkwargs)


class Histogram(prometheus_client.Histogram):
    """A histogram bounded like ``Counter``."""

    def labels(self, *labelvalues: object, **labelkwargs: object) -> Self:
        """Return the histogram of these labels; see ``Counter``."""
        return super().labels(*_bounded(self, labelvalues), **labelkwargs)
