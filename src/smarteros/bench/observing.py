"""What metrics, log context and traces cost a turn.

``python -m smarteros.bench.observing 13.5`` does what a turn of the FAQ does to be observed, many times over, without
spans and with spans that are made and thrown away by a collector in memory, and prints CPU microseconds a turn; with
the CPU milliseconds of a whole turn (docs/benchmarks.md has them) also the share of it. docs/observability.md has the
figures.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from smarteros.contracts.loader import load_contracts
from smarteros.domain.audit import AuditEvent
from smarteros.domain.decisions import Decision
from smarteros.domain.ids import turn_id
from smarteros.domain.model import Model
from smarteros.domain.turns import STEP_NAMES, TurnRecord
from smarteros.observability.metrics import WEBHOOKS, exposition
from smarteros.observability.slo import verdict
from smarteros.observability.steps import received, watched
from smarteros.observability.tracing import traced_turn
from smarteros.observability.turns import count_turn
from smarteros.settings import default_contracts_dir

_ROUNDS = 2000
_SHOP = "TENANT_OBSERVING_BENCH"
_NOW = datetime(2026, 11, 23, tzinfo=UTC)


class ObservingCost(Model):
    """CPU of one turn's metrics, log context and (when they are sent) spans; ``scrape_ms`` is one look at /metrics."""

    without_spans_us: float
    with_spans_us: float
    scrape_ms: float
    share_of_turn: float | None = None
    share_of_turn_with_spans: float | None = None


def measure(rounds: int = _ROUNDS, turn_cpu_ms: float | None = None) -> ObservingCost:
    """Measure in this process; it has a provider of tracers afterwards."""
    turn = _turn()
    without = _cpu_us(turn, rounds)
    scrape_ms = _cpu_us(exposition, max(1, rounds // 100)) / 1000
    _make_spans()
    with_spans = _cpu_us(turn, rounds)
    cost = ObservingCost(without_spans_us=without, with_spans_us=with_spans, scrape_ms=scrape_ms)
    if turn_cpu_ms is None:
        return cost
    shares = {
        "share_of_turn": without / turn_cpu_ms / 1000,
        "share_of_turn_with_spans": with_spans / turn_cpu_ms / 1000,
    }
    return cost.model_copy(update=shares)


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


def _make_spans() -> None:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(InMemorySpanExporter()))
    trace.set_tracer_provider(provider)


def _cpu_us(work: Callable[[], object], rounds: int) -> float:
    """CPU of this process for one round, in microseconds."""
    work()
    started = time.process_time()
    for _ in range(rounds):
        work()
    return round((time.process_time() - started) / rounds * 1e6, 1)


if __name__ == "__main__":
    given = float(sys.argv[1]) if len(sys.argv) > 1 else None
    sys.stdout.write(json.dumps(measure(turn_cpu_ms=given).model_dump(), indent=2) + "\n")
