"""``smos alerts`` over an installation's database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.unit.alerts.watching import CONTRACTS, Watched
from typer.testing import CliRunner, Result

from smarteros.cli.main import app
from smarteros.settings import Settings


@dataclass
class Desk:
    """The commands, beside a shop that is watched."""

    watched: Watched

    def run(self, *words: str) -> Result:
        with capture_logs():  # ``smos`` writes its log elsewhere than what it prints
            return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["alerts", *words])

    def json(self, *words: str) -> Any:
        done = self.run(*words, "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.output)


@pytest.fixture
def desk(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> Desk:
    watched.clock.instant = datetime.now(UTC)  # the commands have no other clock
    tenants = SimpleNamespace(all=lambda: (watched.shop,), get=lambda _id: watched.shop)
    settings = Settings(data_dir=watched.folder)
    services = SimpleNamespace(
        database=watched.database, tenants=tenants, contracts=CONTRACTS, http=watched.http, settings=settings
    )

    @contextmanager
    def opened(_settings: Settings | None = None) -> Iterator[SimpleNamespace]:
        yield services

    monkeypatch.setattr("smarteros.bootstrap.open_services", opened)
    monkeypatch.setattr("smarteros.alerts.settings.AlertSettings", lambda: watched.settings)
    return Desk(watched)


def test_what_is_on_is_listed_with_who_was_told_and_what_is_over_when_it_is_asked_for(desk: Desk) -> None:
    desk.watched.turns(12, "e2e_faq_quick", outcome="failed")
    desk.watched.after(seconds=1)
    (alert,) = desk.json("list")["alerts"]
    assert (alert["name"], list(alert["told"])) == ("faq_failing", ["pagerduty"])
    table = desk.run("list").output
    assert "faq_failing" in table and "pagerduty" in table and "Last looked at: 20" in table

    desk.watched.after(hours=1)
    assert desk.json("list")["alerts"] == []
    assert [each["name"] for each in desk.json("list", "--since", "7d")["alerts"]] == ["faq_failing"]


def test_a_silence_is_kept_and_ended_by_its_number(desk: Desk) -> None:
    made = desk.json("silence", "faq_failing", "--tenant", desk.watched.id, "--for", "30m", "--reason", "deploy")
    desk.watched.turns(12, "e2e_faq_quick", outcome="failed")
    desk.watched.after(seconds=1)
    assert desk.watched.heard() == {}
    assert [each["reason"] for each in desk.json("list")["silences"]] == ["deploy"]

    assert desk.json("unsilence", str(made["silence_id"]))["silence_id"] == made["silence_id"]
    desk.watched.after(minutes=5)  # the command's clock is the machine's, which went on meanwhile
    assert desk.watched.heard() == {"pagerduty": 1}
    assert desk.run("unsilence", str(made["silence_id"])).exit_code == 1


def test_a_silence_of_everything_covers_all_shops(desk: Desk) -> None:
    desk.json("silence", "ALL", "--for", "2h")
    desk.watched.turns(12, "e2e_faq_quick", outcome="failed")
    desk.watched.after(seconds=1)
    assert desk.watched.heard() == {}


def test_an_alert_nobody_knows_cannot_be_silenced(desk: Desk) -> None:
    done = desk.run("silence", "faq_falling")
    assert done.exit_code == 1 and "faq_failing" in str(done.exception)


def test_a_test_reaches_every_sink_and_says_which_did_not_take_it(desk: Desk) -> None:
    answers = desk.json("test")
    assert answers == dict.fromkeys(["console", "email", "slack", "pagerduty", "whatsapp_founder"])
    assert desk.watched.told.http.incidents == {"smos/-/test": "resolved"}

    desk.watched.told.http.away["slack"] = 404
    done = desk.run("test")
    assert done.exit_code == 1
    assert "✗ slack: slack refuses us: HTTP 404 no_service" in done.output
