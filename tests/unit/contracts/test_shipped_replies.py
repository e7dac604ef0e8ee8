"""The words of the project's contracts, for the turns the sheets tell of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.contracts.shipped import (
    CASES,
    HISTORY,
    PHOTO,
    POLICY,
    PURCHASES,
    RUNNING,
    TRAINING,
    lookup,
    reply,
)

from smarteros.contracts.expressions import ReplyContext, render
from smarteros.contracts.loader import ContractSet, reply_rule
from smarteros.domain.decisions import Entities
from smarteros.domain.knowledge import Policy
from smarteros.domain.tools import CustomerPurchases, InvoiceLookup
from smarteros.domain.warranty import warranty_terms
from smarteros.kit.words import date_in_words

MakeContext = Callable[..., ReplyContext]


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_doubtful_document_is_handed_over_without_an_accusation(
    language: str, contracts: ContractSet, case: MakeContext
) -> None:
    facts = case(language=language, **CASES["e2e_ocr_support", "odoo_invoice_lookup/document_review"])
    text = reply(contracts, facts)

    assert reply_rule(contracts.get("e2e_ocr_support"), facts).escalate
    accusing = (
        "fraud",
        "fals",
        "alter",
        "adulter",
        "sospech",
        "suspic",
        "fake",
        "FRMT",
        "timbre",
        "INV-2025",
        "ilegal",
    )
    assert not [word for word in accusing if word.casefold() in text.casefold()]
    if language == "es":
        assert text.startswith("Necesito que una persona de nuestro equipo revise tu boleta.")


@given(bought=st.dates(date(2022, 1, 1), date(2030, 12, 31)), after=st.integers(0, 400), warranty=st.integers(0, 400))
def test_whatever_the_shops_policy_the_legal_guarantee_is_never_denied(
    contracts: ContractSet, bought: date, after: int, warranty: int
) -> None:
    today = date.fromordinal(bought.toordinal() + after)
    terms = warranty_terms(bought, today, warranty_days=warranty, return_days=10)
    found = lookup(date(2025, 10, 15)).invoice
    assert found is not None
    invoice = found.model_copy(update={"date": bought, **terms.model_dump()})
    for language in ("es", "en"):
        facts = ReplyContext(
            tenant_name="Tienda",
            today=today,
            language=language,
            intent="warranty_inquiry",
            route="odoo_invoice_lookup",
            confidence=0.97,
            lookup=InvoiceLookup(found=True, invoice=invoice, identity_verified=True),
            policy=POLICY,
        )
        text = reply(contracts, facts)
        if today <= terms.legal_guarantee_until:
            assert "garantía expiró" not in text
            assert "warranty expired" not in text
        if terms.warranty_status == "expired" and today <= terms.legal_guarantee_until:
            assert date_in_words(terms.legal_guarantee_until, language) in text


def test_products_are_listed_as_the_sheet_says(contracts: ContractSet, case: MakeContext) -> None:
    facts = case(
        intent="product_query", products=(RUNNING, TRAINING), lead_in="Claro, te busco zapatillas en talla 42..."
    )
    assert reply(contracts, facts) == (
        "Claro, te busco zapatillas en talla 42...\n"
        "\n"
        "1) Zapatilla Running Azul — 39990 CLP\n"
        "   Link: https://tienda-demo.myshopify.com/products/zapatilla-running-azul-42\n"
        "2) Zapatilla Training Negro — 34990 CLP\n"
        "   Link: https://tienda-demo.myshopify.com/products/zapatilla-training-negro\n"
        "\n"
        "¿Quieres que te prepare el carrito de compra?"
    )


@pytest.mark.parametrize(
    ("entities", "text"),
    [
        ({"category": "zapatillas", "size": "99"}, "No encontré zapatillas en talla 99. ¿Te interesa otra talla?"),
        (
            {"category": "botas", "color": "rojo", "price_max": 40000},
            "No encontré botas color rojo hasta $40.000. ¿Quieres que busque otra cosa?",
        ),
        ({}, "No encontré productos. ¿Quieres que busque otra cosa?"),
    ],
)
def test_what_was_not_found_is_said_in_the_customers_terms(
    entities: dict[str, Any], text: str, contracts: ContractSet, case: MakeContext
) -> None:
    facts = case(intent="product_query", entities=Entities(**entities))
    assert reply(contracts, facts) == text


def test_purchases_are_told_in_words_and_counted(contracts: ContractSet, case: MakeContext) -> None:
    rule = next(r for r in contracts.get("e2e_ocr_support").reply if r.outcome == "purchases_told")
    assert render(rule.text.es, case(**HISTORY, purchases=PURCHASES)) == (
        "Encontré 2 compras tuyas y 1 devolución. Las últimas:\n"
        "• 15 de octubre de 2025: Zapatilla Running Azul, 39990 CLP (INV-2025-001)\n"
        "• 1 de enero de 2024: 29990 CLP (FAC 000123)\n"
        "\n"
        "Si necesitas garantía o devolución de alguna, escríbeme su número."
    )


def test_whether_a_name_is_a_customers_is_not_told(contracts: ContractSet, case: MakeContext) -> None:
    answers = {
        reply(contracts, case(**HISTORY, purchases=CustomerPurchases(identity=identity)))
        for identity in ("claimed", "unknown")
    }
    assert len(answers) == 1


def test_the_warranty_reply_is_that_of_the_sheet(contracts: ContractSet, case: MakeContext) -> None:
    text = reply(contracts, case(**PHOTO, lookup=lookup()))
    assert text.startswith("Tu compra tiene garantía de 90 días hasta el 13 de enero de 2026.\n\n📋 **Detalles de tu")
    assert "✅ Puedes hacer devolución gratuita hasta el 14 de noviembre de 2025." in text
    assert text.endswith("¿Qué problema tiene tu Zapatilla Running Azul?")


def test_a_shop_without_published_figures_states_none(contracts: ContractSet, case: MakeContext) -> None:
    text = reply(contracts, case(**(PHOTO | {"policy": Policy()}), lookup=lookup()))
    assert "Tu compra tiene garantía hasta el 13 de enero de 2026." in text
    assert "hábiles" not in text


@pytest.mark.parametrize("day", [date(2026, 1, 14), date(2026, 4, 15)])
def test_the_legal_guarantee_is_never_denied_within_six_months(
    day: date, contracts: ContractSet, case: MakeContext
) -> None:
    facts = case(**PHOTO, today=day, lookup=lookup(today=day))
    assert "garantía legal de seis meses sigue vigente hasta el 15 de abril de 2026" in reply(contracts, facts)
    assert reply_rule(contracts.get("e2e_ocr_support"), facts).escalate


def test_after_six_months_the_warranty_has_expired(contracts: ContractSet, case: MakeContext) -> None:
    day = date(2026, 4, 16)
    text = reply(contracts, case(**PHOTO, today=day, lookup=lookup(today=day)))
    assert text.startswith("Tu garantía expiró el 13 de enero de 2026.")


def test_ninety_days_from_new_year_of_a_leap_year_end_in_march(contracts: ContractSet, case: MakeContext) -> None:
    text = reply(contracts, case(**PHOTO, lookup=lookup(date(2024, 1, 1))))
    assert text.startswith("Tu garantía expiró el 31 de marzo de 2024.")
