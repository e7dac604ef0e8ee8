"""``smos kb source|waiting|activate|refuse|questions|report|settings`` and ``smos kb import --url``."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result
from tests.paging import mails_in
from tests.unit.channels.conftest import Site
from tests.unit.knowledge.upkeep_world import OWNER, PAYING, SHIPPING, FaqPage, Upkept
from typer.testing import CliRunner

from smarteros.cli.main import app
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.gaps import Gap
from smarteros.kit.http import HttpClient
from smarteros.store.database import Database
from smarteros.store.gaps import note_gap
from smarteros.tenants.directory import TenantDirectory


class Shop(Upkept):
    """The shop as commands find it."""

    def run(self, *arguments: object, fails: bool = False) -> Result:
        words = ("kb", *(str(each) for each in arguments), "--tenant", self.tenant.tenant_id)
        result = CliRunner().invoke(app, words)
        if not fails:
            assert result.exception is None, (result.output, result.exception)
        return result

    def json(self, *arguments: object) -> Any:
        return json.loads(self.run(*arguments, "--json").stdout)


@pytest.fixture
def shop(database: Database, http: HttpClient, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    opened = Shop(database, http, site)
    directory = TenantDirectory(database)
    opened.tenant = opened.tenant.model_copy(update={"tenant_key": f"key-of-shop-{opened.tenant.tenant_id.lower()}"})
    opened.tenant = opened.tenant.model_copy(update={"chatwoot_url": f"http://{opened.tenant.tenant_key}.example"})
    directory.save(opened.tenant)
    agent = SimpleNamespace(category_priors=lambda *_: None, prepare=lambda _: None)
    settings = SimpleNamespace(data_dir=tmp_path, page_origins=(site.url,))

    @contextmanager
    def services(_settings: object) -> Generator[SimpleNamespace]:
        yield SimpleNamespace(
            database=database,
            knowledge=opened.knowledge,
            tenants=directory,
            agent=agent,
            http=http,
            secrets=opened.secrets,
            embedders=None,
            settings=settings,
        )

    monkeypatch.setattr("smarteros.bootstrap.open_services", services)
    return opened


@pytest.fixture
def page(shop: Shop) -> FaqPage:
    return FaqPage(shop.site)


def test_a_page_is_imported_by_its_address(shop: Shop, page: FaqPage) -> None:
    assert shop.json("import", "--url", page.url)["passages"] == 2
    assert shop.answer("con qué se paga") == "Con débito."
    assert shop.run("import", fails=True).exit_code == 2


def test_a_source_is_added_listed_read_again_and_removed(shop: Shop, page: FaqPage) -> None:
    assert shop.run("source", "add", "--url", page.url).stdout == "127-0-0-1-faq: activated, 2 passages\n"
    again = shop.run("source", "add", "--url", page.url, fails=True)
    assert isinstance(again.exception, RejectedInputError)
    (listed,) = shop.json("source", "list")
    assert (listed["kind"], listed["every"], listed["failures"]) == ("page", "day", 0)
    assert shop.json("source", "sync")["outcome"] == "unchanged"
    page.status = 404
    failed = shop.run("source", "sync", fails=True)
    assert (failed.exit_code, "HTTP 404" in failed.stderr) == (1, True)
    assert "! failed 1 times" in shop.run("source", "list").stdout
    shop.run("source", "remove", "127-0-0-1-faq")
    assert (shop.json("source", "list"), shop.answer("con qué se paga")) == ([], None)
    assert shop.run("source", "add", "--canned", "--helpcenter", fails=True).exit_code == 2


def test_a_change_that_waits_is_shown_and_decided_about(shop: Shop, page: FaqPage) -> None:
    shop.run("source", "add", "--url", page.url, "--name", "faq")
    for text in (PAYING, SHIPPING):
        shop.asked(text, "faq_payment_methods" if text == PAYING else "faq_shipping")
    page.answers = {PAYING: "Solo efectivo, por ahora."}
    assert shop.json("source", "sync", "faq")["outcome"] == "waits"
    (waiting,) = shop.json("waiting")
    assert (waiting["origin"], waiting["report"]["asked"]) == ("faq", 2)
    assert "changed: ¿Cómo se paga?" in shop.run("waiting").stdout
    assert shop.run("activate", "faq").stdout == "1 passages\n"
    assert shop.answer("con qué se paga") == "Solo efectivo, por ahora."
    page.answers = {PAYING: "Solo cheques."}
    shop.run("source", "sync")
    shop.run("refuse")
    assert (shop.json("waiting"), shop.answer("con qué se paga")) == ([], "Solo efectivo, por ahora.")
    nothing = shop.run("activate", fails=True)
    assert isinstance(nothing.exception, RejectedInputError)


def test_a_checked_import_waits_when_stored_questions_lose_their_answer(
    shop: Shop, page: FaqPage, tmp_path: Path
) -> None:
    shop.run("import", "--url", page.url)
    asked = tmp_path / "preguntas.jsonl"
    asked.write_text(json.dumps({"question": "¿cómo se paga?", "expected": PAYING}), "utf-8")
    assert shop.run("questions", asked).stdout == "1 questions\n"
    assert shop.run("questions").stdout == f"¿cómo se paga?\t{PAYING}\n"
    other = tmp_path / "otro.md"
    other.write_text("# Historia\nDesde 1984.", "utf-8")
    assert shop.json("import", other, "--check")["outcome"] == "waits"
    assert shop.answer("con qué se paga") == "Con débito."
    assert shop.json("questions", "--clear") == []
    assert shop.json("import", other, "--check")["outcome"] == "activated"


def test_settings_are_the_shops_and_wrong_ones_are_refused(shop: Shop) -> None:
    changed = shop.json("settings", "--owner-email", "jefa@nandu.example", "--most-changed", 35, "--no-weekly-report")
    assert (changed["owner_email"], changed["most_changed_percent"], changed["weekly_report"]) == (
        "jefa@nandu.example", 35, False,
    )  # fmt: skip
    assert "most_changed_percent\t35" in shop.run("settings").stdout
    wrong = shop.run("settings", "--most-lost", 101, fails=True)
    assert isinstance(wrong.exception, RejectedInputError)
    assert shop.json("settings", "--owner-email", "")["owner_email"] is None


def test_the_weeks_questions_are_shown_and_sent(shop: Shop, tmp_path: Path) -> None:
    example = "¿Reparan zapatos?"
    gap = Gap(pattern="reparan", example=example, reason="not_in_kb", intent="out_of_scope", confidence=0.2)
    with shop.database.tenant(shop.tenant.scope) as connection:
        note_gap(connection, shop.tenant.tenant_id, gap, shop.clock.now())
    assert '- "¿Reparan zapatos?"' in shop.run("report").stdout
    assert shop.json("report")["groups"][0]["questions"][0]["example"] == "¿Reparan zapatos?"
    assert shop.run("report", "--send").stdout == f"sent to {OWNER}\n"
    (mail,) = mails_in(tmp_path / "alerts.mbox")
    assert f"To: {OWNER}" in mail
