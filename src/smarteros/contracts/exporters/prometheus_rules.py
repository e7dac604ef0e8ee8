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
# Every test asks after so long.
TESTED_HOURS = 1.0
_AT = f"{TESTED_HOURS:g}h"
BOTH = ({"tenant": SHOP}, {"tenant": ALL})

Series = Mapping[str, str]


@dataclass(frozen=True)
class Record:
    """A recording rule. Fed with ``series`` it has ``value`` in the end."""

    name: str
    expr: str
    labels: Mapping[str, str]
    series: Series
    value: float
    shown: Mapping[str, str] = field(default_factory=dict[str, str])

    def rule(self) -> dict[str, Any]:
        """Return it as Prometheus reads it."""
        return {"record": self.name, "expr": self.expr, "labels": dict(self.labels)}

    def test(self) -> dict[str, Any]:
        """Return the proof that it computes what it says."""
        labels = {**self.labels, **self.shown}
        # Rounded, because a ratio of two rates is exact only on paper.
        asked = f"round({selector(self.name, labels)}, 0.0001)"
        shown = {"labels": selector("", labels), "value": self.value}
        return _test(self.series, {"promql_expr_test": [{"expr": asked, "eval_time": _AT, "exp_samples": [shown]}]})


@dataclass(frozen=True)
class Alert:
    """An alerting rule. For ``bad`` series it fires, once for each of ``shown`` labels; not for ``good``.

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
    shown: tuple[Mapping[str, str], ...] = ({},)
    lasts: str = "0m"

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
        fired = [self._fired(shown, runbooks) for shown in self.shown]
        return self._alert_test(self.bad, fired), self._alert_test(self.good, [])

    def _fired(self, shown: Mapping[str, str], runbooks: str) -> dict[str, Any]:
        summary = self.summary
        for name, value in shown.items():
            summary = summary.replace(f"{{{{ $labels.{name} }}}}", value)
        annotations = {"summary": summary, "runbook_url": f"{runbooks}#{self.runbook}"}
        return {"exp_labels": {**self._labels(), **shown}, "exp_annotations": annotations}

    def _alert_test(self, series: Series, expected: list[dict[str, Any]]) -> dict[str, Any]:
        asked = {"eval_time": _AT, "alertname": self.name, "exp_alerts": expected}
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
