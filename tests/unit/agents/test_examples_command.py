"""``smos agent examples`` and ``smos agent models``: what a tenant teaches by hand, in a real database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.agents.diary import Diary
from typer.testing import CliRunner, Result

from smarteros.cli.agent import app
from smarteros.domain.errors import RejectedInputError

CART = ("pásalo por la huincha", "ya po, a la huincha con eso", "échalo a la huincha")


def run(shop: Diary, *options: str) -> Result:
    return CliRunner().invoke(app, [*options, "--tenant", shop.tenant.tenant_id])


def listed(shop: Diary) -> list[dict[str, Any]]:
    return json.loads(run(shop, "examples", "list", "--json").stdout)


def test_what_is_added_is_in_the_next_decision(shop: Diary):
    before = shop.ask("pásame esto por la huincha")
    result = run(shop, "examples", "add", *CART, "--intent", "cart_request", "--note", "así dicen acá")
    after = shop.ask("pásame esto por la huincha")
    assert result.exit_code == 0
    assert "version 1" in result.stdout
    assert "así dicen acá" in result.stdout
    assert before.intent != "cart_request" or before.confidence < 0.7
    assert (after.intent, after.confidence > 0.7) == ("cart_request", True)


def test_examples_are_listed_by_their_intent(shop: Diary):
    run(shop, "examples", "add", *CART, "--intent", "cart_request")
    assert listed(shop) == [{"text": text, "intent": "cart_request"} for text in CART]
    assert run(shop, "examples", "list").stdout.splitlines()[0] == f"cart_request\t{CART[0]}"


def test_an_example_is_removed_by_its_words(shop: Diary):
    run(shop, "examples", "add", *CART, "--intent", "cart_request")
    run(shop, "examples", "remove", CART[1].upper())
    assert [example["text"] for example in listed(shop)] == [CART[0], CART[2]]
    result = run(shop, "examples", "remove", "nunca dicho")
    assert isinstance(result.exception, RejectedInputError)


def test_files_of_both_kinds_are_imported(shop: Diary, tmp_path: Path):
    lines, table = tmp_path / "examples.jsonl", tmp_path / "examples.yml"
    lines.write_text('{"text": "pásalo por la huincha", "intent": "cart_request"}\n\n', "utf-8")
    table.write_text("cart_request:\n  - échalo a la huincha\n", "utf-8")
    assert run(shop, "examples", "import", str(lines), str(table)).exit_code == 0
    assert {example["text"] for example in listed(shop)} == {CART[0], CART[2]}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.jsonl", '{"text": "a", "intent": "cart_request"}\n{"text": "b"}', "line 2: intent"),
        ("a.jsonl", "[" * 100_000, "line 1: n"),
        ("a.jsonl", '{"text": "\\ud800", "intent": "greeting"}', "line 1: text"),
        ("a.yml", "- no mapping", "not a mapping"),
        ("a.yml", "nonsense:\n  - hola", "nonsense: intent"),
        ("a.yml", "a: [", "a.yml"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_whole(shop: Diary, tmp_path: Path, name: str, content: str, reason: str):
    path = tmp_path / name
    path.write_text(content, "utf-8")
    result = run(shop, "examples", "import", str(path))
    assert isinstance(result.exception, RejectedInputError)
    assert reason in str(result.exception)
    assert listed(shop) == []


def test_nothing_to_add_and_no_intent_are_said(shop: Diary):
    assert "Nothing to add" in str(run(shop, "examples", "add", "--intent", "greeting").exception)
    assert "--intent" in str(run(shop, "examples", "add", "hola").exception)


def test_versions_are_listed_newest_first_and_one_can_go_back(shop: Diary):
    for text in CART:
        run(shop, "examples", "add", text, "--intent", "cart_request")
    versions = json.loads(run(shop, "models", "list", "--json").stdout)
    assert [(v["version"], v["active"], v["examples"]) for v in versions] == [
        (3, True, 3),
        (2, False, 2),
        (1, False, 1),
    ]
    run(shop, "models", "rollback", "--to", "1")
    assert [example["text"] for example in listed(shop)] == [CART[0]]
    assert "* version 1" in run(shop, "models", "list").stdout
    result = run(shop, "models", "rollback", "--to", "9")
    assert isinstance(result.exception, RejectedInputError)
