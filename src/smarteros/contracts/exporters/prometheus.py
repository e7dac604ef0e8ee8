"""Prometheus rules out of the contracts, and the tests that prove each of them (``promtool test rules``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import yaml

from smarteros.contracts.exporters.prometheus_alerts import contract_alerts, installation_alerts, watchdog
from smarteros.contracts.exporters.prometheus_slo import burn_alerts, records
from smarteros.contracts.models import Contract

RULES_FILE, TESTS_FILE = "smarteros.rules.yml", "smarteros.tests.yml"
RUNBOOKS = "docs/runbooks.md"
_HEAD = "# Written by `smos contract export prometheus`; every run writes the same for the same contracts.\n"
_INTERVAL = "30s"
# Often enough for what the tests ask.
_TEST_INTERVAL = "30m"


def prometheus_files(contracts: Iterable[Contract], runbooks: str = RUNBOOKS) -> dict[str, str]:
    """Return the rules and their tests by file name; the same text for the same contracts.

    ``runbooks`` is the address of the page that says what to do, without the section.
    """
    flows = sorted(contracts, key=lambda each: each.flow_id)
    # A flow's alerts stand behind what they look at: the rules of a group are computed one after the other.
    recorded = {each.flow_id: list(records(each)) for each in flows}
    alerts = {each.flow_id: [*burn_alerts(each), *contract_alerts(each)] for each in flows}
    own, dead_man = list(installation_alerts()), watchdog()
    groups = [
        *(
            _group(flow, [*(each.rule() for each in rules), *(each.rule(runbooks) for each in alerts[flow])])
            for flow, rules in recorded.items()
        ),
        _group("installation", [each.rule(runbooks) for each in (*own, dead_man)]),
    ]
    tests = [
        *(each.test() for each in chain(*recorded.values())),
        *(test for each in chain(*alerts.values(), own) for test in each.tests(runbooks)),
        dead_man.tests(runbooks)[0],  # there is no series for which it is silent
    ]
    return {
        RULES_FILE: _text({"groups": groups}),
        TESTS_FILE: _text(
            {"rule_files": [RULES_FILE], "evaluation_interval": _TEST_INTERVAL, "tests": _together(tests)}
        ),
    }


def _group(name: str, rules: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"name": f"smos_{name}", "interval": _INTERVAL, "rules": list(rules)}


def _together(tests: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ask everything of the same series in one test: promtool computes all rules anew for each."""
    by_series: dict[str, dict[str, Any]] = {}
    for test in tests:
        known = by_series.setdefault(repr(test["input_series"]), {**test, **{kind: [] for kind in _QUESTIONS}})
        for kind in _QUESTIONS:
            known[kind] += test.get(kind, [])
    return list(by_series.values())


_QUESTIONS = ("promql_expr_test", "alert_rule_test")


def _text(document: dict[str, Any]) -> str:
    return _HEAD + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=10_000)
