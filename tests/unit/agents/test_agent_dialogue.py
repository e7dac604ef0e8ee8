"""What messages mean because of what was said before."""

from __future__ import annotations

import pytest
from tests.unit.agents.talk import AFTER_A_LIST, BLACK, RED, Talk

from smarteros.domain.decisions import Action, DialogueState, Entities


def bought(actions: tuple[Action, ...]) -> list[tuple[str, int]]:
    (action,) = actions
    assert action.tool == "shopify_create_cart"
    return [(line["variant_id"], line["quantity"]) for line in action.params["lines"]]


@pytest.mark.parametrize("text", ["sí", "Sí!", "dale", "ya po", "ok", "bueno ya", "claro que sí", "yes please", "👍"])
def test_a_yes_to_the_offer_prepares_the_cart_of_the_first_product(talk: Talk, text: str):
    decision = talk.ask(text, state=AFTER_A_LIST)
    assert (decision.intent, decision.route) == ("cart_request", "shopify_sales")
    assert decision.confidence > 0.90
    assert bought(decision.actions) == [(RED.variant_id, 1)]


@pytest.mark.parametrize(
    "text",
    [
        "el segundo",
        "la opción 2",
        "quiero el negro",
        "sí, el negro",
        "el de ruta",
        "2",
        "el de 49990",
        "the second one",
    ],
)
def test_the_product_is_chosen_by_place_colour_name_or_price(talk: Talk, text: str):
    assert bought(talk.ask(text, state=AFTER_A_LIST).actions) == [(BLACK.variant_id, 1)]


def test_both_products_and_a_quantity_can_be_asked_for(talk: Talk):
    assert bought(talk.ask("los dos", state=AFTER_A_LIST).actions) == [(RED.variant_id, 1), (BLACK.variant_id, 1)]
    assert bought(talk.ask("quiero 3 del segundo", state=AFTER_A_LIST).actions) == [(BLACK.variant_id, 3)]


@pytest.mark.parametrize("text", ["quiero el tercero", "la cuarta", "the third one please"])
def test_a_place_the_list_does_not_have_buys_nothing(talk: Talk, text: str):
    decision = talk.ask(text, state=AFTER_A_LIST)
    assert [action.tool for action in decision.actions if action.tool == "shopify_create_cart"] == []


@pytest.mark.parametrize("text", ["no", "no gracias", "por ahora no, gracias", "no thanks", "lo voy a pensar"])
def test_a_no_to_the_offer_ends_politely(talk: Talk, text: str):
    decision = talk.ask(text, state=AFTER_A_LIST)
    assert (decision.intent, decision.actions) == ("thanks_goodbye", ())


def test_a_yes_without_an_offer_is_not_a_purchase(talk: Talk):
    decision = talk.ask("sí")
    assert decision.intent == "ambiguous"
    assert decision.actions == ()


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("¿y en 43?", {"query": "zapatillas talla 43", "size": "43", "limit": 5}),
        ("no, en azul", {"query": "zapatillas azul talla 42", "size": "42", "color": "azul", "limit": 5}),
        ("¿tienen en verde?", {"query": "zapatillas verde talla 42", "size": "42", "color": "verde", "limit": 5}),
        ("¿y botas?", {"query": "botas", "limit": 5}),
    ],
)
def test_a_short_correction_changes_the_earlier_search(talk: Talk, text: str, params: dict[str, object]):
    decision = talk.ask(text, state=AFTER_A_LIST)
    assert decision.intent == "product_query"
    assert decision.confidence >= 0.80
    assert [(action.tool, action.params) for action in decision.actions] == [("shopify_search_products", params)]


def test_another_question_after_a_list_is_answered_on_its_own(talk: Talk):
    decision = talk.ask("¿hasta qué hora atienden?", state=AFTER_A_LIST)
    assert decision.intent == "faq_hours"
    assert decision.entities == Entities()


@pytest.mark.parametrize("text", ["es la INV-2025-007", "INV-2025-007", "inv 2025 007"])
def test_an_invoice_number_after_the_bot_asked_for_it_is_looked_up(talk: Talk, text: str):
    state = DialogueState(intent="return_request", pending="invoice_photo")
    decision = talk.ask(text, state=state)
    assert decision.intent == "return_request"
    assert [(a.tool, a.params) for a in decision.actions] == [("odoo_find_invoice", {"invoice_number": "INV-2025-007"})]


def test_a_bare_folio_counts_as_an_invoice_only_when_it_was_asked_for(talk: Talk):
    asked = DialogueState(intent="warranty_inquiry", pending="invoice_photo")
    assert talk.ask("4521", state=asked).entities.invoice_number == "4521"
    assert talk.ask("4521").entities.invoice_number is None


def test_a_continued_question_keeps_its_subject(talk: Talk):
    earlier = DialogueState(flow_id="e2e_faq_quick", intent="faq_shipping")
    decision = talk.ask("¿y a Valdivia?", state=earlier)
    assert decision.intent == "faq_shipping"
    assert decision.confidence >= 0.80


def test_a_question_on_another_subject_leaves_the_earlier_one(talk: Talk):
    earlier = DialogueState(flow_id="e2e_faq_quick", intent="faq_hours")
    decision = talk.ask("¿y la ubicación?", state=earlier, history=("¿qué horario tienen?",), route_hint="faq")
    assert decision.intent == "faq_address"
    assert decision.confidence > 0.90


def test_a_hint_of_the_router_does_not_make_nonsense_a_question(talk: Talk):
    assert talk.ask("¿Cómo?", route_hint="faq").confidence < 0.80


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("hola\nuna consulta\n¿en qué calle están?", "faq_address"),
        ("buenas tardes\ntengo una duda\ncuánto cobran por el despacho", "faq_shipping"),
        ("hola\nsandalias?", "product_query"),
        ("hello, quick question\nwhat time do you close?", "faq_hours"),
    ],
)
def test_an_opening_does_not_hide_the_question_behind_it(talk: Talk, text: str, intent: str):
    assert talk.ask(text).intent == intent


@pytest.mark.parametrize("text", ["hola", "hola, buenas tardes", "buenas\nuna pregunta", "hola cómo están"])
def test_an_opening_without_a_question_is_a_greeting(talk: Talk, text: str):
    assert talk.ask(text).intent == "greeting"
