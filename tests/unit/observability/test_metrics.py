"""What `/metrics` shows: bounded, in two formats, and runs of bad turns that end with a good one."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from smarteros.bootstrap import runtime
from smarteros.contracts.loader import load_contracts
from smarteros.domain.audit import AuditEvent
from smarteros.domain.decisions import Decision
from smarteros.domain.turns import DocumentReading, TurnRecord
from smarteros.edge.app import create_app
from smarteros.observability import bounded
from smarteros.observability.bounded import Counter
from smarteros.observability.metrics import REGISTRY
from smarteros.observability.turns import count_turn, expect_turns
from smarteros.settings import default_contracts_dir

CONTRACT = load_contracts(default_contracts_dir()).by_id["e2e_ocr_support"]
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"tenant": "RUNS_SHOP", "flow": CONTRACT.flow_id, **labels})


def counted(*, confidence: float = 0.9, read: float | None = None, **details: Any) -> None:
    record = TurnRecord(
        turn_id="RUNS_SHOP:1:000000000001",
        tenant_id="RUNS_SHOP",
        flow_id=CONTRACT.flow_id,
        conversation_id=1,
        message_id=1,
        received_at=NOW,
        outcome="answered",
        verdict="kept",
        decision=Decision(intent="warranty_inquiry", confidence=confidence, route="support"),
        reading=None if read is None else DocumentReading(confidence=read),
    )
    event = AuditEvent(
        event_id="x", topic="t", kind="turn", tenant_id="RUNS_SHOP", timestamp=NOW, latency_ms=6500, details=details
    )
    count_turn(record, event, CONTRACT)


def test_a_run_of_messages_that_were_not_understood_ends_with_one_that_was() -> None:
    for _ in range(3):
        counted(confidence=0.4)
    assert value("smos_consecutive_low_confidence") == 3
    counted(confidence=0.9)
    assert value("smos_consecutive_low_confidence") == 0


def test_a_run_of_unreadable_photos_ends_with_one_that_could_be_read_and_not_with_a_text() -> None:
    counted(read=0.2)
    counted(read=0.69)
    counted()
    assert value("smos_consecutive_low_ocr_confidence") == 2
    counted(read=0.95)
    assert value("smos_consecutive_low_ocr_confidence") == 0


def test_invoices_that_are_not_in_the_erp_are_counted_beside_those_that_are() -> None:
    before = [value("smos_invoice_lookups_total", outcome=outcome) or 0 for outcome in ("found", "not_found")]
    for found in (True, False, False):
        counted(invoice_found=found)
    counted()  # nothing was looked up
    after = [value("smos_invoice_lookups_total", outcome=outcome) or 0 for outcome in ("found", "not_found")]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 2]


def test_the_thresholds_of_the_contracts_are_bounds_of_the_histogram() -> None:
    counted()
    assert value("smos_turn_latency_seconds_bucket", le="7.0")
    for contract in load_contracts(default_contracts_dir()).by_id.values():
        asked = [rule.threshold for rule in contract.alerts if rule.signal == "latency_p95_ms"]
        for limit_ms in (contract.slo.latency_p95_ms, *asked):
            assert value("smos_turn_latency_seconds_bucket", le=str(float(limit_ms / 1000))) is not None


def test_counters_of_promises_begin_at_nought() -> None:
    expect_turns(["QUIET_SHOP"], [CONTRACT.flow_id])
    labels = {"tenant": "QUIET_SHOP", "flow": CONTRACT.flow_id}
    for verdict in ("kept", "late", "broken"):
        assert REGISTRY.get_sample_value("smos_slo_turns_total", {**labels, "verdict": verdict}) == 0


def test_beyond_a_number_of_tenants_the_figures_of_the_others_are_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "_tenants", bounded._Tenants())
    counter = Counter("smos_test_total", "A test", ["tenant", "outcome"], registry=None)
    for number in range(bounded.MOST_TENANTS + 7):
        counter.labels(f"SHOP_{number}", "ok").inc()
    counter.labels("SHOP_0", "ok").inc()

    (family,) = counter.collect()
    figures = {s.labels["tenant"]: s.value for s in family.samples if s.name.endswith("_total")}
    assert len(figures) == bounded.MOST_TENANTS + 1
    assert (figures["SHOP_0"], figures[bounded.OTHERS]) == (2, 7)


def test_every_metric_with_a_tenant_is_bounded_and_none_tells_of_conversations() -> None:
    assert runtime  # all parts are loaded, so all metrics are there
    ours = (bounded.Counter, bounded.Gauge, bounded.Histogram)
    named = ((each, getattr(each, "_labelnames", ())) for each in list(REGISTRY._collector_to_names))
    labelled = [(each, names) for each, names in named if names]
    assert len(labelled) > 20
    assert [names for each, names in labelled if "tenant" in names and not isinstance(each, ours)] == []
    assert all(names[0] == "tenant" for _, names in labelled if "tenant" in names)
    assert {"conversation", "conversation_id", "phone", "contact"}.isdisjoint(n for _, names in labelled for n in names)


def test_exemplars_are_shown_to_who_understands_them() -> None:
    counted()
    client = TestClient(create_app(()))
    plain = client.get("/metrics")
    rich = client.get("/metrics", headers={"accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"})

    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert rich.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    families = {family.name: family for family in text_string_to_metric_families(rich.text)}
    exemplars = [s.exemplar.labels for s in families["smos_turn_latency_seconds"].samples if s.exemplar]
    assert any(len(labels["trace_id"]) == 32 for labels in exemplars)
    assert "trace_id" not in plain.text


def test_what_observing_costs_a_turn_is_measured_with_its_share() -> None:
    asked = [sys.executable, "-m", "smarteros.bench.observing", "13.5"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=120, check=True)
    cost = json.loads(done.stdout)
    assert 0 < cost["without_spans_us"] < cost["with_spans_us"] < cost["with_otlp_us"]
    assert cost["share_of_turn"] == pytest.approx(cost["without_spans_us"] / 13_500)
