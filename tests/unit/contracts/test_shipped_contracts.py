"""The three contracts of the project: every rule is reached by some turn, and writes its text in both languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.contracts.shipped import (
    BLURRED,
    CASES,
    CLEAR,
    FOLDER,
)

from smarteros.contracts.expressions import ReplyContext, render, value_of
from smarteros.contracts.lint import lint
from smarteros.contracts.loader import ContractSet, escalation_rule, reply_rule
from smarteros.domain.decisions import ROUTE_OF_INTENT, Entities

MakeContext = Callable[..., ReplyContext]


def test_the_contracts_have_no_mistakes() -> None:
    assert lint([FOLDER]) == []


def test_every_rule_has_a_case_here(contracts: ContractSet) -> None:
    rules = {(flow, f"{rule.route}/{rule.outcome}") for flow, each in contracts.by_id.items() for rule in each.reply}
    assert rules == set(CASES)


@pytest.mark.parametrize(("flow", "rule"), CASES)
@pytest.mark.parametrize("language", ["es", "en"])
def test_every_rule_is_reached_and_writes_its_text(
    flow: str, rule: str, language: str, contracts: ContractSet, case: MakeContext
) -> None:
    facts = case(language=language, **CASES[flow, rule])
    chosen = reply_rule(contracts.get(flow), facts)
    assert f"{chosen.route}/{chosen.outcome}" == rule
    text = render(chosen.text.en if language == "en" else chosen.text.es, facts)
    assert text
    assert "None" not in text
    assert "\n\n\n" not in text


def test_every_intent_belongs_to_one_flow(contracts: ContractSet) -> None:
    owners = {intent: contracts.flow_for_intent(intent).flow_id for intent in ROUTE_OF_INTENT}
    assert owners["cart_request"] == "e2e_shopify_sales"
    assert owners["order_status"] == "e2e_ocr_support"
    assert owners["complaint"] == owners["ambiguous"] == "e2e_faq_quick"
    assert sum(len(contract.entry.intents) for contract in contracts.by_id.values()) == len(ROUTE_OF_INTENT)


def test_every_intent_has_examples_in_both_languages(contracts: ContractSet) -> None:
    for contract in contracts.by_id.values():
        for intent in contract.entry.intents:
            assert len(contract.agent.examples[intent]) >= 10, intent


def test_nothing_is_registered_without_the_customers_yes(contracts: ContractSet) -> None:
    assert contracts.get("e2e_ocr_support").tools["odoo_create_ticket"].answers == "return_offer"


@pytest.mark.parametrize("flow", ["e2e_shopify_sales", "e2e_ocr_support", "e2e_faq_quick"])
def test_frustration_brings_a_person_in_every_flow(flow: str, contracts: ContractSet, case: MakeContext) -> None:
    rules = contracts.get(flow).escalation
    assert escalation_rule(rules, case(intent="product_query")) is None
    rule = escalation_rule(rules, case(intent="product_query", frustrated=True))
    assert rule is not None
    assert set(rule.notify) == {"slack", "email"}


@pytest.mark.parametrize(
    ("entities", "query"),
    [
        (Entities(category="zapatillas", size="42"), "zapatillas talla 42"),
        (Entities(category="polera", color="negro"), "polera negro"),
        (Entities(), "algo lindo"),
    ],
)
def test_the_search_words_are_made_of_the_entities(
    entities: Entities, query: str, contracts: ContractSet, case: MakeContext
) -> None:
    tool = contracts.get("e2e_shopify_sales").tools["shopify_search_products"]
    facts = case(intent="product_query", entities=entities, text="algo lindo")
    assert value_of(tool.params["query"], facts) == query
    assert value_of(tool.params["limit"], facts) == 5


@pytest.mark.parametrize(
    ("facts", "number"),
    [
        ({"photo": True, "reading": CLEAR}, "INV-2025-001"),
        ({"photo": True, "reading": BLURRED}, None),
        ({"entities": Entities(invoice_number="INV-7")}, "INV-7"),
        ({}, None),
    ],
)
def test_the_invoice_number_comes_from_a_photo_that_was_read_well_or_from_the_text(
    facts: dict[str, Any], number: str | None, contracts: ContractSet, case: MakeContext
) -> None:
    tool = contracts.get("e2e_ocr_support").tools["odoo_find_invoice"]
    assert value_of(tool.params["invoice_number"], case(intent="warranty_inquiry", **facts)) == number
