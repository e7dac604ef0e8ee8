"""A step has one name: in its span and in its metric."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from smarteros.domain.turns import STEP_NAMES
from smarteros.observability.metrics import REGISTRY
from smarteros.observability.steps import watched


def counted(step: str, outcome: str) -> float:
    labels = {"tenant": "STEPS_SHOP", "step": step, "outcome": outcome}
    return REGISTRY.get_sample_value("smos_step_duration_seconds_count", labels) or 0


@pytest.mark.parametrize("step", STEP_NAMES)
def test_a_step_leaves_a_span_and_a_measurement_of_its_name(spans: InMemorySpanExporter, step: str) -> None:
    before = counted(step, "ok")
    with watched(step, "STEPS_SHOP", "turn-1") as watch:  # type: ignore[arg-type]
        pass
    (span,) = spans.get_finished_spans()

    assert span.name == step
    assert dict(span.attributes or {}) == {"smos.tenant": "STEPS_SHOP", "smos.turn": "turn-1"}
    assert counted(step, "ok") == before + 1
    assert watch.duration_ms >= 0


def test_a_step_that_fails_is_counted_as_an_error_and_the_error_goes_on(spans: InMemorySpanExporter) -> None:
    before = counted("reply", "error")
    with pytest.raises(LookupError), watched("reply", "STEPS_SHOP", "turn-2"):
        raise LookupError

    assert counted("reply", "error") == before + 1
