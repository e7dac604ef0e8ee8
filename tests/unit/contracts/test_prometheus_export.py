"""`smos contract export prometheus`: rules that promtool takes, that prove themselves, and that can fire."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from smarteros.cli.contract import app
from smarteros.contracts.exporters.prometheus import RULES_FILE, TESTS_FILE, prometheus_files
from smarteros.contracts.loader import load_contracts
from smarteros.contracts.models import Slo
from smarteros.contracts.objectives import burns_of, objectives
from smarteros.domain.errors import ConfigError
from smarteros.settings import default_contracts_dir

CONTRACTS = list(load_contracts(default_contracts_dir()).by_id.values())
RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks.md"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder the command has written."""
    folder = tmp_path_factory.mktemp("prometheus") / "rules"
    asked = ["export", "prometheus", "--out", str(folder), "--contracts", str(default_contracts_dir())]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture(scope="module")
def rules(exported: Path) -> list[dict[str, Any]]:
    groups = yaml.safe_load((exported / RULES_FILE).read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.fixture(scope="module")
def alerts(rules: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in rules if "alert" in rule}


@pytest.fixture(scope="module")
def proofs(exported: Path) -> list[dict[str, Any]]:
    return yaml.safe_load((exported / TESTS_FILE).read_text("utf-8"))["tests"]


def promtool(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    if (program := shutil.which("promtool")) is None:
        pytest.skip("promtool is not installed (Debian's package prometheus)")
    return subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def test_promtool_takes_the_rules(exported: Path) -> None:
    done = promtool(exported, "check", "rules", RULES_FILE)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_proves_itself_and_is_silent_when_all_is_well(exported: Path) -> None:
    done = promtool(exported, "test", "rules", TESTS_FILE)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_burn_rate_that_can_never_be_reached_fails_its_proof(
    exported: Path, proofs: list[dict[str, Any]], tmp_path: Path
) -> None:
    text = (exported / RULES_FILE).read_text("utf-8")
    # 14.4 times the budget of 92 %, as the usual tables have it.
    never = text.replace("> 0.48", "> 1.152")
    assert never != text
    (tmp_path / RULES_FILE).write_text(never, "utf-8")
    named = "e2e_ocr_support_success_budget_burns_fast"
    only = [
        {"interval": "1m", "input_series": proof["input_series"], "alert_rule_test": [ask]}
        for proof in proofs
        for ask in proof["alert_rule_test"]
        if ask["alertname"] == named
    ]
    asked = {"rule_files": [RULES_FILE], "evaluation_interval": "30m", "tests": only}
    (tmp_path / TESTS_FILE).write_text(yaml.safe_dump(asked), "utf-8")
    done = promtool(tmp_path, "test", "rules", TESTS_FILE)
    assert done.returncode != 0
    assert named in done.stderr + done.stdout


def test_every_rule_is_tested(
    rules: list[dict[str, Any]], alerts: dict[str, dict[str, Any]], proofs: list[dict[str, Any]]
) -> None:
    of_alerts = [ask for proof in proofs for ask in proof["alert_rule_test"]]
    computed = {ask["expr"] for proof in proofs for ask in proof["promql_expr_test"]}
    assert {ask["alertname"] for ask in of_alerts if ask["exp_alerts"]} == set(alerts)
    assert {ask["alertname"] for ask in of_alerts if not ask["exp_alerts"]} == set(alerts) - {"smos_watchdog"}
    assert len(computed) == len(rules) - len(alerts)


def test_the_contracts_own_alerts_keep_their_thresholds_severities_and_sinks(alerts: dict[str, dict[str, Any]]) -> None:
    for contract in CONTRACTS:
        for rule in contract.alerts:
            labels = alerts[rule.name]["labels"]
            assert labels["severity"] == rule.severity
            assert set(labels["notify"].strip(",").split(",")) == set(rule.notify)
            assert f" {rule.threshold:g}" in alerts[rule.name]["expr"]


def test_every_alert_says_what_it_is_about_and_links_to_a_section_that_exists(
    alerts: dict[str, dict[str, Any]],
) -> None:
    sections = set(re.findall(r"^## (\w+)$", RUNBOOKS.read_text("utf-8"), re.MULTILINE))
    linked = {alert["annotations"]["runbook_url"].removeprefix("docs/runbooks.md#") for alert in alerts.values()}
    assert linked == sections
    assert all(alert["annotations"]["summary"] for alert in alerts.values())


def test_the_same_contracts_give_the_same_text_in_any_order() -> None:
    assert prometheus_files(CONTRACTS) == prometheus_files(CONTRACTS[::-1])


@given(st.floats(min_value=0.01, max_value=0.9999), st.integers(min_value=1, max_value=60_000))
def test_a_burn_rate_can_be_reached_whatever_was_promised(success: float, latency_ms: int) -> None:
    for objective in objectives(Slo(latency_p95_ms=latency_ms, success_rate=success)):
        assert all(0 < objective.burning(burn) <= 0.5 for burn in burns_of(objective))


def test_an_alert_that_watches_no_system_is_a_mistake_of_the_contract() -> None:
    (sales,) = [each for each in CONTRACTS if each.flow_id == "e2e_shopify_sales"]
    with pytest.raises(ConfigError) as nothing:
        prometheus_files([sales.model_copy(update={"tools": {}})])
    assert nothing.value.code == "alert_without_service"
