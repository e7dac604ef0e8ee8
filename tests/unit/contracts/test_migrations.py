"""Contracts of older formats: understood when they are read, and written anew by ``smos contract migrate``."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from smarteros.cli.contract import app
from smarteros.contracts.diff import diff
from smarteros.contracts.findings import ContractError
from smarteros.contracts.lint import lint
from smarteros.contracts.loader import load_contract, load_contracts
from smarteros.contracts.migrations import MIGRATIONS, migrate_text
from smarteros.contracts.models import CURRENT_FORMAT

Spoil = Callable[..., Path]

# As its author wrote it: comments, quotes, an order and a layout of his own.
_OTHERS = """
# 👟 Lo que contesta otra tienda.
handoffs:   # no las personas
  - {"intent": greeting, 'to': second}   # mañana
  - to: second
    intent: thanks_goodbye
slo:"""
_AFTER = """
# 👟 Lo que contesta otra tienda.
other_flows:   # no las personas
  - {"intent": greeting, flow: second}   # mañana
  - flow: second
    intent: thanks_goodbye
slo:"""


def smos_contract(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def old(spoiled: Spoil) -> Path:
    """A contract of format 1 that leaves two intents to a second flow, beside that flow, in format 1 too."""
    path = spoiled("\nslo:", _OTHERS, name="a.yml")
    path.write_text(path.read_text("utf-8").replace("smos/v2", "'smos/v1'  # el primero"), "utf-8")
    before, _, end = path.read_text("utf-8").partition("secrets: ")
    _, _, end = end.partition("# 👟")
    second = before.replace("flow_id: shop", "flow_id: second").replace("bot: sales", "bot: faq")
    second = second.replace("product_query, out_of_scope", "greeting, thanks_goodbye").replace(
        "product_query", "greeting"
    )
    rule = "reply:\n  - {route: smalltalk, outcome: hello, text: {es: Hola, en: Hello}}\nslo:"
    spoiled(text=second + rule + end.partition("\nslo:")[2].replace("shopify_sales", "smalltalk"), name="b.yml")
    return path


def test_an_old_contract_says_what_it_said_before(old: Path) -> None:
    contract = load_contract(old)
    assert contract.apiVersion == CURRENT_FORMAT
    assert [(other.intent, other.flow) for other in contract.other_flows] == [
        ("greeting", "second"),
        ("thanks_goodbye", "second"),
    ]


def test_lint_warns_of_an_old_format_and_that_is_no_mistake(old: Path) -> None:
    found = [finding for finding in lint([old]) if finding.code == "old_format"]
    assert [(finding.line, finding.severity) for finding in found] == [(1, "warning")]
    assert "`other_flows: [{intent, flow}]`" in found[0].message
    assert load_contract(old)


def test_a_mistake_in_an_old_contract_is_told_with_its_line(old: Path) -> None:
    text = old.read_text("utf-8").replace("'to': second}", "'to': nowhere}")
    old.write_text(text, "utf-8")
    (mistake,) = [finding for finding in lint([old]) if finding.code == "unknown_flow"]
    assert text.splitlines()[mistake.line - 1].startswith("  - {\"intent\": greeting, 'to': nowhere}")


def test_migrating_changes_the_words_and_nothing_else(old: Path) -> None:
    before, as_read = old.read_text("utf-8"), load_contract(old)
    assert smos_contract("migrate", old).exit_code == 0
    assert old.read_text("utf-8") == before.replace(_OTHERS, _AFTER).replace("'smos/v1'", "smos/v2")
    assert diff(as_read, load_contract(old)) == []
    assert not [finding for finding in lint([old]) if finding.code == "old_format"]


@pytest.mark.parametrize("spelling", [lambda text: text.replace("\n", "\r\n"), lambda text: "\ufeff" + text])
def test_line_ends_and_marks_of_editors_stay(old: Path, spelling: Callable[[str], str]) -> None:
    text = spelling(old.read_bytes().decode())
    migrated = migrate_text("a.yml", text).text
    assert migrated == text.replace(spelling(_OTHERS).lstrip("\ufeff"), spelling(_AFTER).lstrip("\ufeff")).replace(
        "'smos/v1'", "smos/v2"
    )


def test_migrating_twice_changes_nothing(old: Path) -> None:
    smos_contract("migrate", old)
    text = old.read_text("utf-8")
    again = smos_contract("migrate", old, "--json")
    assert json.loads(again.stdout) == [{"file": str(old), "migrated": False, "changes": []}]
    assert old.read_text("utf-8") == text


def test_check_says_what_would_be_and_changes_nothing(old: Path) -> None:
    before = old.read_text("utf-8")
    checked = smos_contract("migrate", "--check", old.parent)
    assert (checked.exit_code, old.read_text("utf-8")) == (1, before)
    assert "2 of 2 contracts would be migrated" in checked.stdout
    smos_contract("migrate", old.parent)
    assert smos_contract("migrate", "--check", old.parent).exit_code == 0


def test_a_file_with_a_mistake_is_left_alone_and_so_are_the_others(old: Path) -> None:
    wrong = old.with_name("c.yml")
    wrong.write_text(old.read_text("utf-8").replace("bot: sales", "bot: selling"), "utf-8")
    before = old.read_text("utf-8")
    refused = smos_contract("migrate", old, wrong)
    assert isinstance(refused.exception, ContractError)
    assert refused.exception.findings[0].file == str(wrong)
    assert old.read_text("utf-8") == before


def test_a_format_nobody_knows_is_a_mistake(spoiled: Spoil) -> None:
    path = spoiled("smos/v2", "smos/v9")
    assert [(finding.code, finding.line) for finding in lint([path])] == [("wrong_value", 1)]


def test_an_old_file_of_another_shape_is_refused_with_its_line(spoiled: Spoil) -> None:
    path = spoiled(text="apiVersion: smos/v1\nhandoffs: none\n")
    assert {finding.line for finding in lint([path]) if finding.code == "wrong_value"} == {2}


def test_every_step_begins_where_the_one_before_ends() -> None:
    assert all(one.after == other.before for one, other in pairwise(MIGRATIONS))
    assert MIGRATIONS[-1].after == CURRENT_FORMAT


def test_an_installation_with_old_contracts_starts(old: Path) -> None:
    assert set(load_contracts(old.parent).by_id) == {"shop", "second"}
