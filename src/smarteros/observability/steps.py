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
    """Measures a step; ``duration_ms`` is what has passed so far, or all of it once the step has ended."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._seconds: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds since the start, or of the whole step."""
        return time.perf_counter() - self._started if self._seconds is None else self._seconds

    @property
    def duration_ms(self) -> float:
        """The same in milliseconds."""
        return round(self.seconds * 1000, 2)

    def stop(self) -> None:
        """End the measurement."""
        self._seconds = self.seconds


@contextmanager
def watched(step: StepName, tenant_id: str, turn_id: str) -> Generator[Stopwatch]:
    """Run a step under its span and count its duration in milliseconds."""
    watch, outcome = Stopwatch(), "ok"
    attributes = {"smos.tenant": tenant_id, "smos.turn": turn_id}
    # An exception may quote a customer: a trace tells its kind only.
    with _tracer.start_as_current_span(
        step, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield watch
        except BaseException as error:
            outcome = "error"
            span.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise
        finally:
            watch.stop()
            STEP_SECONDS.labels(tenant_id, step, outcome).observe(watch.seconds)
