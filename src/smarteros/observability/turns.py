"""The figures of a turn that has ended, and the log lines and spans while it runs."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Gauge

from smarteros.contracts.models import Contract
from smarteros.domain.audit import AuditEvent
from smarteros.domain.turns import TRUSTED_CONFIDENCE, VERDICTS, TurnRecord
from smarteros.observability.metrics import (
    INVOICE_LOOKUPS,
    LOW_CONFIDENCE,
    LOW_OCR_CONFIDENCE,
    SLO_TURNS,
    TURN_SECONDS,
    TURNS,
)
from smarteros.observability.tracing import trace_id_of


def expect_turns(tenant_ids: Iterable[str], flow_ids: Iterable[str]) -> None:
    """Let the counters begin at nought: Prometheus does not see the first turn of one that begins at 1."""
    flows = tuple(flow_ids)
    for tenant_id in tenant_ids:
        for flow_id in flows:
            for verdict in VERDICTS:
                SLO_TURNS.labels(tenant_id, flow_id, verdict)


def count_turn(record: TurnRecord, event: AuditEvent, contract: Contract) -> None:
    """Count an ended turn; ``contract`` is that of its flow, ``event`` what the audit tells of it."""
    tenant_id, flow_id, exemplar = record.tenant_id, record.flow_id, {"trace_id": trace_id_of(record.turn_id)}
    TURNS.labels(tenant_id, flow_id, record.outcome).inc()
    if event.latency_ms is not None:
        TURN_SECONDS.labels(tenant_id, flow_id).observe(event.latency_ms / 1000, exemplar)
    if record.verdict is not None:
        SLO_TURNS.labels(tenant_id, flow_id, record.verdict).inc(1, exemplar)
    if record.decision is not None:
        doubtful = record.decision.confidence < contract.agent.thresholds.answer
        _in_a_row(LOW_CONFIDENCE.labels(tenant_id, flow_id), went_on=doubtful)
    if record.reading is not None:
        unreadable = record.reading.confidence < TRUSTED_CONFIDENCE
        _in_a_row(LOW_OCR_CONFIDENCE.labels(tenant_id, flow_id), went_on=unreadable)
    found = event.details.get("invoice_found")
    if found is not None:
        INVOICE_LOOKUPS.labels(tenant_id, flow_id, "found" if found else "not_found").inc()


def _in_a_row(run: Gauge, *, went_on: bool) -> None:
    if went_on:
        run.inc()
    else:
        run.set(0)
