"""One test per kind of mistake: the linter names it, and the line it is on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from smarteros.contracts.checks import ROUTE_OF_TOOL
from smarteros.contracts.lint import lint
from smarteros.domain.tools import ToolName

Spoil = Callable[..., Path]

# old text, new text, code, words on the line that is named
SPOILED = {
    "yaml syntax": ("owner: ana", "owner: ana: luis", "yaml_syntax", "owner: ana: luis"),
    "duplicate key": ("owner: ana", "owner: ana\nowner: luis", "duplicate_key", "owner: luis"),
    "unknown key": ("  bot: sales", "  bot: sales\n  boot: x", "unknown_key", "boot: x"),
    "unknown key in a list": ("outcome: found,", "outcome: found, tone: kind,", "unknown_key", "tone: kind"),
    "missing key": ("owner: ana\n", "", "missing_key", "apiVersion"),
    "wrong type": ("timeout_ms: 2000", "timeout_ms: soon", "wrong_value", "soon"),
    "out of range": ("timeout_ms: 2000", "timeout_ms: 1", "wrong_value", "timeout_ms: 1"),
    "unknown intent": ("intents: [product_query,", "intents: [product_qery,", "wrong_value", "product_qery"),
    "unknown tool": ("  shopify_search_products:", "  shopify_serch:", "unknown_tool", "shopify_serch"),
    "no text when all conditions fail": (
        "outcome: found, text",
        "outcome: found, when: products, text",
        "missing_fallback",
        "outcome: found",
    ),
    "no text when the tool fails": (
        "when: tool_failed",
        "when: stale",
        "missing_fallback",
        "  shopify_search_products:",
    ),
    "intent without a reply": (
        "intents: [product_query,",
        "intents: [product_query, greeting,",
        "missing_fallback",
        "greeting",
    ),
    "secret of the tool not declared": (
        "\nsecrets: [shopify/admin_token]",
        "\nsecrets: []",
        "undeclared_secret",
        "    secrets:",
    ),
    "secret nobody has": (
        "\nsecrets: [shopify/admin_token]",
        "\nsecrets: [shopify/admin_token, shopify/pasword]",
        "unknown_secret",
        "pasword",
    ),
    "latency promise without alert": ("signal: latency_p95_ms", "signal: service_down", "slo_without_alert", "slo:"),
    "success promise without alert": ("signal: error_rate", "signal: service_down", "slo_without_alert", "slo:"),
    "alert on a share above one": ("threshold: 0.05", "threshold: 5", "alert_impossible", "threshold: 5"),
    "alert inside the promise": ("threshold: 0.05", "threshold: 0.01", "alert_impossible", "threshold: 0.01"),
    "alert before the promised latency": ("threshold: 7000", "threshold: 900", "alert_impossible", "threshold: 900"),
    "alert on half a message": (
        "signal: latency_p95_ms, threshold: 7000",
        "signal: consecutive_tool_timeouts, threshold: 0.5",
        "alert_impossible",
        "threshold: 0.5",
    ),
    "rule after an unconditional one": (
        "outcome: failed, when: tool_failed,",
        "outcome: failed,",
        "unreachable_rule",
        "outcome: found",
    ),
    "route no intent leads to": ("{route: fallback,", "{route: smalltalk,", "unreachable_route", "route: smalltalk"),
    "condition with bad syntax": ("when: tool_failed", "when: tool_failed and", "bad_expression", "tool_failed and"),
    "condition with an unknown name": ("when: tool_failed", "when: tool_faild", "bad_expression", "tool_faild"),
    "condition with an unknown field": (
        "when: tool_failed",
        "when: tool_failed and invoice.numbr",
        "bad_expression",
        "numbr",
    ),
    "condition with an impossible value": (
        "when: tool_failed",
        "when: tool_failed and intent == 'produc_query'",
        "bad_expression",
        "produc_query",
    ),
    "text with an unknown name": ("en: Hello", 'en: "{{ helo }}"', "bad_expression", "helo"),
    "text with an unknown field of a loop": (
        "en: Hello",
        'en: "{% for p in products %}{{ p.titel }}{% endfor %}"',
        "bad_expression",
        "titel",
    ),
    "text with a call": ("en: Hello", 'en: "{{ text.upper() }}"', "bad_expression", "upper"),
    "text that tells a raw lookup": ("en: Hello", 'en: "{{ lookup.invoice.number }}"', "bad_expression", "lookup"),
    "parameter with an unknown name": ("{query: text}", "{query: txt}", "bad_expression", "txt"),
    "hand-off to an unknown flow": (
        "\nslo:",
        "\nother_flows:\n  - {intent: greeting, flow: nowhere}\nslo:",
        "unknown_flow",
        "nowhere",
    ),
    "hand-off of an own intent": (
        "\nslo:",
        "\nother_flows:\n  - {intent: product_query, flow: shop}\nslo:",
        "bad_other_flow",
        "intent: product_query, flow",
    ),
    "examples of a foreign intent": (
        "  examples:\n    product_query",
        "  examples:\n    greeting",
        "foreign_intent",
        "greeting",
    ),
    "two rules of one name": ("outcome: failed", "outcome: found", "duplicate_name", "outcome: found, text"),
    "two scenarios of one name": (
        "scenarios:\n",
        "scenarios:\n  - {name: one, turns: [{say: a, expect: {}}]}\n",
        "duplicate_name",
        "- name: one",
    ),
    "scenario of an unknown flow": (
        "expect: {route",
        "expect: {flow: nowhere, route",
        "impossible_expectation",
        "nowhere",
    ),
    "scenario of an intent nobody answers": (
        "expect: {route: shopify_sales}",
        "expect: {intent: greeting}",
        "impossible_expectation",
        "greeting",
    ),
    "scenario of a route without texts": (
        "expect: {route: shopify_sales}",
        "expect: {route: smalltalk}",
        "impossible_expectation",
        "smalltalk",
    ),
    "scenario with a bad comparison": (
        "expect: {route: shopify_sales}",
        "expect: {confidence: about 0.9}",
        "wrong_value",
        "about 0.9",
    ),
}


@pytest.mark.parametrize("mistake", SPOILED)
def test_a_mistake_is_named_with_its_line(mistake: str, spoiled: Spoil) -> None:
    old, new, code, on_line = SPOILED[mistake]
    path = spoiled(old, new)
    lines = path.read_text("utf-8").splitlines()
    found = [(finding.code, on_line in lines[finding.line - 1]) for finding in lint([path])]
    assert (code, True) in found


def test_the_linter_knows_every_tool_there_is() -> None:
    assert set(ROUTE_OF_TOOL) == set(get_args(ToolName))


def test_a_sound_contract_has_no_findings(spoiled: Spoil) -> None:
    assert lint([spoiled()]) == []


def test_all_mistakes_of_a_file_are_told_in_order_of_their_lines(spoiled: Spoil, sound: str) -> None:
    text = sound.replace("bot: sales", "bot: selling").replace("timeout_ms: 2000", "timeout_ms: soon")
    findings = lint([spoiled(text=text)])
    assert [finding.code for finding in findings] == ["wrong_value", "wrong_value"]
    assert findings[0].line < findings[1].line


def test_a_wrong_item_is_not_told_again_as_a_list_that_is_too_short(spoiled: Spoil) -> None:
    findings = lint([spoiled("expect: {route: shopify_sales}", "expect: {rute: x}")])
    assert [finding.code for finding in findings] == ["unknown_key"]


def test_two_contracts_must_not_share_id_intents_or_attachments(spoiled: Spoil, sound: str) -> None:
    text = sound.replace("  intents:", "  attachments: [image]\n  intents:")
    first = spoiled(text=text, name="a.yml")
    second = spoiled(text=text, name="b.yml")
    findings = lint([first.parent])
    assert {finding.file for finding in findings} == {str(second)}
    assert [finding.code for finding in findings] == [
        "duplicate_flow",
        "intent_owned_twice",
        "intent_owned_twice",
        "intent_owned_twice",
    ]


def test_a_hand_off_in_a_circle_is_found(spoiled: Spoil, sound: str) -> None:
    others = "\nother_flows:\n  - {intent: greeting, flow: OTHER}\nslo:"
    spoiled(text=sound.replace("\nslo:", others.replace("OTHER", "second")), name="a.yml")
    other = sound.replace("flow_id: shop", "flow_id: second").replace("\nslo:", others.replace("OTHER", "shop"))
    path = spoiled(text=other, name="b.yml")
    codes = {finding.code for finding in lint([path])}
    assert "flow_cycle" in codes


def test_a_hand_off_to_a_flow_that_does_not_answer_is_found(spoiled: Spoil, sound: str) -> None:
    spoiled(text=sound.replace("\nslo:", "\nother_flows:\n  - {intent: greeting, flow: second}\nslo:"), name="a.yml")
    other = sound.replace("flow_id: shop", "flow_id: second")
    folder = spoiled(text=other, name="b.yml").parent
    assert "bad_other_flow" in {finding.code for finding in lint([folder / "a.yml"])}


def test_a_single_file_is_seen_with_its_neighbours_but_only_its_own_mistakes_are_told(
    spoiled: Spoil, sound: str
) -> None:
    spoiled("bot: sales", "bot: selling", name="broken.yml")
    assert lint([spoiled(name="sound.yml")]) == []


def test_a_folder_without_contracts_is_a_finding(tmp_path: Path) -> None:
    assert [finding.code for finding in lint([tmp_path])] == ["no_contract"]


def test_a_schema_that_is_not_that_of_the_models_is_found(spoiled: Spoil) -> None:
    path = spoiled()
    (path.parent / "contract.schema.json").write_text("{}")
    assert [finding.code for finding in lint([path])] == ["stale_schema"]
