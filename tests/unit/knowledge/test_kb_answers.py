"""Of a long passage, a customer reads the part that answers, in the owner's words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smarteros.knowledge.answers import MAX_ANSWER_CHARS, answer_in

PAGE = "\n\n".join(
    [
        "Despachamos desde nuestra bodega en Quilicura. " + "Preparamos cada pedido con mucho cuidado. " * 6,
        "El despacho cuesta $3.990 en Santiago. " + "Trabajamos con empresas de confianza. " * 6,
        "Para cambios:\n• Guarda la boleta\n• Deja la etiqueta puesta\n• Trae la caja",
        "Si no estás en casa, el repartidor vuelve al día siguiente. "
        + "También puedes pedir que lo dejen en conserjería. " * 5,
    ]
)  # fmt: skip


def test_a_short_text_is_given_as_it_is():
    assert answer_in("Sí, en 3 cuotas.", "cuotas?") == "Sí, en 3 cuotas."


def test_a_long_text_is_cut_to_the_sentences_around_the_answer():
    found = answer_in(PAGE, "cuánto sale el envío a Santiago")
    assert "El despacho cuesta $3.990 en Santiago." in found
    assert len(found) <= MAX_ANSWER_CHARS
    assert found.endswith(".")


def test_a_list_keeps_the_line_that_announces_it_and_all_its_points():
    assert "Para cambios:\n• Guarda la boleta\n• Deja la etiqueta puesta\n• Trae la caja" in answer_in(PAGE, "etiqueta")


def test_a_leading_yes_or_no_is_not_lost():
    text = "No, salvo excepciones. " + "Esto es relleno sin importancia. " * 20 + "Los zapatos usados van a reciclaje."
    found = answer_in(text, "zapatos usados reciclaje")
    assert found.startswith("No, salvo excepciones.")
    assert "Los zapatos usados van a reciclaje." in found


def test_an_abbreviation_ends_no_sentence():
    text = "Relleno para que sea largo. " * 25 + "Estamos en Av. Providencia 1234, frente al metro."
    assert "Estamos en Av. Providencia 1234, frente al metro." in answer_in(text, "providencia")


@given(st.text(alphabet=st.sampled_from("aáñ .\n•¿?!1$"), max_size=3_000), st.text(max_size=60))
def test_an_answer_is_never_longer_and_only_of_the_passages_words(text: str, question: str):
    found = answer_in(text, question)
    assert len(found) <= max(MAX_ANSWER_CHARS, 0) or found == text
    assert set(found.rstrip("…").split()) <= set(text.split()) | {
        found.rstrip("…").split()[-1] if found.split() else ""
    }
