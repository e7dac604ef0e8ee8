"""Watching a step: one name in span, metric and record."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager

from opentelemetry import trace

from smarteros.domain.turns import StepName
from smarteros.observability.metrics import STEP_SECONDS

_tracer = trace.get_tracer("smarteros")


class Stopwatch:
    """Filled when the step ends: ``duration_ms``."""

    duration_ms: float = 0.0


@contextmanager
def watched(step: StepName, tenant_id: str, turn_id: str) -> Generator[Stopwatch]:
    """Run a step under its span and count its duration in milliseconds."""
    watch, started, outcome = Stopwatch(), time.perf_counter(), "ok"
    attributes = {"smos.tenant": tenant_id, "smos.turn": turn_id}
    with _tracer.start_as_current_span(step, attributes=attributes):
        try:
            yield watch
        except BaseException:
            outcome = "error"
            raise
        finally:
            seconds = time.perf_counter() - started
            watch.duration_ms = round(seconds * 1000, 2)
            STEP_SECONDS.labels(tenant_id, step, outcome).observe(seconds)
