"""One turn is one trace, from the webhook to the reply, and one id links spans, log lines and figures."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any, cast

import pytest
import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.unit.flow.bench import TENANT, Bench
from tests.unit.observability.conftest import Collector

from smarteros.contracts.loader import load_contracts
from smarteros.domain.errors import PermanentError
from smarteros.flow.workflow import TurnWorkflow
from smarteros.observability.logs import without_personal_data
from smarteros.observability.metrics import exposition
from smarteros.observability.steps import received, watched
from smarteros.observability.tracing import trace_id_of, traced, traced_turn
from smarteros.settings import default_contracts_dir

TURN = "TENANT_RUT_12345678:5:000000000012"
CONTRACTS = load_contracts(default_contracts_dir())


class LoggingAgent:
    """An agent that writes a line and gives up."""

    def decide(self, request: object) -> Any:
        structlog.get_logger().warning("agent_gave_up", asked="escríbeme a ana@example.cl")
        raise PermanentError("agent_broken", "for the test")


def named(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in spans.get_finished_spans()}


def trace_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return trace.format_trace_id(span.context.trace_id)


def parent_of(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


def id_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.span_id


def test_what_the_edge_and_a_worker_do_for_a_turn_is_one_tree(spans: InMemorySpanExporter) -> None:
    def work() -> None:
        with traced_turn("SHOP", TURN), watched("call_tools", "SHOP", TURN), traced("tool x", "SHOP"):
            pass

    received("SHOP", TURN, 0.02)
    worker = threading.Thread(target=work)  # shares nothing with the edge but the turn's id
    worker.start()
    worker.join()

    found = named(spans)
    assert {trace_of(span) for span in found.values()} == {trace_id_of(TURN)}
    tree = {
        name: next((other for other, o in found.items() if id_of(o) == parent_of(s)), None) for name, s in found.items()
    }
    assert tree == {"receive": None, "turn": "receive", "call_tools": "turn", "tool x": "call_tools"}
    webhook = found["receive"]
    assert webhook.start_time and webhook.end_time
    assert webhook.end_time - webhook.start_time == 20_000_000


def test_another_turn_is_another_trace(spans: InMemorySpanExporter) -> None:
    for turn in (TURN, TURN.replace("12", "13")):
        received("SHOP", turn, 0.0)
    assert len({trace_of(span) for span in spans.get_finished_spans()}) == 2


def test_a_real_turn_is_traced_logged_and_counted_under_one_id(spans: InMemorySpanExporter, bench: Bench) -> None:
    bench.receive(1)
    turn = bench.claim(1)
    link = [structlog.contextvars.merge_contextvars, without_personal_data]
    with structlog.testing.capture_logs(processors=link) as lines:
        workflow = TurnWorkflow(replace(bench.parts, contracts=CONTRACTS, agent=cast("Any", LoggingAgent())))
        assert workflow.run(turn) == "escalated"

    trace_id = trace_id_of(turn.start.turn_id)
    found = spans.get_finished_spans()
    assert {"turn", "resolve", "decide", "reply", "audit"} == {span.name for span in found}
    assert {trace_of(span) for span in found} == {trace_id}
    (line,) = [line for line in lines if line["event"] == "agent_gave_up"]
    assert (line["trace_id"], line["turn"], line["tenant"]) == (trace_id, turn.start.turn_id, TENANT.tenant_id)
    assert "ana@example.cl" not in str(line)
    figures, content_type = exposition("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert f'trace_id="{trace_id}"' in figures.decode()
    assert "trace_id" not in exposition()[0].decode()
    assert "trace_id" not in structlog.contextvars.get_contextvars()


def test_the_collector_gets_our_spans_and_no_librarys(spans: InMemorySpanExporter, collector: Collector) -> None:
    with traced_turn("SHOP", TURN), trace.get_tracer("some.library").start_as_current_span("GET /?phone=+56979540471"):
        pass
    with pytest.raises(ZeroDivisionError), traced("llm", "SHOP"):
        raise ZeroDivisionError("ana@example.cl")
    assert collector.provider.force_flush()

    sent = [
        span
        for request in collector.requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert {"turn", "llm"} <= {span.name for span in sent}
    assert "some.library" in {
        s.instrumentation_scope.name for s in spans.get_finished_spans() if s.instrumentation_scope
    }
    assert not any("phone" in span.name or "ana@" in str(span) for span in sent)
    (failed,) = [span for span in sent if span.name == "llm"]
    assert failed.status.message == "ZeroDivisionError"
