"""When a customer has had enough."""

from __future__ import annotations

import pytest

from smarteros.agents.mood import is_frustrated


@pytest.mark.parametrize(
    "text",
    [
        "voy a ir al sernac",
        "nadie responde",
        "nunca contestan",
        "PÉSIMO SERVICIO",
        "me tienen chata",
        "es una falta de respeto",
        "😡",
        "QUIERO MI PLATA DE VUELTA!!!",
        "CUANDO LLEGA MI PEDIDO RESPONDAN",
        "nobody answers me",
        "this is ridiculous",
    ],
)
def test_strong_words_and_shouting_are_signs(text: str):
    assert is_frustrated(text)


@pytest.mark.parametrize(
    "text",
    [
        "TIENEN ZAPATILLAS TALLA 42",
        "no me quedó bueno, lo puedo cambiar?",
        "hola!! tienen stock??",
        "todavía no me llega mi pedido",
        "no, gracias",
        "mi pedido llegó malo",
        "busco un hasta cuándo dura la oferta",
    ],
)
def test_one_mild_word_or_capitals_alone_are_none(text: str):
    assert not is_frustrated(text)


def test_two_negative_messages_are_a_sign():
    assert is_frustrated("todavía nada", ["eso no me sirve"])
    assert not is_frustrated("todavía nada", ["hola", "quiero saber de mi pedido"])


def test_a_question_asked_a_third_time_is_a_sign():
    asked = ["¿cuándo llega mi pedido?", "cuando llega mi pedido"]
    assert is_frustrated("cuando yega mi pedido", asked)
    assert not is_frustrated("¿cuándo llega mi pedido?", asked[:1])


def test_a_question_repeated_with_impatience_is_a_sign():
    assert is_frustrated("cuándo llega mi pedido??", ["cuándo llega mi pedido"])
    assert is_frustrated("ya po, cuándo llega mi pedido", ["ya, cuándo llega mi pedido"])


def test_short_courtesies_may_be_repeated():
    assert not is_frustrated("hola", ["hola", "hola", "hola"])


def test_a_sure_complaint_is_enough():
    assert is_frustrated("x", complains=True)
