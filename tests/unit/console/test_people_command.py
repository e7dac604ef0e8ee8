"""``smos people`` and the link a new installation prints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from tests.unit.console.conftest import SHOES, World
from typer.testing import CliRunner

from smarteros import bootstrap
from smarteros.bootstrap import console as console_bootstrap
from smarteros.cli.main import app
from smarteros.console.tokens import console_link
from smarteros.domain.errors import RejectedInputError


@dataclass
class Opened:
    """As much of an installation as the command asks for."""

    tenants: Any


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The command over the console's own database."""

    @contextmanager
    def services(_settings: Any) -> Iterator[Opened]:
        yield Opened(world.parts.tenants)

    monkeypatch.setattr(bootstrap, "open_services", services)
    monkeypatch.setattr(console_bootstrap, "open_door", lambda _services: (world.parts.access, world.parts.invitations))
    monkeypatch.setenv("SMOS_PUBLIC_URL", "https://bots.example")
    yield lambda *words: CliRunner().invoke(app, ["people", *words])


def test_an_invitation_prints_a_link_that_lets_in(world: World, run: Any) -> None:
    printed = run("invite", "--email", "Rosa@example.cl", "--role", "tenant_admin", "--tenant", SHOES, "--json")

    told = json.loads(printed.stdout)
    assert printed.exit_code == 0
    assert (told["email"], told["role"]) == ("rosa@example.cl", "tenant_admin")
    assert told["link"] == console_link("https://bots.example", told["link"].rsplit("/", 1)[1])
    assert world.browser().get(told["link"].removeprefix("https://bots.example")).status_code == 200


def test_people_are_listed_and_shut_out(world: World, run: Any) -> None:
    email = world.person("agent", SHOES)

    assert run("disable", email).exit_code == 0

    listed = {each["email"]: each for each in json.loads(run("list", "--tenant", SHOES, "--json").stdout)}
    assert listed[email]["disabled_at"] is not None
    assert "password_hash" not in listed[email]
    assert isinstance(run("reset", email).exception, RejectedInputError)


def test_a_reset_prints_a_new_link(world: World, run: Any) -> None:
    email = world.person("agent", SHOES)

    link = run("reset", email).stdout.strip()

    assert world.browser().get(link.removeprefix("https://bots.example")).status_code == 200


def test_an_unknown_person_is_an_error(run: Any) -> None:
    assert run("disable", "nadie@example.cl").exit_code != 0
