"""Every metric of ``GET /metrics``, from the registry that serves it."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from typing import Protocol, cast

from prometheus_client.metrics_core import Metric

from smarteros.observability.metrics import REGISTRY
from tests.reference.tables import SOURCE, code, page, table, text_of


def metrics_page() -> str:
    """Write the page."""
    return text_of(
        [
            *page(
                "Metrics",
                "What `GET /metrics` of a process tells. How the figures are meant, and which alerts are made of them, "
                "is in [Metrics, traces, logs](../observability.md). A histogram has `_bucket`, `_sum` and `_count`; a "
                "counter is written with `_total`.",
            ),
            *table(("metric", "kind", "labels", "what it tells"), sorted(_rows())),
        ]
    )


class Describing(Protocol):
    """A collector that says what it will tell; all of ours do."""

    def describe(self) -> Iterable[Metric]: ...


def collectors() -> tuple[Describing, ...]:
    """Return all that is ever registered: the modules that do are loaded first."""
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text("utf-8")
        if "registry=REGISTRY" in text or "CountedGauges(" in text:
            importlib.import_module(".".join(("smarteros", *path.relative_to(SOURCE).with_suffix("").parts)))
    return tuple(cast("Describing", each) for each in REGISTRY._collector_to_names)


def _rows() -> Iterator[tuple[str, ...]]:
    for collector in collectors():
        labels = ", ".join(code(label) for label in getattr(collector, "_labelnames", ()))
        for metric in collector.describe():
            name = f"{metric.name}_total" if metric.type == "counter" else metric.name
            yield code(name), metric.type, labels, metric.documentation
