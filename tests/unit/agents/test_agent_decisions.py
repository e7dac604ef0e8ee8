"""What is decided: actions, the words of passages, lead-ins, language and mood."""

from __future__ import annotations

import pytest
from tests.unit.agents.talk import TEXTS, Talk

from smarteros.domain.decisions import DialogueState, Language, OcrEntities


def test_a_product_question_becomes_a_search_with_what_it_names(talk: Talk):
    decision = talk.ask("Holi, ando buscando botas negras talla 39 por menos de 60 lucas porfa")
    assert (decision.intent, decision.route) == ("product_query", "shopify_sales")
    (action,) = decision.actions
    assert action.type == "CALL_MCP"
    assert action.tool == "shopify_search_products"
    assert action.params == {
        "query": "botas negro talla 39",
        "size": "39",
        "color": "negro",
        "price_max": 60_000,
        "limit": 5,
    }
    assert decision.reply is None
    assert decision.reply_suggestion == "Claro, te busco botas de color negro en talla 39..."


def test_the_lead_in_of_an_english_question_is_english(talk: Talk):
    decision = talk.ask("do you have sneakers in size 42?")
    assert decision.language == "en"
    assert decision.reply_suggestion == "Sure, let me look for sneakers in size 42..."


def test_describing_words_stay_in_the_search(talk: Talk):
    (action,) = talk.ask("¿tienen audífonos bluetooth con micrófono?").actions
    assert action.params["query"] == "audifonos bluetooth microfono"


def test_a_question_for_everything_still_searches(talk: Talk):
    (action,) = talk.ask("¿qué productos venden?").actions
    assert action.params["query"] == "productos"


def test_a_faq_is_answered_in_the_shops_own_words(talk: Talk):
    decision = talk.ask("¿qué horario tienen?")
    assert decision.route == "kb_direct"
    assert decision.reply == "Abrimos así:\n• Martes a Sábado: 11:00 a 19:30\n• Domingos y Lunes: Cerrado"
    assert decision.rag_context[0].document == "horas.md"
    assert decision.rag_context[0].text == decision.reply


def test_the_passage_that_answers_the_question_asked_is_chosen(talk: Talk):
    assert talk.ask("¿abren los feriados?").reply == "Los festivos no abrimos."
    assert talk.ask("¿cuántos días tarda el envío?").reply == "Demora 4 días hábiles."


def test_an_english_faq_is_answered_from_the_english_passage(talk: Talk):
    assert talk.ask("what are your opening hours?").reply == "Tuesday to Saturday from 11:00 to 19:30."


def test_an_english_faq_without_english_passage_falls_back_to_spanish(talk: Talk):
    assert talk.ask("how much is delivery?").reply == "El despacho cuesta $4.500 a todo Chile."


def test_a_faq_the_shop_has_no_text_on_is_not_answered_with_another(talk: Talk):
    decision = talk.ask("¿cuál es su correo electrónico?")
    assert decision.intent == "faq_contact"
    assert decision.reply is None
    assert decision.rag_context == ()


def test_the_figures_of_a_reply_come_from_the_shops_texts(talk: Talk):
    for question in ("¿cuánto sale el despacho?", "¿a qué hora abren?", "¿dónde están?", "¿cómo puedo pagar?"):
        reply = talk.ask(question).reply
        assert reply is not None
        words = " ".join(TEXTS.values()).replace("- ", "• ")
        assert all(line in words for line in reply.splitlines())


def test_a_warranty_question_without_invoice_brings_the_policy(talk: Talk):
    decision = talk.ask("¿cuánto dura la garantía de los cascos?")
    assert (decision.intent, decision.route) == ("warranty_inquiry", "odoo_invoice_lookup")
    assert decision.actions == ()
    assert decision.rag_context[0].text == "La garantía dura 120 días."


def test_a_typed_invoice_number_is_looked_up(talk: Talk):
    decision = talk.ask("se rompió la cadena de mi compra, factura INV-2025-033")
    assert decision.intent == "warranty_inquiry"
    assert decision.actions[0].params == {"invoice_number": "INV-2025-033"}


@pytest.mark.parametrize("text", ["", "aquí está", "mira", "hola"])
def test_a_photographed_invoice_is_a_warranty_question(talk: Talk, text: str):
    decision = talk.ask(
        text,
        message={"type": "image_with_text", "ocr_entities": OcrEntities(invoice_number="INV-2025-001")},
        ocr_confidence=0.97,
        invoice_detected=True,
    )
    assert (decision.intent, decision.route) == ("warranty_inquiry", "odoo_invoice_lookup")
    assert decision.confidence > 0.90
    assert decision.actions[0].params == {"invoice_number": "INV-2025-001"}


def test_words_decide_what_a_photo_is_for(talk: Talk):
    photo = {"type": "image_with_text", "ocr_entities": OcrEntities(invoice_number="INV-2025-001")}
    assert talk.ask("quiero devolver esto", message=photo).intent == "return_request"
    assert talk.ask("¿tienen estas zapatillas en talla 40?", message=photo).intent == "product_query"
    assert talk.ask("quiero hablar con una persona", message=photo).intent == "human_request"


def test_two_questions_in_one_message_are_both_kept(talk: Talk):
    decision = talk.ask("hola! ¿tienen cascos rojos talla M? ¿y a qué hora cierran?")
    assert (decision.intent, decision.second_intent) == ("product_query", "faq_hours")
    assert decision.actions[0].params["color"] == "rojo"
    assert decision.rag_context[0].document == "horas.md"


def test_a_product_that_is_only_named_is_not_lost_beside_a_question(talk: Talk):
    decision = talk.ask("jeans?\n¿Cuál es el horario de atención?")
    assert (decision.intent, decision.second_intent) == ("product_query", "faq_hours")
    assert decision.actions[0].params["query"] == "jeans"


def test_two_faqs_in_one_message_are_answered_together(talk: Talk):
    decision = talk.ask("¿dónde están ubicados? ¿y cuánto cuesta el envío?")
    assert decision.reply is not None
    assert "Irarrázaval 2020" in decision.reply
    assert "$4.500" in decision.reply


def test_a_wish_for_a_person_outranks_everything_else(talk: Talk):
    decision = talk.ask("mi pedido no llega, quiero hablar con alguien")
    assert (decision.intent, decision.route) == ("human_request", "human_handoff")


@pytest.mark.parametrize(
    ("text", "before", "language"),
    [
        ("nike air max 42", "es", "es"),
        ("¿hacen delivery?", "es", "es"),
        ("ok", "en", "en"),
        ("where is my order?", "es", "en"),
        ("¿dónde está mi pedido?", "en", "es"),
        ("hello", "es", "en"),
    ],
)
def test_the_language_changes_only_when_the_customer_changes_it(
    talk: Talk, text: str, before: Language, language: Language
):
    assert talk.ask(text, state=DialogueState(language=before)).language == language


@pytest.mark.parametrize(
    "text",
    [
        "nadie responde hace días",
        "los voy a denunciar al SERNAC",
        "😡😡",
        "son unos estafadores",
        "QUE PASA!! RESPONDAN!!",
    ],
)
def test_frustration_is_noticed(talk: Talk, text: str):
    assert talk.ask(text).frustrated


@pytest.mark.parametrize(
    "text", ["HOLA TIENEN ZAPATILLAS TALLA 42", "no me gustó el color", "¿nadie atiende el domingo?"]
)
def test_capitals_or_a_plain_no_are_not_frustration(talk: Talk, text: str):
    assert not talk.ask(text).frustrated


def test_the_third_time_the_same_question_is_frustration(talk: Talk):
    asked = "¿cuándo llega mi pedido?"
    assert not talk.ask(asked, history=(asked,)).frustrated
    assert talk.ask(asked, history=(asked, asked)).frustrated
