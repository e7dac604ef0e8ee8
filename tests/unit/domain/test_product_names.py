"""Which product a till's words mean: measured on abbreviations written by hand and on ones made by rule."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from smarteros.domain.product_names import match_name, trailing_size
from smarteros.kit.text import fold

LABELLED: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "abbreviations.yml").read_text(encoding="utf-8"))
CATALOGUES: dict[str, list[str]] = LABELLED["catalogues"]
SHOES = CATALOGUES["shoes"]


def cases(part: str) -> list[tuple[str, str, str | None]]:
    return [(shop, read, meant) for shop, given_ in LABELLED[part].items() for read, meant in given_.items()]


@pytest.mark.parametrize("part", ["tuning", "held_out"])
def test_nine_in_ten_abbreviations_find_their_product_and_none_another_one(part: str) -> None:
    found = [(read, meant, match_name(read, CATALOGUES[shop]).name) for shop, read, meant in cases(part)]
    wrong_guesses = [entry for entry in found if entry[2] is not None and entry[2] != entry[1]]
    right = sum(meant == name for _, meant, name in found)

    assert len(found) >= 35
    assert right / len(found) >= 0.9
    assert wrong_guesses == []


def abbreviated(word: str, chance: random.Random) -> str:
    """Cut, thin or keep a word, now and then with a misread letter."""
    word, way = fold(word), chance.random()
    if len(word) < 4 or way < 0.25:
        short = word
    elif way < 0.7:
        short = word[: chance.randint(3, min(6, len(word)))]
    else:
        short = word[0] + "".join(letter for letter in word[1:] if letter not in "aeiou")
    if len(short) > 5 and chance.random() < 0.15:
        place = chance.randrange(1, len(short))
        short = short[:place] + chance.choice("abcdefghijklmnopqrstuvwxyz") + short[place + 1 :]
    return short


def test_abbreviations_made_by_rule_are_rarely_missed_and_never_mistaken() -> None:
    chance = random.Random(20261123)
    seen: Counter[str] = Counter()
    for names in CATALOGUES.values():
        for name in names * 5:
            words = [abbreviated(word, chance) for word in name.replace("-", " ").split()]
            read = " ".join(words).upper() + chance.choice(["", " 42", " T38", " NEG", " AZUL M"])
            found = match_name(read, names).name
            seen["right" if found == name else "none" if found is None else "wrong"] += 1

    assert seen["wrong"] == 0
    assert seen["right"] / seen.total() >= 0.95


def test_products_of_another_shop_are_not_recognised() -> None:
    clothes = [match_name(name, SHOES).outcome for name in (*CATALOGUES["clothes"], *CATALOGUES["electronics"])]
    assert set(clothes) == {"none"}


def test_what_fits_two_products_names_both_and_chooses_none() -> None:
    found = match_name("CEL VILLARRICA", CATALOGUES["electronics"])

    assert (found.outcome, found.name) == ("ambiguous", None)
    assert set(found.candidates) == {"Celular Villarrica X", "Celular Villarrica Lite"}


def test_a_colour_tells_products_apart_only_where_it_is_in_their_names() -> None:
    names = ["Polera Lino Azul", "Polera Lino Negra"]
    assert match_name("POL LINO AZ", names).name == "Polera Lino Azul"
    assert match_name("POL LINO NGRA M", names).name == "Polera Lino Negra"
    assert match_name("POL LINO VERDE", names).outcome == "ambiguous"


def test_the_more_exact_name_wins_over_one_that_says_more() -> None:
    names = ["Zapatilla Running", "Zapatilla Running Azul Niño Velcro"]
    assert match_name("ZAPATILLA RUNNING 42", names).name == "Zapatilla Running"


@pytest.mark.parametrize("printed", ["", " ", "42", "XL", "---", "ñ", "💥", "de la con", "x" * 5000])
def test_words_that_name_nothing_find_nothing(printed: str) -> None:
    assert match_name(printed, SHOES).outcome == "none"
    assert match_name(printed, []).outcome == "none"


@pytest.mark.parametrize(
    ("printed", "name", "size"),
    [
        ("ZAPAT RUN AZ 42", "Zapatilla Running Azul", "42"),
        ("ZAPAT RUN T42.5", "Zapatilla Running Azul", "42.5"),
        ("POL BAS SUR xl", "Polera Básica Sur", "XL"),
        ("NB LLAIMA 14", "Notebook Llaima 14", None),
        ("CEL VILLARRICA 99", "Celular Villarrica X", None),
        ("ZAPAT RUN AZ", "Zapatilla Running Azul", None),
    ],
)
def test_a_size_behind_the_name_is_split_off(printed: str, name: str, size: str | None) -> None:
    assert trailing_size(printed, name) == size


@settings(max_examples=60, deadline=None)
@given(printed=st.text(max_size=200), names=st.lists(st.text(max_size=60), max_size=8))
def test_any_words_and_any_names_give_an_outcome_with_a_score_between_0_and_1(printed: str, names: list[str]) -> None:
    found = match_name(printed, names)

    assert 0 <= found.score <= 1
    assert (found.name is not None) == (found.outcome == "match")
    assert found.name is None or found.name in names


@pytest.mark.parametrize("name", [name for names in CATALOGUES.values() for name in names])
def test_every_products_own_name_means_itself(name: str) -> None:
    shop = next(names for names in CATALOGUES.values() if name in names)
    assert match_name(name.upper(), shop).name == name
