"""What no shop should answer is not answered, and typing errors hardly matter.

Measured: none of the hundred messages answered; with a typing error in 30 % of the words of four letters or more, 1.3
and 2.1 points of the held-out sets' accuracy are lost (8.3 and 8.0 before slips were set right).
"""

from __future__ import annotations

from typing import cast

import pytest
import yaml
from tests.unit.agents.talk import DATA, HELD_OUT_SETS, Talk, held_out
from tests.unit.agents.typos import with_typos

from smarteros.agents.spelling import base_speller

ANSWERING_ROUTES = {"shopify_sales", "support", "odoo_invoice_lookup", "kb_direct"}


def refused() -> list[str]:
    raw = cast(dict[str, list[str]], yaml.safe_load((DATA / "refused.yml").read_text("utf-8")))
    return [text for texts in raw.values() for text in texts]


def test_injections_and_nonsense_are_hardly_ever_answered(talk: Talk):
    texts = refused()
    decisions = [(text, talk.ask(text)) for text in texts]
    answered = [text for text, d in decisions if d.route in ANSWERING_ROUTES and d.confidence >= 0.80]
    assert len(texts) >= 100
    assert len(answered) <= 0.02 * len(texts), answered


@pytest.mark.parametrize("seed", [1, 2])
def test_a_typing_error_in_every_third_word_costs_little(talk: Talk, seed: int):
    messages = [message for name in HELD_OUT_SETS for message in held_out(name)]
    clean = sum(talk.hear(m.text).intent == m.intent for m in messages)
    mistyped = sum(talk.ask(with_typos(m.text, 0.3, seed)).intent == m.intent for m in messages)
    assert (clean - mistyped) / len(messages) <= 0.06


@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [("orario", "horario"), ("depsacho", "despacho"), ("tarjetta", "tarjeta"), ("garanita", "garantia")],
)
def test_a_slip_of_the_thumb_is_set_right(mistyped: str, meant: str):
    assert base_speller().corrected(mistyped) == meant


@pytest.mark.parametrize("word", ["llave", "mapa", "talla", "nike", "temuco", "sal", "hola", "zapatillas"])
def test_a_real_word_is_left_alone(word: str):
    assert base_speller().corrected(word) == word
