"""The configuration for Alertmanager: checked by its own tool, and seen to tell the right people."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr
from tests.paging import SECRETS, SMTP_PASSWORD, Told, receivers
from tests.support import free_port, serving, until

from smarteros.alerts.settings import AlertSettings, alertmanager_sinks
from smarteros.alerts.sinks import open_sinks
from smarteros.alerts.switch import DeadMansSwitch
from smarteros.contracts.exporters.alertmanager import alertmanager_config
from smarteros.contracts.exporters.prometheus import RULES_FILE, prometheus_files
from smarteros.contracts.loader import load_contracts
from smarteros.domain.errors import ConfigError
from smarteros.edge.alertmanager_bridge import alertmanager_router
from smarteros.edge.app import create_app
from smarteros.kit.clock import SystemClock
from smarteros.kit.http import HttpClient
from smarteros.settings import default_contracts_dir
from smarteros_sandbox.paging.app import ROUTING_KEY, SLACK_PATH

CONTRACTS = load_contracts(default_contracts_dir())
BRIDGE_TOKEN = "token-of-the-bridge"


def program(name: str, *others: str) -> str:
    for each in (name, *others):
        if found := shutil.which(each):
            return found
    pytest.skip(f"{name} is not installed (Debian packages prometheus and prometheus-alertmanager)")


def settings(told: Told, **changed: Any) -> AlertSettings:
    url = SecretStr(f"{told.url}/ping/chain")
    return told.settings(deadman_url=url, bridge_token=SecretStr(BRIDGE_TOKEN), smtp_user=None, **changed)


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    with receivers(anybody=True) as everybody:
        yield everybody


def written(told: Told, folder: Path, our_url: str, **changed: Any) -> Path:
    """The configuration and its secrets, as an operator lays them out."""
    sinks = alertmanager_sinks(settings(told, **changed), our_url)
    fast = sinks.model_copy(update={"group_wait": "0s", "group_interval": "1s"})
    file = folder / "alertmanager.yml"
    file.write_text(alertmanager_config(fast), "utf-8")
    secrets = {
        "slack_url": f"{told.url}{SLACK_PATH}",
        "pagerduty_routing_key": ROUTING_KEY,
        "bridge_token": BRIDGE_TOKEN,
        "smtp_password": SMTP_PASSWORD,
    }
    for name, value in secrets.items():
        (folder / name).write_text(value, "utf-8")
    return file


def test_amtool_accepts_it_and_no_secret_is_in_it(told: Told, tmp_path: Path) -> None:
    amtool = program("amtool")
    file = written(told, tmp_path, "http://127.0.0.1:8080")
    done = subprocess.run([amtool, "check-config", str(file)], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "6 receivers" in done.stdout
    assert not [secret for secret in (*SECRETS, BRIDGE_TOKEN, "/ping/chain") if secret in file.read_text("utf-8")]


def routed(config: str, notify: str) -> list[str]:
    """Whom the routes tell, read as Alertmanager reads them."""
    ways = yaml.safe_load(config)["route"]["routes"]
    return [way["receiver"] for way in ways if re.fullmatch(way["matchers"][0].split('"')[1], notify)]


@pytest.mark.parametrize(
    ("missing", "notify", "heard"),
    [
        ({}, ",email,slack,", ["slack", "email"]),
        ({}, ",pagerduty,whatsapp_founder,", ["pagerduty", "whatsapp_founder"]),
        ({"pagerduty_routing_key": None}, ",pagerduty,", ["whatsapp_founder"]),
        ({"slack_webhook_url": None}, ",email,slack,", ["email"]),
        ({"smtp_host": None, "slack_webhook_url": None}, ",email,slack,", ["pagerduty"]),
        ({}, ",deadman,", ["deadman"]),
    ],
)
def test_those_an_alert_names_are_told_or_the_next_who_is_there(
    told: Told, missing: dict[str, None], notify: str, heard: list[str]
) -> None:
    config = alertmanager_config(alertmanager_sinks(settings(told, **missing), "http://127.0.0.1:8080"))
    assert routed(config, notify) == heard


def test_nobody_to_be_told_is_refused() -> None:
    with pytest.raises(ConfigError, match="SMOS_ALERT_"):
        alertmanager_config(alertmanager_sinks(AlertSettings(), "http://127.0.0.1:8080"))


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@dataclass(frozen=True)
class Chain:
    """Prometheus, Alertmanager, our bridge and everybody who is told, all at work."""

    told: Told
    alertmanager: str

    def post(self, *rules: dict[str, Any], over: bool = False) -> None:
        """Say what Prometheus says when these rules fire, or are over."""
        now = datetime.now(UTC)
        alerts = [
            {
                "labels": {"alertname": rule["alert"], "tenant": "TENANT_DEMO", **rule["labels"]},
                "annotations": rule["annotations"],
                "startsAt": (now - timedelta(minutes=5)).isoformat(),
                "endsAt": (now if over else now + timedelta(minutes=5)).isoformat(),
            }
            for rule in rules
        ]
        request = urllib.request.Request(
            f"{self.alertmanager}/api/v2/alerts",
            json.dumps(alerts).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=20).close()


@contextmanager
def process(*words: str, folder: Path) -> Iterator[None]:
    running = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        running.terminate()
        running.wait(10)


@pytest.fixture(scope="module")
def chain(told: Told, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    watch, tell = program("prometheus"), program("alertmanager", "prometheus-alertmanager")
    folder, http, ours = tmp_path_factory.mktemp("chain"), HttpClient(), settings(told)
    whatsapp = open_sinks(ours, http, folder, SystemClock())["whatsapp_founder"]
    bridge = alertmanager_router(BRIDGE_TOKEN, whatsapp, DeadMansSwitch(http, ours), SystemClock())
    ports = free_port(), free_port()
    prometheus, alertmanager = (f"http://127.0.0.1:{port}" for port in ports)
    with ExitStack() as stack:
        our_url = stack.enter_context(serving(create_app([bridge])))
        file = written(told, folder, our_url)
        rules = yaml.safe_load(prometheus_files(CONTRACTS.by_id.values())[RULES_FILE])
        for group in rules["groups"]:
            group["interval"] = "1s"
        (folder / RULES_FILE).write_text(yaml.safe_dump(rules), "utf-8")
        config = {
            "global": {"evaluation_interval": "1s"},
            "rule_files": [RULES_FILE],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager.removeprefix("http://")]}]}]},
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), "utf-8")
        listen = [f"--web.listen-address=127.0.0.1:{port}" for port in ports]
        am = (tell, f"--config.file={file}", f"--storage.path={folder}/am", "--cluster.listen-address=", listen[1])
        stack.enter_context(process(*am, folder=folder))
        until(lambda: answers(f"{alertmanager}/-/ready"), "alertmanager did not start")
        # What fired before Prometheus had found Alertmanager is sent again at once, not after a minute.
        again = "--rules.alert.resend-delay=1s"
        prom = (watch, again, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb", listen[0])
        stack.enter_context(process(*prom, folder=folder))
        until(lambda: answers(f"{prometheus}/-/ready"), "prometheus did not start")
        yield Chain(told, alertmanager)
    http.close()


def test_the_real_chain_presses_the_dead_mans_switch(chain: Chain) -> None:
    """Prometheus evaluates our rules, Alertmanager routes by our configuration, our bridge presses."""
    until(lambda: chain.told.http.pings, "nobody pressed the switch")
    assert chain.told.http.pings[0] == "chain"


def test_every_alert_of_the_matrix_reaches_its_people_through_alertmanager_and_ends(chain: Chain) -> None:
    files = prometheus_files(CONTRACTS.by_id.values())
    groups = yaml.safe_load(files[RULES_FILE])["groups"]
    wanted = {rule.name: rule for contract in CONTRACTS.by_id.values() for rule in contract.alerts}
    rules = [rule for group in groups for rule in group["rules"] if rule.get("alert") in wanted]
    assert {rule["alert"] for rule in rules} == set(wanted)

    def heard(state: str) -> dict[str, set[str]]:
        kept = chain.told.http
        texts = {
            "slack": [json.dumps(body) for body in kept.slack],
            "email": [str(mail["subject"]) for mail in chain.told.mail.mails],
            "pagerduty": [json.dumps(body) for body in kept.pagerduty],
            "whatsapp_founder": [json.dumps(body) for body in kept.whatsapp],
        }
        marks = {"firing": ("FIRING", "trigger", "Alerta"), "resolved": ("RESOLVED", "resolve", "Resuelto")}[state]
        found: dict[str, set[str]] = {name: set() for name in wanted}
        for sink, said in texts.items():
            for rule in rules:
                # The phone hears the sentence, everybody else the name.
                name = rule["annotations"]["summary"][:40] if sink == "whatsapp_founder" else rule["alert"]
                if any(name in text and any(mark in text for mark in marks) for text in said):
                    found[rule["alert"]].add(sink)
        return found

    everybody = {name: set(rule.notify) for name, rule in wanted.items()}
    chain.post(*rules)
    until(lambda: heard("firing") == everybody, f"fired, and heard: {heard('firing')}")
    chain.post(*rules, over=True)
    ended = {name: sinks - {"pagerduty"} for name, sinks in everybody.items()}
    until(
        lambda: {name: sinks - {"pagerduty"} for name, sinks in heard("resolved").items()} == ended,
        f"over, and heard: {heard('resolved')}",
    )
    until(lambda: set(chain.told.http.incidents.values()) == {"resolved"}, "an incident is still open")
