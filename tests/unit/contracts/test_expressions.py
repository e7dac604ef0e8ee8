"""Conditions and texts of a contract."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from smarteros.contracts.expressions import MAX_OUTPUT_CHARS, ReplyContext, holds, render, value_of
from smarteros.domain.decisions import Entities
from smarteros.domain.errors import ConfigError, PermanentError
from smarteros.domain.tools import Invoice, InvoiceLookup, Product

MakeContext = Callable[..., ReplyContext]

RUNNING = Product(
    id="gid://shopify/Product/1", title="Zapatilla Running Azul", variant="Talla 42", price=39990, stock=5,
    url="https://tienda-demo.myshopify.com/products/zapatilla-running-azul-42",
)  # fmt: skip
INVOICE = Invoice(
    number="INV-2025-001", date=date(2025, 10, 15), customer_name="María González", product_name="Zapatilla",
    price=39990, warranty_expiration=date(2026, 1, 13), warranty_status="active",
    legal_guarantee_until=date(2026, 4, 15), return_eligible=True, return_deadline=date(2025, 11, 14),
)  # fmt: skip


def test_a_condition_sees_the_facts_of_the_turn(context: MakeContext) -> None:
    facts = context(products=(RUNNING,), stale=True)
    assert holds("products and stale and intent == 'product_query'", facts)
    assert not holds("products|length > 1", facts)


def test_a_rule_without_condition_always_holds(context: MakeContext) -> None:
    assert holds(None, context())


def test_a_text_lists_products_with_their_links(context: MakeContext) -> None:
    text = "{% for p in products %}\n{{ loop.index }}) {{ p.title }} — {{ p.price }} {{ p.currency }}\n{% endfor %}\n"
    assert render(text, context(products=(RUNNING,))) == "1) Zapatilla Running Azul — 39990 CLP"


def test_pesos_and_dates_are_written_as_people_say_them(context: MakeContext) -> None:
    facts = context(lookup=InvoiceLookup(found=True, invoice=INVOICE, identity_verified=True))
    assert render("{{ invoice.price|clp }}", facts) == "$39.990"
    assert render("{{ invoice.warranty_expiration|date_words(language) }}", facts) == "13 de enero de 2026"
    assert render("{{ invoice.warranty_expiration|date_words('en') }}", facts) == "January 13, 2026"


def test_what_a_customer_writes_is_never_a_template(context: MakeContext) -> None:
    facts = context(text="{{ 7 * 7 }}{% for x in y %}", entities=Entities(category="{{ tenant_name }}"))
    assert render("{{ text }} {{ entities.category }}", facts) == "{{ 7 * 7 }}{% for x in y %} {{ tenant_name }}"


def test_the_invoice_does_not_exist_while_the_asker_is_not_verified(context: MakeContext) -> None:
    facts = context(lookup=InvoiceLookup(found=True, invoice=INVOICE, identity_verified=False))
    assert holds("lookup.found and invoice is none and customer_history is none", facts)


def test_a_text_cannot_reach_the_raw_lookup(context: MakeContext) -> None:
    facts = context(lookup=InvoiceLookup(found=True, invoice=INVOICE, identity_verified=False))
    with pytest.raises(ConfigError):
        render("{{ lookup.invoice.customer_name }}", facts)


def test_a_parameter_is_a_value_and_may_be_left_out(context: MakeContext) -> None:
    facts = context(entities=Entities(category="zapatillas"))
    assert value_of("entities.category", facts) == "zapatillas"
    assert value_of("entities.size", facts) is None
    assert value_of("5", facts) == 5


@pytest.mark.parametrize(
    "expression",
    [
        "text.__class__",
        "text['__class__']",
        "text.upper()",
        "entities.model_dump",
        "entities.model_config",
        "entities.model_extra",
        "entities.model_fields_set",
        "products.__len__",
        "range(9)",
        "9 ** 9",
        "'x' * 999999999",
        "text|center(999999999)",
        "text|attr('__class__')",
        "cycler",
        "self",
        "text }}{{ text",
    ],
)
def test_a_condition_cannot_leave_its_fence(expression: str, context: MakeContext) -> None:
    with pytest.raises(ConfigError):
        value_of(expression, context())


@pytest.mark.parametrize(
    "text",
    [
        "{% include 'secrets' %}",
        "{% import 'os' as os %}",
        "{% macro f() %}{% endmacro %}",
        "{% extends 'base' %}",
        "{% for a in text %}{% for b in text %}x{% endfor %}{% endfor %}",
        "{% for a in text recursive %}x{% endfor %}",
        "{{ unknown_name }}",
        "{{ text",
    ],
)
def test_a_text_cannot_leave_its_fence(text: str, context: MakeContext) -> None:
    with pytest.raises(ConfigError):
        render(text, context(text="abc"))


def test_a_missing_fact_is_an_error_and_not_the_word_none(context: MakeContext) -> None:
    with pytest.raises(ConfigError, match="missing"):
        render("hasta el {{ lead_in }}", context())


def test_a_condition_on_a_fact_that_is_not_there_is_an_error(context: MakeContext) -> None:
    with pytest.raises(ConfigError):
        holds("invoice.return_eligible", context())


def test_a_reply_that_is_too_long_goes_to_a_person_instead_of_being_cut(context: MakeContext) -> None:
    with pytest.raises(PermanentError):
        render("{% for x in text %}{{ text }}{% endfor %}", context(text="a" * 500))
    assert len(render("{{ text }}", context(text="a" * MAX_OUTPUT_CHARS))) == MAX_OUTPUT_CHARS
