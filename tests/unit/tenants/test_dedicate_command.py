"""``smos tenant dedicate`` from the first word to --finish, with `smos serve` started by the .env it has written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support import PATIENCE_S, browsing, free_port, until
from tests.unit.tenants.installation import Installation, Outside, opened
from tests.unit.tenants.moving_world import MESSAGE

from smarteros.channels.chatwoot.signatures import sign_v1
from smarteros.domain.errors import RejectedInputError
from smarteros.store.database import Database
from smarteros.store.embedded import EmbeddedPostgres

SHOP = "DEDICATED_BY_COMMAND"
OWN = "SMOS_BRAIN=words\nSMOS_WARM_DOCUMENTS=false\n"
KNOWLEDGE = "---\ncategoria: horarios\nidioma: es\n---\n# Horario\n\n## ¿A qué hora abren?\nDe 9 a 18 horas.\n"
# What changes something of a shop: rows, its own row, secrets.
DOORS: dict[str, tuple[tuple[str, ...], str | None]] = {
    "kb import": (("kb", "import", "--tenant", SHOP, "{kb}"), None),
    "brain native": (("brain", "native", "--tenant", SHOP), None),
    "secrets set": (("secrets", "set", "--tenant", SHOP, "odoo/api_key"), "another-key"),
    "tenant resume": (("tenant", "resume", SHOP), None),
}


@dataclass(frozen=True)
class Story:
    """What was seen of a shop on its way, and of its old installation afterwards."""

    prepared: dict[str, Any]
    moved: dict[str, Any]
    statuses: list[int]
    answers: list[str]
    refused: dict[str, BaseException | None]
    secret_here: str
    finished: dict[str, Any]
    known_here: bool


@contextmanager
def served(directory: Path) -> Iterator[None]:
    """`smos serve` in the directory, with no setting but those of its .env."""
    plain = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with (directory / "serve.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "smarteros.cli.main", "serve"], cwd=directory, env=plain, stdout=log, stderr=log
        )
        try:
            until(lambda: process.poll() is not None or "ready" in (directory / "serve.log").read_text())
            assert process.poll() is None, (directory / "serve.log").read_text()
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


class Customer:
    """Somebody who writes in the chat of the shop's website; Chatwoot posts it to wherever the bot is."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._tenant = installation.tenants.get(SHOP)
        (self._account,) = self._tenant.chatwoot_account_ids
        self._secret = installation.secrets.read(self._tenant.scope, "chatwoot/hmac_secret")
        self._chatwoot = browsing(installation.outside.chatwoot_url)
        inbox = f"/public/api/v1/inboxes/webwidget-{self._account}/contacts"
        source = self._chatwoot.post(inbox, json={"name": "Ana"}).json()["source_id"]
        self._number = self._chatwoot.post(f"{inbox}/{source}/conversations", json={}).json()["id"]
        self._messages = f"{inbox}/{source}/conversations/{self._number}/messages"

    def write(self, text: str) -> int:
        """Returns how the webhook was answered."""
        message = self._chatwoot.post(self._messages, json={"content": text}).json()
        body = json.loads(MESSAGE.read_text()) | {"id": message["id"], "content": text}
        body |= {"account": {"id": self._account, "name": "x"}}
        body["conversation"] |= {"id": self._number}
        raw, now = json.dumps(body).encode(), int(time.time())
        headers = {"x-chatwoot-timestamp": str(now), "x-chatwoot-signature": sign_v1(raw, self._secret, now)}
        (bot,) = self._installation.outside.bots(self._account)
        return self._chatwoot.post(bot.outgoing_url, content=raw, headers=headers).status_code

    def answers(self) -> list[str]:
        said = self._chatwoot.get(self._messages).json()
        return [message["content"] for message in said if message["message_type"] == 1]

    def close(self) -> None:
        self._chatwoot.close()


@pytest.fixture(scope="module")
def story(postgres: EmbeddedPostgres, outside: Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder, database = tmp_path_factory.mktemp("dedicated"), Database(postgres.url(), postgres.url("smos_app"))
    new, port = folder / "new", str(free_port())
    (folder / "own.env").write_text(OWN)
    (folder / "horario.md").write_text(KNOWLEDGE)
    with pytest.MonkeyPatch.context() as monkeypatch, opened(database, outside, folder, monkeypatch) as here:
        here.add(here.application(SHOP))
        command = ("tenant", "dedicate", SHOP, "--to", str(new))
        own = ("--public-url", f"http://127.0.0.1:{port}", "--port", port, "--settings", str(folder / "own.env"))
        prepared = here.asked(*command, *own)
        scope = here.tenants.get(SHOP).scope
        with served(new):
            moved = here.asked(*command)
            customer = Customer(here)
            statuses = [customer.write("quiero hablar con una persona")]
            answers = until(customer.answers)
            refused = {
                name: here.smos(*(word.format(kb=folder / "horario.md") for word in words), stdin=stdin).exception
                for name, (words, stdin) in DOORS.items()
            }
            secret_here = here.secrets.read(scope, "odoo/api_key")
            finished = here.asked(*command, "--finish")
            statuses.append(customer.write("¿siguen ahí?"))
        customer.close()
        here.tenants.forget()
        yield Story(
            prepared=prepared,
            moved=moved,
            statuses=statuses,
            answers=answers,
            refused=refused,
            secret_here=secret_here,
            finished=finished,
            known_here=here.tenants.find(SHOP) is not None,
        )
    database.dispose()


def test_the_first_command_prepares_and_the_second_moves_to_what_serves_by_its_settings(story: Story) -> None:
    assert (story.prepared["state"], story.moved["state"]) == ("prepared", "moved")
    assert (story.moved["kept"], story.moved["by_hand"]) == (0, [])


def test_a_customer_is_answered_by_the_installation_that_serves_with_the_generated_settings(story: Story) -> None:
    assert story.statuses == [200, 200]
    assert story.answers


@pytest.mark.parametrize("door", DOORS)
def test_whoever_changes_a_shop_that_has_moved_is_told_where_it_lives(story: Story, door: str) -> None:
    error = story.refused[door]
    assert isinstance(error, RejectedInputError), repr(error)
    assert (error.code, error.status) == ("tenant_moved", 409)
    assert error.operator_message == f"{SHOP} lives in {story.moved['url']}: change it there (docs/dedicated.md)."


def test_a_refused_change_of_a_secret_changes_none(story: Story) -> None:
    assert story.secret_here != "another-key"


def test_finish_erases_what_was_left_and_the_shop_goes_on_in_the_other_place(story: Story) -> None:
    assert story.finished["secrets"] == story.moved["secrets"]
    assert sum(story.finished["rows"].values()) > 0
    assert not story.known_here
