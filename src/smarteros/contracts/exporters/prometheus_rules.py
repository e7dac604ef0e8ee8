"""A rule of Prometheus with the series that prove it, so that each rule comes with its own test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

# The sinks an alert is meant for, sorted, with commas before, between and behind: Alertmanager's ``notify =~
# ".*,slack,.*"`` finds one of them.
NOTIFY = "notify"
# The shop of the generated tests, and the value of ``tenant`` that stands for all shops together. Ids of tenants are
# written in capitals, so none can be called so.
SHOP, ALL = "SHOP", "all"

Series = Mapping[str, str]


@dataclass(frozen=True)
class Record:
    """A recording rule. Fed with ``series`` it has ``value`` after ``at``."""

    name: str
    expr: str
    labels: Mapping[str, str]
    series: Series
    value: float
    shown: Mapping[str, str] = field(default_factory=dict[str, str])
    at: str = "30m"

    def rule(self) -> dict[str, Any]:
        """Return it as Prometheus reads it."""
        return {"record": self.name, "expr": self.expr, "labels": dict(self.labels)}

    def test(self) -> dict[str, Any]:
        """Return the proof that it computes what it says."""
        sample = {"labels": selector(self.name, {**self.labels, **self.shown}), "value": self.value}
        # Rounded, because a ratio of two rates is exact only on paper.
        asked = f"round({selector(self.name, {**self.labels, **self.shown})}, 0.0001)"
        shown = {"labels": selector("", {**self.labels, **self.shown}), "value": sample["value"]}
        return _test(self.series, {"promql_expr_test": [{"expr": asked, "eval_time": self.at, "exp_samples": [shown]}]})


@dataclass(frozen=True)
class Alert:
    """An alerting rule. It fires for ``bad`` series after ``at``, with the labels of ``shown``, and not for ``good``.

    ``summary`` may name labels of the series as ``{{ $labels.tenant }}``. ``runbook`` is a section of the runbooks.
    """

    name: str
    expr: str
    severity: str
    notify: Iterable[str]
    summary: str
    runbook: str
    bad: Series
    good: Series
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    shown: Mapping[str, str] = field(default_factory=dict[str, str])
    lasts: str = "0m"
    at: str = "1h"

    def rule(self, runbooks: str) -> dict[str, Any]:
        """Return it as Prometheus reads it; ``runbooks`` is the address of the runbooks' page."""
        return {
            "alert": self.name,
            "expr": self.expr,
            "for": self.lasts,
            "labels": self._labels(),
            "annotations": {"summary": self.summary, "runbook_url": f"{runbooks}#{self.runbook}"},
        }

    def tests(self, runbooks: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the proofs that it fires when it must, and is silent when all is well."""
        summary = self.summary
        for name, value in self.shown.items():
            summary = summary.replace(f"{{{{ $labels.{name} }}}}", value)
        fired = {
            "exp_labels": {**self._labels(), **self.shown},
            "exp_annotations": {"summary": summary, "runbook_url": f"{runbooks}#{self.runbook}"},
        }
        return self._alert_test(self.bad, [fired]), self._alert_test(self.good, [])

    def _alert_test(self, series: Series, expected: list[dict[str, Any]]) -> dict[str, Any]:
        asked = {"eval_time": self.at, "alertname": self.name, "exp_alerts": expected}
        return _test(series, {"alert_rule_test": [asked]})

    def _labels(self) -> dict[str, str]:
        return {"severity": self.severity, NOTIFY: f",{','.join(sorted(self.notify))},", **self.labels}


def selector(name: str, labels: Mapping[str, str]) -> str:
    """Write a series as PromQL does."""
    inner = ",".join(f'{key}="{labels[key]}"' for key in sorted(labels))
    return f"{name}{{{inner}}}"


def _test(series: Series, asked: dict[str, Any]) -> dict[str, Any]:
    fed = [{"series": name, "values": values} for name, values in series.items()]
    return {"interval": "1m", "input_series": fed, **asked}
