"""Watching a step: one name in span, metric and record."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager

from smarteros.domain.turns import StepName
from smarteros.observability.metrics import STEP_SECONDS
from smarteros.observability.tracing import trace_webhook, traced


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
    with traced(step, tenant_id, turn_id):
        try:
            yield watch
        except BaseException:
            outcome = "error"
            raise
        finally:
            watch.stop()
            STEP_SECONDS.labels(tenant_id, step, outcome).observe(watch.seconds)


def received(tenant_id: str, turn_id: str, seconds: float) -> None:
    """Tell of the step ``receive``, which knows its turn only when it has ended; ``seconds`` is what it took."""
    STEP_SECONDS.labels(tenant_id, "receive", "ok").observe(seconds)
    trace_webhook(tenant_id, turn_id, seconds)
