"""What a customer says of his own purchases, and the yes that lets a return be registered."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from smarteros.agents.dialogue import Understood
from smarteros.agents.entities import EntityExtractor
from smarteros.agents.gazetteer import base_gazetteer
from smarteros.agents.purchases import about_purchases, lost_the_paper
from smarteros.domain.decisions import DialogueState, Entities
from smarteros.domain.tools import InvoiceEntry

from .talk import Talk

OFFERED = DialogueState(intent="return_request", pending="return_offer", entities=Entities(invoice_number="000123"))
ASKED_FACT = DialogueState(
    intent="warranty_inquiry", pending="invoice_fact", entities=Entities(invoice_number="000123")
)
ASKED_PAPER = DialogueState(intent="return_request", pending="invoice_photo")
EXTRACTOR = EntityExtractor(base_gazetteer())


def understood(text: str, state: DialogueState | None = None) -> Understood | None:
    return about_purchases(EXTRACTOR.extract(text), state or DialogueState())


def called(text: str, state: DialogueState | None = None) -> tuple[str, dict[str, Any]] | None:
    found = understood(text, state)
    return None if found is None or found.action is None else (found.action.tool, found.action.params)


@pytest.mark.parametrize(
    "text",
    [
        "quiero ver mi historial de compras",
        "¿Qué he comprado yo con ustedes?",
        "me dices mis últimas compras?",
        "cuantas veces les he comprado",
        "mis boletas porfa",
        "show me my purchase history please",
        "What have I bought from you?",
        "can you send me my past invoices",
    ],
)
def test_who_asks_for_his_purchases_is_told_them(text: str) -> None:
    assert called(text) == ("odoo_customer_history", {})


@pytest.mark.parametrize(
    "text",
    [
        "mi compra no ha llegado",
        "quiero comprar zapatillas",
        "¿dónde está mi pedido 10234?",
        "mi boleta es la 0001",
        "qué compran los niños de 5 años",
        "perdí el bus, ¿hasta qué hora abren?",
        "how do I purchase a gift card",
    ],
)
def test_other_questions_are_not_about_the_history(text: str) -> None:
    assert understood(text) is None


@pytest.mark.parametrize("text", ["sí", "si por favor", "dale", "ya po", "yes please", "ok"])
def test_a_yes_to_the_offer_registers_the_return_of_that_invoice(text: str) -> None:
    params = {"kind": "return", "invoice_number": "000123", "confirmed": True}
    assert called(text, OFFERED) == ("odoo_create_ticket", params)


@pytest.mark.parametrize("text", ["sí", "dale", "yes"])
def test_a_yes_to_anything_else_registers_nothing(text: str) -> None:
    for pending in (None, "cart_offer", "invoice_photo", "invoice_fact"):
        assert called(text, OFFERED.model_copy(update={"pending": pending})) is None
    assert called(text, DialogueState(pending="return_offer")) is None


@pytest.mark.parametrize(
    "text", ["no", "no gracias", "mejor no lo devuelvo", "¿cuánto demora?", "sí, pero mañana te confirmo"]
)
def test_what_is_no_clear_yes_registers_nothing(text: str) -> None:
    assert called(text, OFFERED) is None


def test_a_second_fact_that_proved_a_claim_is_brought_along() -> None:
    state = OFFERED.model_copy(update={"entities": Entities(invoice_number="1", amount=39990, date="2025-10-15")})
    found = called("sí", state)
    assert found is not None
    assert (found[1]["total"], found[1]["purchase_date"]) == (39990, "2025-10-15")


@pytest.mark.parametrize("text", ["pagué 39.990", "fueron 39990", "$39.990", "el 15 de octubre de 2025", "15/10/2025"])
def test_the_day_or_the_total_that_was_asked_for_belongs_to_the_number(text: str) -> None:
    found = understood(text, ASKED_FACT)
    assert found is not None
    assert (found.intent, found.invoice_number) == ("warranty_inquiry", "000123")


@pytest.mark.parametrize("text", ["no la tengo", "la perdí", "no sé el número", "perdí la boleta", "I lost it"])
def test_who_was_asked_for_a_paper_he_has_not_sees_his_purchases(text: str) -> None:
    found = understood(text, ASKED_PAPER)
    assert found is not None
    assert found.intent == "return_request"
    assert called(text, ASKED_PAPER) == ("odoo_list_invoices_by_contact", {})


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("quiero devolver las zapatillas pero perdí la boleta", True),
        ("no tengo la boleta y quiero un cambio", True),
        ("I lost my receipt", True),
        ("tengo la boleta 4521", False),
        ("perdí la paciencia", False),
    ],
)
def test_a_lost_paper_is_recognised(text: str, lost: bool) -> None:
    assert lost_the_paper(EXTRACTOR.extract(text)) is lost


def test_the_agent_has_the_tools_called_and_takes_their_route(wordy_talk: Talk) -> None:
    history = wordy_talk.ask("¿qué he comprado con ustedes?")
    assert (history.intent, history.route) == ("order_status", "odoo_invoice_lookup")
    assert [action.tool for action in history.actions] == ["odoo_customer_history"]
    registered = wordy_talk.ask("sí", state=OFFERED)
    assert (registered.intent, registered.entities.invoice_number) == ("return_request", "000123")
    assert [action.tool for action in registered.actions] == ["odoo_create_ticket"]
    fact = wordy_talk.ask("pagué 39.990", state=ASKED_FACT)
    assert (fact.entities.invoice_number, fact.entities.amount) == ("000123", 39990)
    assert [action.params for action in fact.actions] == [{"invoice_number": "000123"}]


LISTED = ASKED_PAPER.model_copy(
    update={
        "invoices": tuple(
            InvoiceEntry(number=number, date=day, product_name=article, total_price=total, currency="CLP")
            for number, day, article, total in (
                ("BEL-3", date(2025, 10, 12), "Zapatilla Running Azul", 39990),
                ("BEL-2", date(2025, 8, 3), "Bota Trekking Aconcagua", 89990),
                ("BEL-1", date(2025, 3, 30), "Zapatilla Training Negro", 34990),
            )
        )
    }
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("la primera", "BEL-3"),
        ("la segunda po", "BEL-2"),
        ("la del 12 de octubre", "BEL-3"),
        ("es la del 3 de agosto", "BEL-2"),
        ("la de 89.990", "BEL-2"),
        ("la última", "BEL-3"),
        ("las botas", "BEL-2"),
        ("the third one", "BEL-1"),
    ],
)
def test_a_purchase_of_the_list_is_named_by_place_day_total_or_article(text: str, number: str) -> None:
    found = about_purchases(EXTRACTOR.extract(text, today=date(2025, 11, 1)), LISTED)
    assert found is not None
    assert (found.intent, found.invoice_number) == ("return_request", number)


@pytest.mark.parametrize("text", ["las zapatillas", "la quinta", "la del 1 de enero", "la de 5.000", "hola"])
def test_what_fits_none_of_the_list_or_several_picks_nothing(text: str) -> None:
    found = about_purchases(EXTRACTOR.extract(text, today=date(2025, 11, 1)), LISTED)
    assert found is None or found.invoice_number is None
