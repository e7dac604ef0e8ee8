"""What a customer's words mean for a search."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarteros.tools.inputs import ShopSearchInput
from smarteros.tools.spelling import ShopWords
from smarteros.tools.vocabulary import colour_of, is_named, singular, spellings_of, synonyms_of
from smarteros.tools.wanted import MOST_TERMS, normal_size, understand


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("¿Tienen zapatillas talla 42?", {"terms": ("zapatilla",), "size": "42"}),
        ("Zapatillas azules menos de 40 mil", {"terms": ("zapatilla",), "colour": "azul", "price_max": 40_000}),
        (
            "entre 20 y 30 lucas botas café nº 38,5",
            {"terms": ("bota",), "colour": "cafe", "size": "38.5", "price_min": 20_000, "price_max": 30_000},
        ),
        ("entre $15.000 y $20.000 poleras", {"terms": ("polera",), "price_min": 15_000, "price_max": 20_000}),
        ("poleras hasta $15.000", {"terms": ("polera",), "price_max": 15_000}),
        ("no más de 25 mil en chalas", {"terms": ("chala",), "price_max": 25_000}),
        ("notebooks hasta 2 millones", {"terms": ("notebook",), "price_max": 2_000_000}),
        ("polerones desde 20 lucas", {"terms": ("poleron",), "price_min": 20_000}),
        ("Botines negros", {"terms": ("botin",), "colour": "negro"}),
        (
            "black boots size 9 under 90.000",
            {
                "terms": ("boot",),
                "colour": "negro",
                "size": "9",
                "other_sizes": ("42", "42.5"),
                "price_max": 90_000,
            },
        ),
        ("zapas us 9", {"terms": ("zapatilla",), "size": "us9", "other_sizes": ("42", "42.5")}),
        ("botas de mujer us 8", {"terms": ("bota",), "gender": "mujer", "size": "us8", "other_sizes": ("38", "38.5")}),
        ("jeans talla 40 o 42", {"terms": ("jean",), "size": "40", "other_sizes": ("42",)}),
        ("polera talla mediana", {"terms": ("polera",), "size": "m"}),
        ("vestido negro xs", {"terms": ("vestido",), "colour": "negro", "size": "xs"}),
        ("zapatillas de 40 lucas", {"terms": ("zapatilla",), "price_min": 28_000, "price_max": 46_000}),
        ("la bota más cara", {"terms": ("bota",), "dearest_first": True}),
        ("ramo de rosas rojas", {"terms": ("ramo", "rosa"), "colour": "rojo"}),
        ("ramo rosa", {"terms": ("ramo",), "colour": "rosado"}),
        ("balon", {"terms": ("balon",)}),  # one letter from "valor", which would say nothing
        ("t-shirt de Nike", {"terms": ("polera",), "brand": "nike"}),
        ("notebook gamer 512 GB", {"terms": ("notebook", "gamer"), "size": "512gb"}),
        ("zapatillas 42", {"terms": ("zapatilla",), "numbers": ("42",)}),
        ("2 poleras talla M", {"terms": ("polera",), "size": "m"}),
        ("café en grano", {"terms": ("cafe", "grano")}),
        ("la zapatilla más barata", {"terms": ("zapatilla",), "cheapest_first": True}),
        ("tienen parlantes?", {"terms": ("parlante",)}),
        ("shoes", {"terms": ("shoe",)}),
    ],
)
def test_words_become_terms_sizes_colours_and_prices(query: str, expected: dict[str, Any]) -> None:
    assert understand(ShopSearchInput(query=query)).model_dump(exclude_defaults=True) == expected


def test_a_small_number_after_hasta_is_not_a_price() -> None:
    assert understand(ShopSearchInput(query="zapatillas hasta 42")).price_max is None


def test_two_ways_of_asking_the_same_are_one_question() -> None:
    short = understand(ShopSearchInput(query="zapatillas talla 42"))
    long = understand(ShopSearchInput(query="Hola, ¿tienen ZAPATILLAS en talla 42, por favor?", size=" 42 "))
    parameters = understand(ShopSearchInput(query="zapatilla", size="Talla 42"))
    assert short.model_dump() == long.model_dump() == parameters.model_dump()


def test_parameters_outrank_words() -> None:
    params = ShopSearchInput(query="zapatillas azules talla 42 bajo 40 mil", size="40", color="rojas", price_max=9000)
    wanted = understand(params)
    assert (wanted.size, wanted.colour, wanted.price_max) == ("40", "rojo", 9000)


def test_the_category_is_the_thing_itself() -> None:
    assert understand(ShopSearchInput(query="running azul", category="zapatillas")).terms == ("zapatilla", "running")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Talla 42,5", "42.5"), ("EU 42", "42"), ("128 GB", "128gb"), ("nº 38", "38"), ("xl", "xl"), ("US 9", "us9")],
)
def test_sizes_are_written_in_one_way(text: str, expected: str) -> None:
    assert normal_size(text) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("zapatillas", "zapatilla"),
        ("botines", "botin"),
        ("jeans", "jean"),
        ("tenis", "tenis"),
        ("luces", "luz"),
        ("Pantalón", "pantalon"),
        ("parlantes", "parlante"),
        ("mes", "mes"),
    ],
)
def test_plurals_are_folded(word: str, expected: str) -> None:
    assert singular(word) == expected


def test_a_search_tries_synonyms_and_the_spelling_with_accents() -> None:
    assert {"botin", "botín"} <= set(spellings_of("botin", "botines"))
    assert {"audifono", "audífono", "auricular"} <= set(spellings_of("audifono", "audifonos"))
    assert "zapatilla" in spellings_of("sneaker", "sneakers")
    assert "ñuñoa" in spellings_of("nunoa", "ñuñoa")


def test_words_are_named_by_their_beginnings_and_short_ones_only_by_themselves() -> None:
    assert is_named("chala", frozenset({"chalas", "de", "bano"}))
    assert not is_named("men", frozenset({"menta"}))
    assert is_named("luz", frozenset({"luces"}))
    assert "luces" in spellings_of("luz", "luces")
    assert "sandalia" in synonyms_of("chala")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("zapatiyas", "zapatillas"),
        ("sapatilla", "zapatilla"),
        ("bestido", "vestido"),
        ("audifonso", "audifonos"),
        ("poleritas", "polera"),
        ("mocacines", "mocasines"),
        ("selular", "celular"),
        ("bicicleta", "bicicleta"),
        ("torta", "torta"),
        ("iphone", "iphone"),
    ],
)
def test_mistyped_words_are_set_right_by_the_shops_own_and_real_ones_are_left_alone(typed: str, meant: str) -> None:
    shop = ShopWords({"zapatillas", "zapatilla", "vestido", "audifonos", "polera", "mocasin", "corta", "celular"})
    assert shop.set_right(typed) == meant


@pytest.mark.parametrize(
    ("word", "colour"), [("negras", "negro"), ("MARRÓN", "cafe"), ("azules", "azul"), ("grey", "gris"), ("vino", None)]
)
def test_colours_have_one_name(word: str, colour: str | None) -> None:
    assert colour_of(word) == colour


@given(st.text(min_size=1, max_size=500))
def test_whatever_is_typed_is_understood_and_holds_no_search_syntax(text: str) -> None:
    wanted = understand(ShopSearchInput(query=text))
    assert all(term.isalnum() for term in (*wanted.terms, *wanted.typed))
    assert len(wanted.terms) <= MOST_TERMS
