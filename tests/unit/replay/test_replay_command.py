"""``smos replay`` as the operator uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from tests.unit.replay.conftest import Installation, Shop
from typer.testing import CliRunner, Result

from smarteros.cli.replay import replay
from smarteros.domain.errors import ConfigError
from smarteros.domain.tools import ToolResult
from smarteros.replay.overlay import contracts_with
from smarteros.settings import default_contracts_dir

app = typer.Typer()
app.command()(replay)


def run(installation: Installation, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--data-dir", str(installation.data_dir)])


@pytest.fixture
def friendlier(tmp_path: Path) -> Path:
    """The contract that answers greetings, with one more word in every text."""
    for path in default_contracts_dir().glob("*.yml"):
        text = path.read_text("utf-8")
        if "smalltalk" in text and "¡Hola" in text:
            changed = tmp_path / "friendlier.yml"
            changed.write_text(text.replace("¡Hola", "¡Muy buenas, hola"), "utf-8")
            return changed
    raise AssertionError("no contract greets")


def test_a_turn_that_says_the_same_ends_with_0(installation: Installation, shop: Shop) -> None:
    turn = shop.answer("¿cuál es el horario de atención?")
    ended = run(installation, turn)

    assert ended.exit_code == 0, ended.output
    assert ended.output.split() == ["same", turn]


def test_a_new_contract_is_tried_on_old_turns_before_it_is_activated(
    installation: Installation, shop: Shop, found_shoes: ToolResult, friendlier: Path
) -> None:
    greeting, search = shop.answer("hola"), shop.answer("¿Tienen zapatillas talla 42?", found_shoes)
    ended = run(
        installation, "--since", "1h", "--tenant", shop.tenant.tenant_id, "--against", str(friendlier), "--json"
    )

    assert ended.exit_code == 1, ended.output
    summary = json.loads(ended.output)
    assert (summary["same"], summary["different"]) == (1, 1)
    (changed,) = summary["results"]
    assert changed["turn_id"] == greeting != search
    assert "¡Muy buenas, hola" in changed["replayed_reply"]
    assert [each["what"] for each in changed["differences"]] == ["reply"]


def test_the_difference_is_shown_as_a_diff(installation: Installation, shop: Shop, friendlier: Path) -> None:
    ended = run(installation, shop.answer("hola"), "--against", str(friendlier))

    assert ended.exit_code == 1
    assert "different" in ended.output
    assert "+¡Muy buenas, hola" in ended.output


def test_a_contract_of_no_flow_in_force_is_refused(tmp_path: Path) -> None:
    path = next(iter(sorted(default_contracts_dir().glob("*.yml"))))
    flow_line = next(line for line in path.read_text("utf-8").splitlines() if line.startswith("flow_id:"))
    stranger = tmp_path / "stranger.yml"
    stranger.write_text(path.read_text("utf-8").replace(flow_line, "flow_id: e2e_of_nobody"), "utf-8")

    with pytest.raises(ConfigError, match="no contract in force"), contracts_with(default_contracts_dir(), stranger):
        pass


@pytest.mark.parametrize(
    "arguments", [(), ("SOME:1:000000000001", "--since", "7d"), ("--since", "7w"), ("--since", "-1d"), ("--since", "d")]
)
def test_wrong_use_is_exit_2(installation: Installation, arguments: tuple[str, ...]) -> None:
    assert run(installation, *arguments).exit_code == 2
