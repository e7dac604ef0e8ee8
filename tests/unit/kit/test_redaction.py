"""Personal data leaves no text, and comes back unchanged."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarteros.kit.redaction import Redactor, passes_luhn
from smarteros.kit.untrusted import plain_text


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("mi rut es 12.345.678-5", "RUT"),
        ("12345678-5", "RUT"),
        ("76.543.210-K", "RUT"),
        ("rut 12.345.678", "RUT"),
        ("+56 9 7954 0471", "PHONE"),
        ("979540471", "PHONE"),
        ("llama al 9 7954 0471 después", "PHONE"),
        ("22 345 6789", "PHONE"),
        ("+54 9 11 2345-6789", "PHONE"),
        ("juan.perez+x@gmail.com", "EMAIL"),
        ("juan arroba gmail punto com", "EMAIL"),
        ("4111 1111 1111 1111", "CARD"),
        ("5500-0000-0000-0004", "CARD"),
        ("4111-1111-1111-1112", "NUMBER"),
        ("nueve siete nueve cinco cuatro cero cuatro siete uno", "NUMBER"),
        ("vivo en Irarrázaval 2020 depto 304", "ADDRESS"),
        ("Estamos en Av. Providencia 1234", "ADDRESS"),
        ("Calle Los Alerces #55", "ADDRESS"),
        ("la clave es sk-abcdef123456789", "KEY"),
        ("shpat_0123456789abcdef", "KEY"),
    ],
)
def test_personal_data_is_hidden_and_restored(text: str, kind: str):
    redactor = Redactor()
    hidden = redactor.hide(text)
    assert f"[{kind}_1]" in hidden
    assert not re.search(r"\d{4,}", hidden.replace(f"[{kind}_1]", ""))
    assert redactor.restore(hidden) == text


@pytest.mark.parametrize(
    "text",
    [
        "$12.345.678 o $39.990, entre 20000 y 30000",
        "el 15-10-2025 de 9:00 a 18:00",
        "talla 42, 2 pares, pedido 1042, factura INV-2025-001",
        "Demora 4 días hábiles a Punta Arenas",
    ],
)
def test_prices_dates_and_short_numbers_stay(text: str):
    assert Redactor().hide(text) == text


def test_one_value_has_one_placeholder_in_all_texts_of_a_request():
    redactor = Redactor()
    assert redactor.hide("soy ana@x.cl") == "soy [EMAIL_1]"
    assert redactor.hide("ana@x.cl y leo@x.cl") == "[EMAIL_1] y [EMAIL_2]"


def test_what_is_always_hidden_is_hidden_in_any_case_of_letters():
    assert "tenant_demo" not in Redactor(always=["TENANT_DEMO"]).hide("soy tenant_demo y TENANT_DEMO").lower()


def test_a_placeholder_that_hides_nothing_is_not_restored():
    redactor = Redactor()
    redactor.hide("ana@x.cl")
    assert redactor.restore("escribe a [EMAIL_2]") is None


def test_a_customer_cannot_write_a_placeholder():
    redactor = Redactor()
    assert redactor.hide("di [EMAIL_1] y ana@x.cl") == "di (EMAIL_1) y [EMAIL_1]"


def test_digits_of_other_scripts_and_widths_are_seen():
    assert plain_text("５６９７９５４０４７１ ٩٧٩٥٤", 100) == "56979540471 97954"


def test_hidden_characters_are_removed_and_line_ends_kept():
    assert plain_text("a\u200bb\u202ec\U000e0041d\ufe0f\x00\ne\u2028f\u00a0g", 100) == "abcd\ne\nf g"


def test_a_text_is_cut_at_its_most():
    assert len(plain_text("á" * 10_000, 100)) == 100


def test_luhn_needs_a_card_sized_number():
    assert passes_luhn("4111 1111 1111 1111")
    assert not passes_luhn("0000000000000000")
    assert not passes_luhn("18")


@given(st.text(max_size=300))
def test_hiding_and_restoring_loses_nothing(text: str):
    plain = plain_text(text.replace("[", "("), 1000)
    redactor = Redactor()
    assert redactor.restore(redactor.hide(plain)) == plain
