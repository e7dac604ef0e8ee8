"""Texts on their way out: no Liquid runs, no URL breaks, no message is too long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarteros.channels.wording import cut_at_sentence, encode_stars, neutralise_liquid, ready_to_post


@pytest.mark.parametrize("text", ["{{contact.email}}", "{% assign a = 1 %}", "{{{x}}}", "{{%", "{{{{"])
def test_liquid_is_broken_wherever_it_begins(text: str) -> None:
    safe = neutralise_liquid(text)
    assert "{{" not in safe
    assert "{%" not in safe
    assert safe.replace("\u200b", "") == text


def test_single_braces_stay_as_they_are() -> None:
    assert neutralise_liquid("talla {42} 100%") == "talla {42} 100%"


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("Link: https://a.cl/x*y*z fin", "Link: https://a.cl/x%2Ay%2Az fin"),
        ("**https://a.cl/x**", "**https://a.cl/x**"),
        ("5 * 3 *no* URL", "5 * 3 *no* URL"),
    ],
)
def test_stars_are_encoded_inside_urls_only(text: str, encoded: str) -> None:
    assert encode_stars(text) == encoded


def test_a_long_text_is_cut_at_the_end_of_a_sentence() -> None:
    assert cut_at_sentence("Una frase. Otra frase más. Y la última", 30) == "Una frase. Otra frase más.…"


def test_a_long_sentence_is_cut_between_words_and_never_inside_a_link() -> None:
    assert cut_at_sentence("mira https://tienda.example/zapatilla", 20) == "mira…"


@given(text=st.text(alphabet="ab .{%*\nhttps:/", max_size=300), limit=st.integers(5, 100))
def test_whatever_the_text_it_fits_and_holds_no_liquid(text: str, limit: int) -> None:
    ready = ready_to_post(text, limit)
    assert len(ready) <= limit
    assert "{{" not in ready
    assert "{%" not in ready
