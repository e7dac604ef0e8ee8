"""What is made from contracts: the JSON Schema, the difference of two, and the page for people."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from smarteros.contracts.diff import diff
from smarteros.contracts.documentation import markdown
from smarteros.contracts.loader import load_contract
from smarteros.contracts.schema import SCHEMA_FILE, schema_is_fresh, schema_text

Spoil = Callable[..., Path]
FOLDER = Path(__file__).parents[3] / "contracts"


def test_the_schema_beside_the_contracts_is_that_of_the_models() -> None:
    assert schema_is_fresh(FOLDER / SCHEMA_FILE)


def test_the_schema_refuses_unknown_keys_and_explains_the_known_ones() -> None:
    schema = json.loads(schema_text())
    assert schema["additionalProperties"] is False
    assert "escalate" in schema["$defs"]["ReplyRule"]["description"]


def test_every_contract_names_the_schema_for_editors() -> None:
    for path in FOLDER.glob("*.yml"):
        assert path.read_text("utf-8").startswith(f"# yaml-language-server: $schema=./{SCHEMA_FILE}\n")


def test_layout_and_order_of_keys_make_no_difference(spoiled: Spoil) -> None:
    before = load_contract(spoiled())
    after = load_contract(spoiled("owner: ana\n", "", name="b.yml", text=_with_owner_last(spoiled())))
    assert diff(before, after) == []


def test_a_difference_is_named_by_what_it_belongs_to(spoiled: Spoil) -> None:
    before = load_contract(spoiled())
    after = load_contract(spoiled("threshold: 7000", "threshold: 6000", name="b.yml"))
    (change,) = diff(before, after)
    assert (change.kind, change.path) == ("changed", "alerts[slow].threshold")
    assert (change.before, change.after) == (7000, 6000)


def test_a_new_rule_is_one_thing_added_and_not_a_change_of_its_neighbours(spoiled: Spoil) -> None:
    rule = "reply:\n  - {route: shopify_sales, outcome: early, when: stale, text: {es: A, en: B}}"
    changes = diff(load_contract(spoiled()), load_contract(spoiled("reply:", rule, name="b.yml")))
    assert {change.kind for change in changes} == {"added"}
    assert all(change.path.startswith("reply[shopify_sales/early]") for change in changes)


def test_the_order_of_rules_is_meaning(spoiled: Spoil) -> None:
    first = "  - {route: shopify_sales, outcome: failed, when: tool_failed, text: {es: Uf, en: Oops}}\n"
    other = "  - {route: shopify_sales, outcome: stale, when: stale, text: {es: Uf, en: Oops}}\n"
    before = load_contract(spoiled(first, first + other))
    after = load_contract(spoiled(first, other + first, name="b.yml"))
    assert [(change.kind, change.path) for change in diff(before, after)] == [("moved", "reply")]


def test_the_page_tells_promises_texts_and_scenarios(spoiled: Spoil) -> None:
    page = markdown(load_contract(spoiled()))
    assert page.startswith("# shop 1.0.0\n")
    assert "- p95 latency: 5 s" in page
    assert "| failing | error_rate > 0.05 | page | email |" in page
    assert "When `tool_failed`." in page
    assert "- one (TENANT_DEMO): hola" in page


def _with_owner_last(path: Path) -> str:
    return path.read_text("utf-8") + "owner: ana\n"
