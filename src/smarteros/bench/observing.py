"""What metrics, log context and traces cost a turn.

``python -m smarteros.bench.observing 13.5`` does what a turn of the FAQ does to be observed, many times over, by turns
without spans, with spans, and with spans that are also written as OTLP (and sent nowhere), and prints CPU microseconds
a turn of all threads; with the CPU milliseconds of a whole turn (docs/benchmarks.md has them) also the share of it.
docs/observability.md has the figures.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from smarteros.contracts.loader import load_contracts
from smarteros.domain.audit import AuditEvent
from smarteros.domain.decisions import Decision
from smarteros.domain.ids import turn_id
from smarteros.domain.model import Model
from smarteros.domain.turns import STEP_NAMES, TurnRecord
from smarteros.observability.metrics import WEBHOOKS, exposition
from smarteros.observability.slo import verdict
from smarteros.observability.steps import received, watched
from smarteros.observability.tracing import spans_to, traced_turn
from smarteros.observability.turns import count_turn
from smarteros.settings import default_contracts_dir

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

_ROUNDS = 4000
_BATCHES = 20
_SHOP = "TENANT_OBSERVING_BENCH"
_NOW = datetime(2026, 11, 23, tzinfo=UTC)


class ObservingCost(Model):
    """CPU of one turn's metrics, log context and (when they are sent) spans; ``scrape_ms`` is one look at /metrics.

    ``with_otlp_us`` is None without the extra ``otlp``.
    """

    without_spans_us: float
    with_spans_us: float
    with_otlp_us: float | None
    scrape_ms: float
    share_of_turn: float | None = None
    share_of_turn_with_spans: float | None = None
    share_of_turn_with_otlp: float | None = None


def measure(rounds: int = _ROUNDS, turn_cpu_ms: float | None = None) -> ObservingCost:
    """Measure in this process: the median of batches, which take turns so that a busy machine treats all alike."""
    turn = _turn()
    ways = {"without_spans": _without_spans, "with_spans": _spans, "with_otlp": _otlp}
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(_BATCHES):
        for name, way in ways.items():
            with way() as flush:
                if flush is not None:
                    found[name].append(_cpu_us(turn, max(1, rounds // _BATCHES), flush))
    costs = {name: round(statistics.median(batches), 1) if batches else None for name, batches in found.items()}
    scrape_ms = _cpu_us(exposition, max(1, rounds // 100), _nothing) / 1000
    shares = {
        f"share_of_turn{suffix}": cost / turn_cpu_ms / 1000
        for cost, suffix in zip(costs.values(), ("", "_with_spans", "_with_otlp"), strict=True)
        if turn_cpu_ms is not None and cost is not None
    }
    measured = {f"{name}_us": cost for name, cost in costs.items()}
    return ObservingCost.model_validate({**measured, "scrape_ms": scrape_ms, **shares})


def _turn() -> Callable[[], object]:
    own = turn_id(_SHOP, 1, 1)
    contract = load_contracts(default_contracts_dir()).default_flow
    decision = Decision(intent="faq_hours", confidence=0.96, route="kb_direct")
    record = TurnRecord(
        turn_id=own,
        tenant_id=_SHOP,
        flow_id=contract.flow_id,
        conversation_id=1,
        message_id=1,
        received_at=_NOW,
        outcome="answered",
        decision=decision,
        verdict=verdict("answered", "message", 12, contract.slo),
    )
    event = AuditEvent(event_id="bench", topic="bench", kind="turn", tenant_id=_SHOP, timestamp=_NOW, latency_ms=12)

    def observed() -> None:
        WEBHOOKS.labels(_SHOP, "accepted").inc()
        received(_SHOP, own, 0.002)
        with traced_turn(_SHOP, own):
            for step in STEP_NAMES[1:]:
                with watched(step, _SHOP, own):
                    pass
            count_turn(record, event, contract)

    return observed


def _nothing() -> None:
    """Where no spans wait to be sent."""


@contextmanager
def _without_spans() -> Generator[Callable[[], object]]:
    yield _nothing


@contextmanager
def _spans(write: Callable[[Sequence[ReadableSpan]], object] = len) -> Generator[Callable[[], object]]:
    """Make spans while the block runs, and let them go once ``write`` has had them; yields what waits for that."""
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class Forgetful(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            write(spans)
            return SpanExportResult.SUCCESS

    provider, close = spans_to(Forgetful())
    yield provider.force_flush
    close()


@contextmanager
def _otlp() -> Generator[Callable[[], object] | None]:
    """The same with spans as a collector is sent them; None without the extra."""
    try:
        from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    except ImportError:
        yield None
        return
    with _spans(lambda spans: encode_spans(spans).SerializeToString()) as flush:
        yield flush


def _cpu_us(work: Callable[[], object], rounds: int, flush: Callable[[], object]) -> float:
    """CPU of all threads of this process for one round, in microseconds, until nothing waits any more."""
    work()
    started = time.process_time()
    for _ in range(rounds):
        work()
    flush()
    return (time.process_time() - started) / rounds * 1e6


if __name__ == "__main__":
    given = float(sys.argv[1]) if len(sys.argv) > 1 else None
    sys.stdout.write(json.dumps(measure(turn_cpu_ms=given).model_dump(), indent=2) + "\n")
