"""Loading contracts for use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from smarteros.contracts.expressions import ReplyContext
from smarteros.contracts.findings import ContractError
from smarteros.contracts.loader import load_contract, load_contracts, reply_rule
from smarteros.domain.errors import ConfigError

Spoil = Callable[..., Path]
MakeContext = Callable[..., ReplyContext]


def test_flows_are_found_by_intent_attachment_route_and_id(spoiled: Spoil, sound: str) -> None:
    first = spoiled(text=sound)
    text = sound.replace("flow_id: shop", "flow_id: talk").replace("[product_query, out_of_scope]", "[greeting]")
    text = text.replace("product_query: [busco", "greeting: [hola").replace(
        "  intents", "  attachments: [pdf]\n  intents"
    )
    text = text.replace("tools:\n  shopify_search_products:", "tools: {}\n").replace("    params: {query: text}\n", "")
    text = text.replace("    timeout_ms: 2000\n    secrets: [shopify/admin_token]\n", "")
    start, end = text.index("reply:"), text.index("slo:")
    text = text[:start] + "reply:\n  - {route: smalltalk, outcome: hi, text: {es: Hola, en: Hi}}\n" + text[end:]
    spoiled(text=text.replace("route: shopify_sales", "route: smalltalk"), name="talk.yml")

    contracts = load_contracts(first.parent)

    assert contracts.flow_for_intent("greeting").flow_id == "talk"
    assert contracts.flow_for_intent("product_query").flow_id == "shop"
    assert contracts.flow_for_intent("faq_hours").flow_id == contracts.default_flow.flow_id == "shop"
    attached = contracts.flow_for_attachment("pdf")
    assert attached is not None
    assert attached.flow_id == "talk"
    assert contracts.flow_for_attachment("image") is None
    assert contracts.flow_for_route("smalltalk").flow_id == "talk"
    assert contracts.get("shop").owner == "ana"


def test_an_unknown_flow_or_route_is_a_mistake_of_the_operator(spoiled: Spoil) -> None:
    contracts = load_contracts(spoiled().parent)
    with pytest.raises(ConfigError):
        contracts.get("nothing")
    with pytest.raises(ConfigError):
        contracts.flow_for_route("kb_direct")


def test_one_mistake_stops_the_whole_start_with_file_and_line(spoiled: Spoil) -> None:
    path = spoiled("timeout_ms: 2000", "timeout_ms: soon")
    with pytest.raises(ContractError, match=rf"{path}:18: wrong_value"):
        load_contracts(path.parent)
    with pytest.raises(ContractError):
        load_contract(path)


def test_a_contract_with_a_bad_text_is_not_loaded(spoiled: Spoil) -> None:
    with pytest.raises(ContractError, match="bad_expression"):
        load_contract(spoiled("en: Hello", 'en: "{{ helo }}"'))


def test_somebody_must_answer_what_nobody_else_does(spoiled: Spoil, sound: str) -> None:
    text = sound.replace(", out_of_scope]", "]").replace(
        '  - {route: fallback, outcome: unknown, text: {es: No, en: "No"}}\n', ""
    )
    with pytest.raises(ContractError, match="no_default_flow"):
        load_contracts(spoiled(text=text).parent)


def test_an_empty_folder_is_no_installation(tmp_path: Path) -> None:
    with pytest.raises(ContractError):
        load_contracts(tmp_path)


def test_the_first_rule_that_holds_is_used(spoiled: Spoil, context: MakeContext) -> None:
    contract = load_contract(spoiled())
    assert reply_rule(contract, context(tool_failed=True)).outcome == "failed"
    assert reply_rule(contract, context()).outcome == "found"
    with pytest.raises(ConfigError):
        reply_rule(contract, context(route="kb_direct"))
