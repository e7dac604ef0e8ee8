"""Starting, stopping, killing and starting again."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.process import DemoProcess, all_gone, refused
from tests.e2e.world import Customer, World

SHOES = "TENANT_DEMO"


def test_interrupting_the_demo_stops_every_child_within_five_seconds(tmp_path: Path) -> None:
    with DemoProcess(tmp_path, "--port", "0") as demo:
        family = demo.family()
        assert len(family) >= 3

        assert demo.interrupt(within_s=5) == 0
        assert all_gone(family, within_s=1)


def test_no_child_survives_when_the_demo_is_killed(tmp_path: Path) -> None:
    with DemoProcess(tmp_path, "--port", "0") as demo:
        family = demo.family()
        demo.kill()

        assert all_gone(family, within_s=5)


def test_a_second_start_on_the_same_data_goes_on_where_it_was(tmp_path: Path) -> None:
    with DemoProcess(tmp_path, "--port", "0") as demo, World(demo.url) as world:
        customer = world.customer(SHOES)
        customer.ask("¿Tienen zapatillas talla 42?")
    with DemoProcess(tmp_path, "--port", "0") as demo, World(demo.url) as world:
        back = _same_customer(world, customer)
        assert len(back.replies()) == 1

        assert "/cart/" in back.ask("sí")


def test_fresh_forgets_everything(tmp_path: Path) -> None:
    with DemoProcess(tmp_path, "--port", "0") as demo, World(demo.url) as world:
        customer = world.customer(SHOES)
        customer.turn_of(customer.write("hola"))
        key = world.info["smarteros"]["webhook_urls"][SHOES].rsplit("/", 1)[1]
    with DemoProcess(tmp_path, "--port", "0", "--fresh") as demo, World(demo.url) as world:
        assert world.audit(SHOES) == []
        assert not world.info["smarteros"]["webhook_urls"][SHOES].endswith(key)


def test_a_turn_that_was_running_when_the_demo_was_killed_is_answered_once_after_the_restart(tmp_path: Path) -> None:
    with DemoProcess(tmp_path, "--port", "0") as demo, World(demo.url) as world:
        customer = world.customer(SHOES)
        slow = {"service": "chatwoot", "kind": "slow", "scope": None, "times": None, "value": 3}
        world.http.post(f"{demo.url}/sandbox/faults", json=slow).raise_for_status()
        sent = customer.write("¿Cuál es el horario de atención?")
        world.until_received(SHOES, sent)
        demo.kill()
    with DemoProcess(tmp_path, "--port", "0") as demo, World(demo.url) as world:
        back = _same_customer(world, customer)
        back.reply_to(sent)
        back.turn_of(sent)

        assert len(back.replies()) == 1


def _same_customer(world: World, before: Customer) -> Customer:
    """The same person in the same conversation, on the addresses of a later run."""
    back = Customer.__new__(Customer)
    back.world, back.tenant_id = world, before.tenant_id
    back.source_id, back.conversation_id = before.source_id, before.conversation_id
    path = before.messages_url.split("/public/", 1)[1]
    back.messages_url = f"{world.info['base_urls']['chatwoot']}/public/{path}"
    return back


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


def test_a_second_demo_on_the_same_data_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with DemoProcess(tmp_path, "--port", "0"):
        code, said = refused(tmp_path, "--port", "0")

    assert code == 1
    assert said.count("\n") == 1


def test_fresh_does_not_empty_a_directory_that_is_not_a_demos(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    code, _ = refused(tmp_path, "--port", "0", "--fresh")

    assert code == 1
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_saying_something_without_a_running_demo_starts_one_for_it(tmp_path: Path) -> None:
    said = _say(tmp_path, "¿Tienen zapatillas talla 42?")

    assert "Zapatilla Running Azul" in said
    for step in ("receive", "resolve", "decide", "call_tools", "reply", "audit"):
        assert step in said


def test_saying_things_goes_on_in_the_same_conversation_and_takes_photos(tmp_path: Path) -> None:
    data_dir, photo = tmp_path / "data", tmp_path / "boleta.png"
    with DemoProcess(data_dir, "--port", "0") as demo, World(demo.url) as world:
        _say(data_dir, "¿Tienen zapatillas talla 42?")
        assert "/cart/" in _say(data_dir, "sí")

        unknown = next(invoice for invoice in world.shop(SHOES)["invoices"] if not invoice["in_odoo"])
        photo.write_bytes(world.http.get(demo.url + unknown["image_url"]).content)
        assert "No encontré esa factura" in _say(data_dir, "¿Tiene garantía?", "--attach", str(photo))


def _say(data_dir: Path, text: str, *options: str) -> str:
    command = [sys.executable, "-m", "smarteros.cli.main", "demo", "say", text, "--data-dir", str(data_dir), *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize("command", [["demo"], ["demo", "say"], ["contract"], ["agent"], ["kb"], ["token"], []])
def test_every_command_has_help(command: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "smarteros.cli.main", *command, "--help"], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0
    assert "Usage" in ended.stdout
