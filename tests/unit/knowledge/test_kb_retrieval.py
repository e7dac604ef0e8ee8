"""Does the right passage come first? Questions in the way customers write, texts as owners write."""

from __future__ import annotations

import pytest

from smarteros.domain.knowledge import Category, Passage
from smarteros.knowledge.memory import PassageIndex

TEXTS: list[tuple[Category, str, str]] = [
    ("horarios", "¿Cuándo atendemos?", "Abrimos de martes a sábado de 11:00 a 19:30."),
    ("horarios", "¿Abren en festivos?", "Los festivos está cerrado."),
    ("ubicacion", "¿Dónde está la tienda?", "En Irarrázaval 2020, Ñuñoa, a pasos del metro."),
    ("ubicacion", "¿Hay estacionamiento?", "Hay estacionamiento gratis para clientes detrás del local."),
    ("pago", "¿Cómo se puede pagar?", "Con tarjeta de débito o crédito y con transferencia."),
    ("pago", "¿Hay cuotas?", "Hasta 6 cuotas sin interés con tarjeta de crédito."),
    ("envios", "¿Cuánto cuesta el despacho?", "El despacho cuesta $4.500 a todo Chile."),
    ("envios", "¿Cuánto demora el despacho?", "Demora 4 días hábiles en llegar."),
    ("envios", "¿Se puede retirar?", "Sí, el retiro en la tienda es gratis."),
    ("devoluciones", "¿Cuántos días hay para devolver?", "Tienes 30 días desde la compra."),
    ("devoluciones", "¿Cuándo se devuelve el dinero?", "El reembolso tarda 7 días hábiles."),
    ("garantia", "¿Cuánto dura la garantía?", "La garantía dura 120 días."),
    ("contacto", "¿Cuál es el teléfono?", "Llámanos al +56 2 2345 6789."),
    ("contacto", "¿Cuál es el correo?", "Escríbenos a hola@bicis.test."),
]
ENGLISH: list[tuple[Category, str, str]] = [
    ("horarios", "When are you open?", "Tuesday to Saturday from 11:00 to 19:30."),
    ("envios", "How much is delivery?", "Delivery is $4.500."),
]


def passages() -> list[Passage]:
    spanish = [
        Passage(document=f"{category}.md", title=title, category=category, language="es", text=text)
        for category, title, text in TEXTS
    ]
    english = [
        Passage(document=f"{category}.en.md", title=title, category=category, language="en", text=text)
        for category, title, text in ENGLISH
    ]
    return [*spanish, *english]


@pytest.fixture(scope="module")
def index() -> PassageIndex:
    return PassageIndex(passages())


QUESTIONS: list[tuple[str, Category, str]] = [
    ("a qué hora abren", "horarios", "¿Cuándo atendemos?"),
    ("abren el 18 que es feriado?", "horarios", "¿Abren en festivos?"),
    ("hasta qué hora atienden los sábados", "horarios", "¿Cuándo atendemos?"),
    ("cómo llego en metro", "ubicacion", "¿Dónde está la tienda?"),
    ("la dirección porfa", "ubicacion", "¿Dónde está la tienda?"),
    ("puedo estacionar el auto", "ubicacion", "¿Hay estacionamiento?"),
    ("reciben transferencias", "pago", "¿Cómo se puede pagar?"),
    ("en cuántas cuotas", "pago", "¿Hay cuotas?"),
    ("cuánto sale el envío", "envios", "¿Cuánto cuesta el despacho?"),
    ("en cuántos días llega", "envios", "¿Cuánto demora el despacho?"),
    ("puedo pasar a retirar", "envios", "¿Se puede retirar?"),
    ("plazo para devolver", "devoluciones", "¿Cuántos días hay para devolver?"),
    ("cuándo me llega el reembolso", "devoluciones", "¿Cuándo se devuelve el dinero?"),
    ("cuanto dura la garantia", "garantia", "¿Cuánto dura la garantía?"),
    ("fono de contacto", "contacto", "¿Cuál es el teléfono?"),
    ("a qué mail escribo", "contacto", "¿Cuál es el correo?"),
]


def test_most_questions_find_their_passage_first_when_their_matter_is_known(index: PassageIndex):
    right = [q for q, category, title in QUESTIONS if index.search(q, category=category)[0].passage.title == title]
    assert len(right) / len(QUESTIONS) >= 0.90, {q for q, _, _ in QUESTIONS} - set(right)


def test_most_questions_find_their_passage_among_three_by_words_alone(index: PassageIndex):
    found = [q for q, _, title in QUESTIONS if title in {hit.passage.title for hit in index.search(q, limit=3)}]
    assert len(found) / len(QUESTIONS) >= 0.80


def test_mistyped_words_still_find_their_passage(index: PassageIndex):
    assert index.search("gaarntia", category="garantia")[0].passage.category == "garantia"
    assert index.search("estasionamiento")[0].passage.title == "¿Hay estacionamiento?"


def test_accents_and_capitals_do_not_matter(index: PassageIndex):
    assert index.search("TELEFONO")[0].passage.title == index.search("teléfono")[0].passage.title


def test_a_question_in_english_gets_the_english_passage(index: PassageIndex):
    assert index.search("how much is shipping?", language="en", category="envios")[0].passage.language == "en"
    assert index.search("opening hours", language="en")[0].passage.language == "en"


def test_where_english_has_nothing_the_spanish_passage_answers(index: PassageIndex):
    assert index.search("how long is the warranty?", language="en", category="garantia")[0].passage.language == "es"


def test_a_spanish_question_never_gets_an_english_passage(index: PassageIndex):
    hits = index.search("when are you open, a qué hora abren", language="es", limit=20)
    assert {hit.passage.language for hit in hits} == {"es"}


def test_what_shares_nothing_with_the_texts_finds_nothing(index: PassageIndex):
    assert index.search("xyzzy qqq") == ()
    assert index.search("") == ()


def test_scores_fall_from_hit_to_hit(index: PassageIndex):
    scores = [hit.score for hit in index.search("cuánto demora el despacho", limit=6)]
    assert scores == sorted(scores, reverse=True)


def test_an_empty_index_answers_with_nothing():
    assert PassageIndex([]).search("hola", category="horarios") == ()


def test_a_huge_question_is_read_only_at_its_beginning(index: PassageIndex):
    assert index.search("garantía " + "x " * 50_000)[0].passage.category == "garantia"
