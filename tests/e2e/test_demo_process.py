"""Starting, stopping, killing and starting again."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.process import QUICK_START, DemoProcess, all_gone, refused
from tests.e2e.world import Customer, World
from typer.testing import CliRunner

from smarteros.cli.main import app

SHOES = "TENANT_DEMO"
SHOPPING = "¿Tienen zapatillas talla 42?"


@dataclass(frozen=True)
class Interrupted:
    """A first run in an empty directory, ended by Ctrl-C after somebody asked for shoes."""

    data_dir: Path
    customer: Customer
    webhook_key: str
    second_start: tuple[int, str]
    family: int
    exit_code: int
    all_gone: bool


@dataclass(frozen=True)
class Killed:
    """The run after it on the same data, killed while somebody's turn was running."""

    kept_replies: int
    answer_to_yes: str
    customer: Customer
    sent: int
    all_gone: bool


@dataclass(frozen=True)
class StartedAgain:
    """The third run: what became of the turn, and what was said on the terminal meanwhile."""

    replies: tuple[str, ...]
    said: tuple[str, ...]


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Interrupted:
    """Each run of a demo takes seconds, so the tests look at four of them, one after the other on the same data."""
    data_dir = tmp_path_factory.mktemp("demo") / "data"
    with DemoProcess(data_dir, "--port", "0") as demo, World(demo.url) as world:
        customer = world.customer(SHOES)
        customer.ask(SHOPPING)
        second_start = refused(data_dir, "--port", "0")
        family = demo.family()
        exit_code = demo.interrupt(within_s=5)
        gone = all_gone(family, within_s=1)
        return Interrupted(data_dir, customer, _webhook_key(world), second_start, len(family), exit_code, gone)


@pytest.fixture(scope="module")
def killed(interrupted: Interrupted) -> Killed:
    with DemoProcess(interrupted.data_dir, "--port", "0") as demo, World(demo.url) as world:
        back = _same_customer(world, interrupted.customer)
        kept = len(back.replies())
        answer = back.ask("sí")
        customer = world.customer(SHOES)
        slow = {"service": "chatwoot", "kind": "slow", "scope": None, "times": None, "value": 3}
        world.http.post(f"{demo.url}/sandbox/faults", json=slow).raise_for_status()
        sent = customer.write("¿Cuál es el horario de atención?")
        world.until_received(SHOES, sent)
        family = demo.family()
        demo.kill()
        return Killed(kept, answer, customer, sent, all_gone(family, within_s=5))


@pytest.fixture(scope="module")
def started_again(interrupted: Interrupted, killed: Killed) -> StartedAgain:
    data_dir, photo = interrupted.data_dir, interrupted.data_dir.with_name("boleta.png")
    with DemoProcess(data_dir, "--port", "0") as demo, World(demo.url) as world:
        back = _same_customer(world, killed.customer)
        back.reply_to(killed.sent)
        back.turn_of(killed.sent)
        unknown = next(invoice for invoice in world.shop(SHOES)["invoices"] if not invoice["in_odoo"])
        photo.write_bytes(world.http.get(demo.url + unknown["image_url"]).content)
        said = (
            _say(data_dir, SHOPPING),
            _say(data_dir, "sí"),
            _say(data_dir, "¿Tiene garantía?", "--attach", str(photo)),
        )
        return StartedAgain(tuple(back.replies()), said)


@pytest.fixture(scope="module")
def fresh(interrupted: Interrupted, started_again: StartedAgain) -> tuple[str, list[dict[str, Any]]]:
    """A last run that forgets the earlier ones: the shop's key and what is written down of it."""
    with DemoProcess(interrupted.data_dir, "--port", "0", "--fresh") as demo, World(demo.url) as world:
        return _webhook_key(world), world.audit(SHOES)


def _webhook_key(world: World) -> str:
    return world.info["smarteros"]["webhook_urls"][SHOES].rsplit("/", 1)[1]


def _same_customer(world: World, before: Customer) -> Customer:
    """The same person in the same conversation, on the addresses of a later run."""
    back = Customer.__new__(Customer)
    back.world, back.tenant_id = world, before.tenant_id
    back.source_id, back.conversation_id = before.source_id, before.conversation_id
    path = before.messages_url.split("/public/", 1)[1]
    back.messages_url = f"{world.info['base_urls']['chatwoot']}/public/{path}"
    return back


def _say(data_dir: Path, text: str, *options: str) -> str:
    command = [sys.executable, "-m", "smarteros.cli.main", "demo", "say", text, "--data-dir", str(data_dir), *options]
    environment = os.environ | QUICK_START
    ended = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False, env=environment)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_interrupting_the_demo_stops_every_child_within_five_seconds(interrupted: Interrupted) -> None:
    assert interrupted.family >= 3
    assert interrupted.exit_code == 0
    assert interrupted.all_gone


def test_no_child_survives_when_the_demo_is_killed(killed: Killed) -> None:
    assert killed.all_gone


def test_a_second_start_on_the_same_data_goes_on_where_it_was(killed: Killed) -> None:
    assert killed.kept_replies == 1
    assert "/cart/" in killed.answer_to_yes


def test_fresh_forgets_everything(interrupted: Interrupted, fresh: tuple[str, list[dict[str, Any]]]) -> None:
    key, audit = fresh
    assert [event["kind"] for event in audit] == ["tenant_added"]
    assert key != interrupted.webhook_key


def test_a_turn_that_was_running_when_the_demo_was_killed_is_answered_once_after_the_restart(
    started_again: StartedAgain,
) -> None:
    assert len(started_again.replies) == 1


def test_an_occupied_port_is_said_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = refused(tmp_path, "--port", str(port))

    assert code == 1
    assert said.count("\n") == 1
    assert f"127.0.0.1:{port}" in said


def test_a_data_directory_that_is_a_file_is_said_in_one_sentence(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    code, said = refused(blocked, "--port", "0")

    assert code == 1
    assert said.count("\n") == 1
    assert str(blocked) in said


def test_a_second_demo_on_the_same_data_is_refused_in_one_sentence(interrupted: Interrupted) -> None:
    code, said = interrupted.second_start

    assert code == 1
    assert said.count("\n") == 1


def test_fresh_does_not_empty_a_directory_that_is_not_a_demos(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    code, _ = refused(tmp_path, "--port", "0", "--fresh")

    assert code == 1
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_saying_something_without_a_running_demo_starts_one_for_it(tmp_path: Path) -> None:
    said = _say(tmp_path, SHOPPING)

    assert "Zapatilla Running Azul" in said
    for step in ("receive", "resolve", "decide", "call_tools", "reply", "audit"):
        assert step in said


def test_saying_things_goes_on_in_the_same_conversation_and_takes_photos(started_again: StartedAgain) -> None:
    _, yes, with_photo = started_again.said

    assert "/cart/" in yes
    assert "No encontré esa factura" in with_photo


@pytest.mark.parametrize("command", [["demo"], ["demo", "say"], ["contract"], ["agent"], ["kb"], ["token"], []])
def test_every_command_has_help(command: list[str]) -> None:
    ended = CliRunner().invoke(app, [*command, "--help"])

    assert ended.exit_code == 0
    assert "Usage" in ended.stdout
