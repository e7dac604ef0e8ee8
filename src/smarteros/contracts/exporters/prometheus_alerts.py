"""The alerts of the contracts, each by its signal, and those of the installation itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from smarteros.contracts.exporters.prometheus_rules import BOTH, SHOP, Alert, selector
from smarteros.contracts.exporters.prometheus_slo import P95, WINDOW, enough, latencies_of, ratio, turns_of
from smarteros.contracts.models import AlertRule, Contract
from smarteros.contracts.objectives import FEWEST_TURNS, objectives
from smarteros.domain.errors import ConfigError

# The job under which Prometheus scrapes our processes.
JOB = "smarteros"
# Health checks that are no gauge of ours: an edge that is away is a process that is not scraped.
_OWN_PROCESS = "edge"
_DEPENDENCY = "smos_dependency_up"
_LOOKUPS = "smos_invoice_lookups_total"
_FAILURES = "smos_upstream_consecutive_failures"
_ALL_SINKS = ("pagerduty", "slack", "email")
_OF = "of {{ $labels.tenant }}"


def contract_alerts(contract: Contract) -> Iterator[Alert]:
    """Return a contract's own alerts, under their own names.

    Raises ConfigError (``alert_without_service``) for one that watches systems when the contract uses none.
    """
    for rule in contract.alerts:
        parts = _SIGNALS[rule.signal](contract, rule)
        yield Alert(
            name=rule.name,
            severity=rule.severity,
            notify=rule.notify,
            runbook=rule.signal,
            labels={"flow": contract.flow_id, "signal": rule.signal},
            **parts,
        )


def _latency(contract: Contract, rule: AlertRule) -> dict[str, Any]:
    flow, limit_s = contract.flow_id, rule.threshold / 1000
    return {
        "expr": f'max by (tenant) ({P95}{{flow="{flow}"}}) > {rule.threshold:g}{enough(flow, WINDOW)}',
        "summary": f"{flow}: one in twenty customers {_OF} waits longer than {limit_s:g} s",
        "shown": BOTH,
        "bad": {**turns_of(flow, kept=1, broken=0), **latencies_of(flow, under_s=limit_s * 2)},
        "good": {**turns_of(flow, kept=1, broken=0), **latencies_of(flow, under_s=limit_s / 2)},
    }


def _error_rate(contract: Contract, rule: AlertRule) -> dict[str, Any]:
    flow, success = contract.flow_id, objectives(contract.slo)[0]
    return {
        "expr": f"{ratio(contract, success, WINDOW)} > {rule.threshold:g}{enough(flow, WINDOW)}",
        "summary": f"{flow}: more than {rule.threshold:.0%} of the customers {_OF} get neither an answer nor a person",
        "shown": BOTH,
        "bad": turns_of(flow, kept=0, broken=1),
        "good": turns_of(flow, kept=1, broken=0),
    }


def _in_a_row(gauge: str, told: str) -> Callable[[Contract, AlertRule], dict[str, Any]]:
    """A run of turns. Each process counts its own; together they are the run of the shop."""

    def parts(contract: Contract, rule: AlertRule) -> dict[str, Any]:
        flow = contract.flow_id
        series = selector(gauge, {"flow": flow, "tenant": SHOP})
        return {
            "expr": f'sum by (tenant) ({gauge}{{flow="{flow}"}}) >= {rule.threshold:g}',
            "summary": f"{flow}: {rule.threshold:g} messages {_OF} in a row {told}",
            "shown": ({"tenant": SHOP},),
            "bad": {series: f"{rule.threshold:g}x120"},
            "good": {series: f"{rule.threshold - 1:g}x120"},
        }

    return parts


def _upstream(contract: Contract, rule: AlertRule) -> dict[str, Any]:
    # A tool is named after the system it asks.
    services = _some(rule, {tool.partition("_")[0] for tool in contract.tools}, "tools")
    series = selector(_FAILURES, {"service": services[0], "tenant": SHOP})
    return {
        "expr": f'sum by (tenant, service) ({_FAILURES}{{service=~"{"|".join(services)}"}}) >= {rule.threshold:g}',
        "summary": f"{{{{ $labels.service }}}} has failed {{{{ $labels.tenant }}}} {rule.threshold:g} times in a row",
        "shown": ({"tenant": SHOP, "service": services[0]},),
        "bad": {series: f"{rule.threshold:g}x120"},
        "good": {series: f"{rule.threshold - 1:g}x120"},
    }


def _not_found(contract: Contract, rule: AlertRule) -> dict[str, Any]:
    flow = contract.flow_id
    missing = selector(_LOOKUPS, {"flow": flow, "outcome": "not_found"})
    every = selector(_LOOKUPS, {"flow": flow})
    own = {"flow": flow, "tenant": SHOP}
    found, not_found = (selector(_LOOKUPS, {**own, "outcome": outcome}) for outcome in ("found", "not_found"))
    return {
        "expr": f"sum by (tenant) (rate({missing}[1h])) / sum by (tenant) (rate({every}[1h])) > {rule.threshold:g}"
        f" and on (tenant) sum by (tenant) (increase({every}[1h])) >= {FEWEST_TURNS}",
        "summary": f"{flow}: more than {rule.threshold:.0%} of the invoices {_OF} are not found in the ERP",
        "shown": ({"tenant": SHOP},),
        "bad": {found: "0x120", not_found: "0+1x120"},
        "good": {found: "0+1x120", not_found: "0x120"},
    }


def _service_down(contract: Contract, rule: AlertRule) -> dict[str, Any]:
    services = _some(rule, {check.service for check in contract.health} - {_OWN_PROCESS}, "health")
    down = f'max by (service) ({_DEPENDENCY}{{service=~"{"|".join(services)}"}}) == 0'
    first = selector(_DEPENDENCY, {"service": services[0]})
    return {
        "expr": f"{down} and on () count({down}) >= {rule.threshold:g}",
        "summary": f"{contract.flow_id}: {{{{ $labels.service }}}} does not answer",
        "shown": tuple({"service": each} for each in services[: round(rule.threshold)]),
        "bad": {selector(_DEPENDENCY, {"service": each}): "0x120" for each in services[: round(rule.threshold)]},
        "good": {first: "1x120"},
        # Two probes of half a minute each: one that failed alone is no outage.
        "lasts": "1m",
    }


def _some(rule: AlertRule, services: set[str], section: str) -> list[str]:
    if not services:
        raise ConfigError("alert_without_service", f"Alert {rule.name} watches nothing: the contract has no {section}.")
    return sorted(services)


_SIGNALS: dict[str, Callable[[Contract, AlertRule], dict[str, Any]]] = {
    "latency_p95_ms": _latency,
    "error_rate": _error_rate,
    "consecutive_tool_timeouts": _upstream,
    "consecutive_low_confidence": _in_a_row("smos_consecutive_low_confidence", "were not understood"),
    "consecutive_low_ocr_confidence": _in_a_row("smos_consecutive_low_ocr_confidence", "had an unreadable photo"),
    "invoice_not_found_rate": _not_found,
    "service_down": _service_down,
}


def installation_alerts() -> Iterator[Alert]:
    """Return the alerts of the installation, whatever its contracts say."""
    up = selector("up", {"instance": "a:8080", "job": JOB})
    yield Alert(
        name="smos_process_down",
        expr=f'up{{job="{JOB}"}} == 0',
        severity="page",
        notify=_ALL_SINKS,
        summary="The process {{ $labels.instance }} does not answer Prometheus",
        runbook="smos_process_down",
        shown=({"instance": "a:8080", "job": JOB},),
        bad={up: "0x120"},
        good={up: "1x120"},
        lasts="1m",
    )
    yield Alert(
        name="smos_nothing_runs",
        expr=f'absent(up{{job="{JOB}"}} == 1)',
        severity="page",
        notify=_ALL_SINKS,
        summary="Prometheus reaches no process of SmarterOS",
        runbook="smos_nothing_runs",
        bad={up: "0x120"},
        good={up: "1x120"},
        lasts="2m",
    )
    yield Alert(
        name="smos_customers_wait",
        expr="max(smos_turns_oldest_waiting_seconds) > 60",
        severity="page",
        notify=_ALL_SINKS,
        summary="A customer's message has waited for more than a minute and nobody has begun to answer it",
        runbook="smos_customers_wait",
        bad={"smos_turns_oldest_waiting_seconds": "0+60x120"},
        good={"smos_turns_oldest_waiting_seconds": "5x120"},
        lasts="1m",
    )
    reconciled = selector("smos_reconcile_last_success_timestamp_seconds", {"tenant": SHOP})
    yield Alert(
        name="smos_reconcile_stands_still",
        expr="time() - max by (tenant) (smos_reconcile_last_success_timestamp_seconds) > 600",
        severity="ticket",
        notify=("slack", "email"),
        summary="Lost messages of {{ $labels.tenant }} have not been looked for in ten minutes",
        runbook="smos_reconcile_stands_still",
        shown=({"tenant": SHOP},),
        bad={reconciled: "0x120"},
        good={reconciled: "0+60x120"},
    )


def watchdog() -> Alert:
    """Return the dead man's switch: it always fires, and whoever no longer hears it knows that alerting is broken."""
    return Alert(
        name="smos_watchdog",
        expr="vector(1)",
        severity="info",
        notify=("deadman",),
        summary="Alerting works. This alert always fires; it is its absence that must be noticed",
        runbook="smos_watchdog",
        bad={},
        good={},
    )
