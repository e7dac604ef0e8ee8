"""``smos contract`` as people and scripts use it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner, Result

from smarteros.cli.contract import app
from smarteros.contracts.loader import load_contract
from smarteros.domain.errors import ConfigError
from smarteros.scenarios.own_stack import own_stack
from smarteros.store.database import Database
from smarteros.store.scenario_runs import last_runs

from .tiny_stack import TinyStack

Spoil = Callable[..., Path]

# The scenario of the sound contract, as the tiny stack answers it.
ANSWERED = ("expect: {route: shopify_sales}", "expect: {contains: [horario]}")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever installation this machine has, it is not that of the tests."""
    monkeypatch.setenv("SMOS_DATA_DIR", str(tmp_path / "no-installation"))
    monkeypatch.delenv("SMOS_DATABASE_URL", raising=False)


def smos_contract(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_lint_is_silent_success_or_a_list_with_lines(spoiled: Spoil) -> None:
    good = smos_contract("lint", spoiled())
    assert (good.exit_code, good.stdout) == (0, "no mistakes found\n")
    path = spoiled("timeout_ms: 2000", "timeout_ms: soon", name="bad.yml")
    bad = smos_contract("lint", path)
    assert bad.exit_code == 1
    assert bad.stdout.startswith(f"{path}:18: wrong_value: ")


def test_lint_speaks_json_to_machines(spoiled: Spoil) -> None:
    result = smos_contract("lint", "--json", spoiled("bot: sales", "bot: selling"))
    (finding,) = json.loads(result.stdout)
    assert (result.exit_code, finding["line"], finding["code"]) == (1, 11, "wrong_value")


def test_test_plays_all_scenarios_and_prints_a_table(spoiled: Spoil, tiny: TinyStack) -> None:
    folder = spoiled(*ANSWERED).parent
    result = smos_contract("test", "--url", tiny.url, "--contracts", folder)
    assert result.exit_code == 0, result.output
    assert "1 of 1 scenarios passed" in result.stdout


def test_an_installation_remembers_the_last_run_with_who_played_it(
    spoiled: Spoil, tiny: TinyStack, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "installed" / "postgres").mkdir(parents=True)
    monkeypatch.setattr("smarteros.bootstrap.open_services", lambda _: nullcontext(SimpleNamespace(database=database)))
    monkeypatch.setenv("LOGNAME", "ana")
    folder = spoiled().parent

    for sound in (False, True):
        if sound:
            spoiled(*ANSWERED)
        smos_contract("test", "--url", tiny.url, "--contracts", folder, "--data-dir", tmp_path / "installed")

        with database.installation() as connection:
            run = last_runs(connection)["shop"]
        assert (run.run_by, run.ran_on, run.contract_version) == ("ana", tiny.url, "1.0.0")
        assert [(each.name, not each.failures) for each in run.scenarios] == [("one", sound)]
        assert run.is_of(load_contract(spoiled(*(ANSWERED if sound else ()))))
        assert not run.is_of(load_contract(spoiled("priority: normal", "priority: high")))


def test_without_an_installation_nothing_is_kept_and_none_is_made(
    spoiled: Spoil, tiny: TinyStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("smarteros.bootstrap.open_services")
    result = smos_contract(
        "test", "--url", tiny.url, "--contracts", spoiled(*ANSWERED).parent, "--data-dir", tmp_path / "nothing"
    )

    assert result.exit_code == 0, result.output
    assert not (tmp_path / "nothing").exists()


def test_test_fails_when_a_scenario_does(spoiled: Spoil, tiny: TinyStack) -> None:
    folder = spoiled().parent
    result = smos_contract("test", "--url", tiny.url, "--contracts", folder, "--json")
    (played,) = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (played["scenario"], played["passed"]) == ("one", False)
    assert played["failures"] == ["turn 1: route is 'kb_direct', expected 'shopify_sales'"]


def test_run_prints_the_conversation(spoiled: Spoil, tiny: TinyStack) -> None:
    folder = spoiled(*ANSWERED).parent
    result = smos_contract("run", "one", "--url", tiny.url, "--contracts", folder)
    assert result.exit_code == 0, result.output
    assert "› hola\nNuestro horario es de 9:00 a 18:00\n" in result.stdout


def test_run_of_an_unknown_scenario_names_those_there_are(spoiled: Spoil) -> None:
    result = smos_contract("run", "two", "--contracts", spoiled().parent)
    assert result.exit_code == 2
    assert "one" in result.output


def test_diff_is_success_only_without_differences(spoiled: Spoil) -> None:
    before = spoiled()
    assert smos_contract("diff", before, before).exit_code == 0
    after = spoiled("threshold: 7000", "threshold: 6000", name="b.yml")
    table = smos_contract("diff", before, after)
    assert table.exit_code == 1
    assert "alerts[slow].threshold" in table.stdout
    (change,) = json.loads(smos_contract("diff", before, after, "--json").stdout)
    assert change["after"] == 6000


def test_export_writes_the_schema_and_the_page(spoiled: Spoil, tmp_path: Path) -> None:
    assert json.loads(smos_contract("export", "schema").stdout)["title"] == "SmarterOS contract smos/v2"
    target = tmp_path / "shop.md"
    assert smos_contract("export", "docs", spoiled(), "--out", target).exit_code == 0
    assert target.read_text("utf-8").startswith("# shop 1.0.0")
    assert smos_contract("export", "docs").exit_code == 2


READY = "import sys,time; print('starting'); print('ready http://127.0.0.1:9', flush=True); time.sleep(60)"


def test_a_stack_of_ones_own_is_known_by_its_ready_line_and_stopped_afterwards(tmp_path: Path) -> None:
    with own_stack([sys.executable, "-c", READY], data_dir=tmp_path) as url:
        assert url == "http://127.0.0.1:9"


def test_a_stack_that_ends_before_it_is_ready_says_why() -> None:
    with pytest.raises(ConfigError, match="no database"), own_stack([sys.executable, "-c", "print('no database')"]):
        pass


def test_a_stack_that_never_gets_ready_is_given_up() -> None:
    sleeps = [sys.executable, "-c", "import time; time.sleep(60)"]
    with pytest.raises(ConfigError, match="not ready within"), own_stack(sleeps, start_within_s=0.2):
        pass
