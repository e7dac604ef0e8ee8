"""`smos doctor` of a shop that was taken on: what is in order, and what broke since."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support import serving
from tests.unit.tenants.installation import Installation

from smarteros.cli.main import main
from smarteros.doctor.examination import findings
from smarteros.doctor.installation import OpenInstallation, before_opening, when_open
from smarteros.edge.app import create_app
from smarteros.edge.receive import Receiver
from smarteros.edge.webhooks import WebhookTaker, webhook_router
from smarteros.kit.clock import SystemClock
from smarteros.store.database import Database
from smarteros.tenants.directory import TenantDirectory


@pytest.fixture
def edge(installation: Installation) -> Iterator[str]:
    """The door that webhooks come to; the one the doctor sends starts no turn."""
    no_engine = cast("Any", None)
    receiver = Receiver(installation.database, installation.tenants, installation.secrets, no_engine, SystemClock())
    with serving(create_app([webhook_router(WebhookTaker(receiver))])) as url:
        installation.settings = installation.settings.model_copy(update={"public_url": url})
        yield url


def examined(installation: Installation, tenant: str) -> tuple[int, dict[str, dict[str, Any]]]:
    done = installation.smos("doctor", "--tenant", tenant, "--json")
    return done.exit_code, {finding["check"]: finding for finding in json.loads(done.stdout)}


def test_a_shop_in_order_is_told_line_by_line_with_a_webhook_sent_to_ourselves(
    installation: Installation, edge: str
) -> None:
    installation.add(installation.application("DOC_FINE"))
    _, found = examined(installation, "DOC_FINE")
    ok = {name for name, finding in found.items() if finding["status"] == "ok"}
    assert ok >= {
        "contracts.lint", "database.role", "database.row_security", "secrets.store", "chatwoot.address",
        "chatwoot.user_token", "chatwoot.bot", "chatwoot.account_webhook", "chatwoot.inboxes", "chatwoot.desk",
        "chatwoot.webhook", "shopify.credentials", "shopify.scopes", "odoo.key",
    }  # fmt: skip
    assert edge in found["chatwoot.webhook"]["said"]
    # Nobody has imported a text or read the catalogue yet.
    failed = {name for name, finding in found.items() if finding["status"] == "failed"}
    assert failed == {"kb.present", "shopify.catalogue"}
    assert all(found[name]["remedy"] for name in failed)


def test_a_bot_that_sends_to_n8n_is_ours_where_n8n_leads(installation: Installation, edge: str) -> None:
    installation.add(installation.application("DOC_N8N"))
    address = "https://n8n.example.cl/webhook/chatwoot-events"
    installation.asked("tenant", "orchestrate", "DOC_N8N", "--by", "n8n", "--webhook-url", address)
    _, found = examined(installation, "DOC_N8N")

    assert [found[f"chatwoot.{name}"]["status"] for name in ("bot", "inboxes", "webhook")] == ["ok", "ok", "ok"]


def test_what_broke_since_is_found_and_ends_with_1(installation: Installation, edge: str) -> None:
    wanted = installation.application("DOC_BROKEN")
    installation.add(wanted)
    (bot,) = installation.outside.bots(wanted["account_id"])
    bot.secret, kept = "made anew in Chatwoot", bot.secret
    code, found = examined(installation, "DOC_BROKEN")
    assert (code, found["chatwoot.bot"]["said"].partition(":")[0]) == (1, "secret_differs")
    bot.secret = kept

    installation.outside.inboxes(wanted["account_id"])[0].agent_bot_id = None
    _, found = examined(installation, "DOC_BROKEN")
    assert found["chatwoot.inboxes"]["said"].startswith("inbox_not_connected")
    assert "smos tenant add" in found["chatwoot.inboxes"]["remedy"]
    assert installation.add(wanted)["changes"] == [
        f"connected inbox {installation.outside.inboxes(wanted['account_id'])[0].id}"
    ]


def test_a_team_and_a_label_that_hand_overs_want_and_chatwoot_lacks_are_named(installation: Installation) -> None:
    wanted = installation.application("DOC_DESK")
    installation.add(wanted)
    store = installation.outside.chatwoot.store
    for table, name in ((store.teams, "postventa"), (store.labels, "cliente-molesto")):
        for row in [row for row in table if row.account_id == wanted["account_id"]]:
            if name in (getattr(row, "name", None), getattr(row, "title", None)):
                table.delete(row)
    _, found = examined(installation, "DOC_DESK")
    assert found["chatwoot.desk"]["status"] == "warning"
    assert "no team 'postventa'" in found["chatwoot.desk"]["said"]
    assert "no label 'cliente-molesto'" in found["chatwoot.desk"]["said"]


def test_a_webhook_nobody_takes_is_a_failure(installation: Installation) -> None:
    installation.add(installation.application("DOC_DEAF"))
    installation.settings = installation.settings.model_copy(update={"public_url": "http://127.0.0.1:1"})
    _, found = examined(installation, "DOC_DEAF")
    assert found["chatwoot.webhook"]["status"] == "failed"


def test_a_role_that_passes_by_the_walls_is_a_failure(installation: Installation) -> None:
    url = installation.database.owner_url
    too_strong = Database(url, url)
    opened = OpenInstallation(installation.settings, too_strong, installation.secrets)
    found = {finding.check: finding for finding in findings(when_open(), opened)}
    too_strong.dispose()
    assert found["database.role"].status == "failed"
    assert "smos_app" in (found["database.role"].remedy or "")


def test_a_contract_with_a_mistake_and_a_directory_without_one_are_failures(
    installation: Installation, tmp_path: Path
) -> None:
    settings = installation.settings.model_copy(update={"contracts_dir": tmp_path / "none"})
    found = {finding.check: finding for finding in findings(before_opening(), settings)}
    assert (found["contracts.lint"].status, found["disk.space"].status != "failed") == ("failed", True)


def test_a_database_that_goes_away_meanwhile_is_one_line_with_its_remedy(
    installation: Installation, tmp_path: Path
) -> None:
    installation.add(installation.application("DOC_AWAY"))
    nowhere = f"postgresql+psycopg://smos_app@/postgres?host={tmp_path}"
    installation.database = Database(nowhere, nowhere)  # as if PostgreSQL had been stopped after the start

    code, found = examined(installation, "DOC_AWAY")

    assert (code, list(found)[-1], found["contracts.lint"]["status"]) == (1, "database.connection", "ok")
    assert [name for name, each in found.items() if each["status"] == "failed"] == ["database.connection"]
    assert "PostgreSQL has stopped answering" in found["database.connection"]["said"]
    assert "\n" not in found["database.connection"]["said"] + found["database.connection"]["remedy"]


def test_any_other_command_says_in_one_line_that_the_database_is_gone(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = f"postgresql+psycopg://smos_app@/postgres?host={tmp_path}"
    installation.tenants = TenantDirectory(Database(nowhere, nowhere))
    monkeypatch.setattr("sys.argv", ["smos", "tenant", "list"])
    monkeypatch.setattr("smarteros.cli.main.configure_logs", lambda: None)  # it would stay for other tests

    with pytest.raises(SystemExit):
        main()

    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("smos: PostgreSQL has stopped answering: ")
