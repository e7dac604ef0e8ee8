"""A worded answer may say in other words what its passages say, and nothing that they do not."""

from __future__ import annotations

import pytest

from smarteros.agents.llm.tasks import DiscardedError, refuse_unfounded

HOURS = (
    "Nuestro horario de atención es:\n• Lunes a Viernes: 9:00 a 18:00\n• Sábados: 10:00 a 14:00\n• Domingos: Cerrado"
)
HOLIDAYS = (
    "¿Abren los feriados?\nLos feriados irrenunciables no abrimos. Los demás feriados atendemos de 10:00 a 14:00."
)
ADDRESS = "¿Dónde están?\nEstamos en Av. Providencia 1234, local 5, a dos cuadras del metro Manuel Montt."
SHIPPING = (
    "¿Hacen envíos a regiones?\n"
    "Sí, enviamos a todo Chile. "
    "El despacho cuesta $3.990 en la Región Metropolitana y $5.990 en regiones. "
    "Es gratis en compras sobre $50.000. Demora de 2 a 5 días hábiles."
)
RETURNS = (
    "¿Puedo devolver un producto?\n"
    "Puedes devolverlo gratis dentro de 30 días desde la compra, sin uso y con etiquetas. "
    "El reembolso demora 7 días hábiles."
)
PAYMENT = (
    "¿Cómo puedo pagar?\n"
    "Aceptamos tarjetas de crédito y débito por Webpay, transferencia bancaria y efectivo en la tienda. "
    "Hasta 6 cuotas sin interés."
)
CONTACT = "Contacto\nEscríbenos a hola@tiendademo.cl o llama al +56 2 2345 6789."


@pytest.mark.parametrize(
    ("reply", "passage"),
    [
        ("Atendemos de lunes a viernes de 9:00 a 18:00 y los sábados de 10:00 a 14:00. Los domingos cerramos.", HOURS),
        ("¡Hola! Los sábados abrimos de 10:00 a 14:00.", HOURS),
        ("No, los domingos estamos cerrados.", HOURS),
        (
            "We are open Monday to Friday from 9:00 to 18:00 and Saturdays from 10:00 to 14:00. Closed on Sundays.",
            HOURS,
        ),
        ("Nuestra tienda está en Av. Providencia 1234, local 5, a dos cuadras del metro Manuel Montt.", ADDRESS),
        ("We are at Av. Providencia 1234, local 5, two blocks from Manuel Montt metro station.", ADDRESS),
        (
            "¡Claro! Enviamos a todo Chile. En regiones el despacho cuesta $5.990 y demora entre 2 y 5 días hábiles.",
            SHIPPING,
        ),
        ("El despacho a regiones sale $5.990, pero es gratis si tu compra supera los $50.000.", SHIPPING),
        ("Sí, puedes devolverlo gratis hasta 30 días desde la compra, sin uso y con sus etiquetas.", RETURNS),
        ("Tienes 30 días para devolver el producto sin costo. El reembolso tarda 7 días hábiles.", RETURNS),
        ("You can return it free of charge within 30 days of purchase, unused and with tags.", RETURNS),
        (
            "Puedes pagar con tarjetas de crédito o débito por Webpay, transferencia bancaria o efectivo en la tienda.",
            PAYMENT,
        ),
        ("Sí, tenemos hasta 6 cuotas sin interés con tarjeta de crédito.", PAYMENT),
        ("We accept credit and debit cards through Webpay, bank transfer and cash in the store.", PAYMENT),
        ("Puedes escribirnos a hola@tiendademo.cl o llamarnos al +56 2 2345 6789.", CONTACT),
        ("You can write to hola@tiendademo.cl or call +56 2 2345 6789.", CONTACT),
    ],
)
def test_the_same_in_other_words_or_another_language_may_be_said(reply: str, passage: str):
    refuse_unfounded(reply, [passage])


@pytest.mark.parametrize(
    ("reply", "passage"),
    [
        ("Los domingos abrimos de 10:00 a 14:00.", HOURS),
        ("Atendemos todos los días de 9:00 a 18:00.", HOURS),
        ("Los feriados irrenunciables abrimos.", HOLIDAYS),
        ("No atendemos los feriados.", HOLIDAYS),
        ("El despacho es gratis a todo Chile.", SHIPPING),
        ("No enviamos a regiones.", SHIPPING),
        ("Enviamos por Starken a todo Chile.", SHIPPING),
        ("El despacho cuesta $5.990 en la Región Metropolitana.", SHIPPING),
        ("Enviamos también al extranjero.", SHIPPING),
        ("Puedes devolverlo usado dentro de 30 días.", RETURNS),
        ("No aceptamos devoluciones.", RETURNS),
        ("Tienes 30 días hábiles para devolverlo.", RETURNS),
        ("Puedes devolverlo sin etiquetas.", RETURNS),
        ("Aceptamos bitcoin y efectivo.", PAYMENT),
        ("Aceptamos cheques.", PAYMENT),
        ("No aceptamos efectivo.", PAYMENT),
        ("Hasta 12 cuotas sin interés.", PAYMENT),
        ("We accept PayPal.", PAYMENT),
        ("Escríbenos a ventas@tiendademo.cl.", CONTACT),
        ("Estamos en Av. Providencia 1234, con estacionamiento gratis.", ADDRESS),
        ("Estamos en Av. Providencia 1235.", ADDRESS),
    ],
)
def test_what_no_passage_says_is_refused(reply: str, passage: str):
    with pytest.raises(DiscardedError):
        refuse_unfounded(reply, [passage])


@pytest.mark.parametrize("passage", [HOURS, HOLIDAYS, ADDRESS, SHIPPING, RETURNS, PAYMENT, CONTACT])
def test_a_passages_own_words_may_always_be_said(passage: str):
    refuse_unfounded(passage, [passage])
