"""The closed form does what the textbook says, checked against the slow way."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt

from smarteros.agents.features import Floats, Postings, SparseRow, Vectoriser, gram_matrix
from smarteros.agents.ridge import ClosedForm, best_temperature, one_hot, softmax

TEXTS = [
    "hola buenas tardes", "hola que tal", "buenas noches", "a que hora abren", "horario de hoy", "cuando abren",
    "cuanto cuesta el envio", "precio del envio a casa", "envian a temuco", "hola abren hoy",
]  # fmt: skip
LABELS = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 1])
OFFSET = one_hot(LABELS, 3).mean(axis=0)
ROUNDED = 1e-3  # what was inverted is kept in half precision


def rows_of(texts: list[str]) -> tuple[Vectoriser, list[SparseRow]]:
    words = [text.split() for text in texts]
    vectoriser = Vectoriser(words)
    return vectoriser, [vectoriser.row(w) for w in words]


def dense(rows: list[SparseRow], width: int) -> npt.NDArray[np.float64]:
    matrix = np.zeros((len(rows), width))
    for number, row in enumerate(rows):
        matrix[number, row.columns] = row.values
    return matrix


def likeness_of(texts: list[str]) -> Floats:
    vectoriser, rows = rows_of(texts)
    return gram_matrix(rows, vectoriser.size)


def test_the_gram_matrix_holds_all_inner_products():
    vectoriser, rows = rows_of(TEXTS * 5)  # more than 32 rows share a feature, so both ways of summing are used
    matrix = dense(rows, vectoriser.size)
    assert np.allclose(gram_matrix(rows, vectoriser.size), matrix @ matrix.T, atol=1e-5)


def test_postings_give_the_inner_products_of_one_row_with_all():
    vectoriser, rows = rows_of(TEXTS)
    asked = vectoriser.row(["hola", "cuanto", "cuesta", "nada"])
    expected = dense(rows, vectoriser.size) @ dense([asked], vectoriser.size)[0]
    assert np.allclose(Postings(rows).products(asked), expected, atol=1e-6)
    assert not Postings(rows).products(vectoriser.row(["zzz"])).any()


def test_a_vectoriser_over_a_base_leaves_the_rows_of_the_base_as_they_were():
    base, rows = rows_of(TEXTS)
    more = Vectoriser([["flete", "en", "lancha"]], base=base)
    again = [more.row(text.split()) for text in TEXTS]
    assert all(np.array_equal(a.columns, b.columns) for a, b in zip(rows, again, strict=True))
    assert all(np.allclose(a.values, b.values) for a, b in zip(rows, again, strict=True))
    assert more.row(["lancha"]).columns.size > base.row(["lancha"]).columns.size


def test_left_out_scores_are_those_of_really_leaving_out():
    likeness = likeness_of(TEXTS)
    left_out = ClosedForm(likeness.copy(), strength=1.0).solve(one_hot(LABELS, 3), OFFSET).left_out
    wanted = one_hot(LABELS, 3)
    for out in range(len(TEXTS)):
        kept = np.arange(len(TEXTS)) != out
        gram = likeness[np.ix_(kept, kept)] + np.eye(int(kept.sum()))
        inverse = cast(npt.NDArray[np.float64], np.linalg.inv(gram))
        scores = likeness[out][kept] @ (inverse @ (wanted[kept] - OFFSET)) + OFFSET
        assert np.allclose(left_out[out], scores, atol=ROUNDED)


def test_examples_that_are_added_later_give_what_learning_all_at_once_gives():
    likeness, wanted = likeness_of(TEXTS), one_hot(LABELS, 3)
    at_once = ClosedForm(likeness.copy(), strength=1.0).solve(wanted, OFFSET)
    later = ClosedForm(likeness[:6, :6].copy(), strength=1.0).solve_with(
        likeness[:6, 6:], likeness[6:, 6:].copy(), wanted, OFFSET
    )
    assert np.allclose(later.votes, at_once.votes, atol=ROUNDED)
    assert np.allclose(later.left_out, at_once.left_out, atol=ROUNDED)


def test_the_temperature_makes_confidence_match_how_often_it_is_right():
    generator = np.random.default_rng(5)
    logits = generator.normal(size=(4000, 3)) * 3
    draws = (softmax(logits).cumsum(axis=1) > generator.random((4000, 1))).argmax(axis=1)
    assert abs(best_temperature(logits * 0.2, draws) - 0.2) < 0.02
