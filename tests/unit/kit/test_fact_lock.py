"""A text may state what its sources state, in whatever form, and nothing else."""

from __future__ import annotations

import time

import pytest

from smarteros.kit.fact_lock import Thing, borrowed_facts, unsupported_facts
from smarteros.kit.stated_facts import Fact, facts_in

HOURS = """Nuestro horario de atención es:
• Lunes a Viernes: 9:00 a 18:00
• Sábados: 10:00 a 14:00
• Domingos: Cerrado"""
CONTACT = "Escríbenos a hola@tienda.cl o llama al +56 9 7954 0471. Más en https://www.tienda.cl/envios"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("Atendemos de lunes a viernes de 9 a 18 hrs y los sábados de 10:00 a 14:00.", HOURS),
        ("We open Monday to Friday from 9 am to 6 pm.", HOURS),
        ("Abrimos de 9:00 a 18:00 de lunes a viernes, y de 10:00 a 14:00 los sábados", HOURS),
        ("De lunes a viernes desde las nueve de la mañana hasta las seis de la tarde", HOURS),
        ("Los miércoles abrimos a las 9:00", HOURS),
        ("cuesta 4.500 pesos", "El despacho cuesta $4.500 a todo Chile."),
        ("cuesta cuatro mil quinientos pesos", "El despacho cuesta $4.500 a todo Chile."),
        ("cuesta 4,5 lucas", "El despacho cuesta $4.500 a todo Chile."),
        ("sale 39 mil 990", "Precio: $39.990"),
        ("entre 20 y 30 mil pesos", "de $20.000 a $30.000"),
        ("Demora entre 2 y 5 días hábiles", "Demora de 2 a 5 días hábiles"),
        ("it takes 2 to 5 business days", "Demora de 2 a 5 días hábiles"),
        ("tienes treinta días", "Plazo de 30 días"),
        ("you have thirty days", "Plazo de 30 días"),
        ("Hasta el 15 de octubre", "hasta el 15/10/2025"),
        ("January 13, 2026", "13 de enero de 2026"),
        ("en octubre", "el 15/10/2025"),
        ("escríbenos a HOLA@tienda.cl o al 9 7954 0471", CONTACT),
        ("mira https://tienda.cl/envios.", CONTACT),
        ("en tienda.cl está todo", CONTACT),
        ("hasta 6 cuotas sin interés", "6 cuotas sin interés con tarjeta"),
        ("Once your order ships, ten en cuenta una cosa", "nothing"),
        ("1) Lo primero\n2) Lo segundo", "nada"),
        ("Gracias por escribir. ¿En qué más te ayudo?", ""),
        ("la factura INV-2025-001", "Factura inv-2025-001 del 3 de mayo"),
        ("un 20 por ciento de descuento", "20% de descuento"),
    ],
)
def test_the_same_said_otherwise_passes(text: str, source: str):
    assert unsupported_facts(text, [source]) == ()


@pytest.mark.parametrize(
    ("text", "source", "kind"),
    [
        ("Los sábados abrimos de 9:00 a 18:00", HOURS, "hours"),
        ("Abrimos los domingos de 10:00 a 14:00", HOURS, "hours"),
        ("de 8 a 20 hrs", HOURS, "time"),
        ("cierran a las 20", HOURS, "time"),
        ("también los feriados", HOURS, "weekday"),
        ("El despacho es gratis", "El despacho cuesta $4.500", "claim"),
        ("Delivery is free", "El despacho cuesta $4.500", "claim"),
        ("cuesta $45.000", "cuesta $4.500", "money"),
        ("cuarenta lucas", "cuesta $4.500", "money"),
        ("US$ 4.500", "cuesta $4.500", "usd"),
        ("demora 7 días", "demora 7 días hábiles", "day"),
        ("demora siete semanas", "demora 7 días", "week"),
        ("20% de descuento", "20 pares con descuento", "percent"),
        ("hasta el 16 de octubre", "hasta el 15/10/2025", "date"),
        ("hasta el 15 de octubre de 2026", "hasta el 15/10/2025", "date"),
        ("https://evil.example/x", CONTACT, "link"),
        ("https://tienda.cl/pagar?x=1", CONTACT, "link"),
        ("tienda.cl.evil.example/envios", CONTACT, "link"),
        ("javascript:alert(1)", CONTACT, "link"),
        ("escribe a otro@tienda.cl", CONTACT, "email"),
        ("síguenos en @tienda_falsa", CONTACT, "handle"),
        ("llámanos al +56 9 1111 2222", CONTACT, "digits"),
        ("usa el código VERANO20", "nada", "code"),
        ("tienes noventa días", "Plazo de 30 días", "day"),
        ("tienes seis meses de garantía", "tienes 3 meses de garantía", "month_count"),
        ("dos por uno", "nada", "number"),
        ("llega en una semana", "nada", "week"),
        ("te llega mañana", "nada", "claim"),
        ("tenemos stock", "nada", "claim"),
        ("hay 12 unidades", "hay 2 unidades", "count"),
        ("hasta 12 cuotas", "hasta 3 cuotas", "instalment"),
        ("1,5 millones", "1.500 pesos", "number"),
    ],
)
def test_what_no_source_states_is_named(text: str, source: str, kind: str):
    assert kind in {fact.kind for fact in unsupported_facts(text, [source])}


def test_structured_facts_stand_beside_texts():
    assert unsupported_facts("cuesta $39.990", [], also=[Fact("money", "39990")]) == ()


def test_a_fact_of_any_source_counts():
    assert unsupported_facts("cuesta $4.500 y demora 4 días", ["cuesta $4.500", "demora 4 días"]) == ()


def test_hidden_characters_do_not_hide_a_fact():
    assert unsupported_facts("cuesta $4\u200b5.000", ["cuesta $4.500"])


@pytest.mark.parametrize(
    "piece",
    ["1", "1.", "a-", "lunes a ", "9 a ", "(1 ", "a1", "mil ", "dos y ", "x.", "a@", "://", "de la tarde ", "$"],
)
def test_a_hostile_text_takes_time_in_proportion_to_its_length(piece: str):
    def cost(size: int) -> float:
        started = time.process_time()
        facts_in(piece * size)
        return time.process_time() - started

    # Four times the text: a quadratic search would need sixteen times as long. Small times are noise.
    assert cost(4000) < max(10 * cost(1000), 0.5)


BLUE = Thing("Zapatilla Running Azul", frozenset({Fact("money", "39990"), Fact("link", "tienda.cl/azul")}))
BLACK = Thing("Zapatilla Training Negro", frozenset({Fact("money", "34990"), Fact("link", "tienda.cl/negro")}))


@pytest.mark.parametrize(
    ("text", "borrowed"),
    [
        ("La Running Azul está a $34.990", [Fact("money", "34990")]),
        ("La azul te queda perfecta. Cuesta $34.990.", [Fact("money", "34990")]),
        ("Aquí puedes ver la negra: https://tienda.cl/azul", [Fact("link", "tienda.cl/azul")]),
        ("Te recomiendo la Training: solo 39.990 pesos", [Fact("money", "39990")]),
        ("La azul está a $39.990. La negra, a $34.990.", []),
        ("La azul y la negra están a $39.990 y $34.990", []),
        ("Tengo dos zapatillas, desde $34.990", []),
        ("La azul cuesta $39.990 y el envío $3.990", []),
    ],
)
def test_what_only_another_product_has_is_not_said_of_this_one(text: str, borrowed: list[Fact]) -> None:
    assert list(borrowed_facts(text, (BLUE, BLACK))) == borrowed
