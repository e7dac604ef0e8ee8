"""The closed form does what the textbook says, checked against the slow way."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt

from smarteros.agents.features import SparseRow, Vectoriser, gram_matrix
from smarteros.agents.ridge import train_ridge

TEXTS = [
    "hola buenas tardes", "hola que tal", "buenas noches", "a que hora abren", "horario de hoy", "cuando abren",
    "cuanto cuesta el envio", "precio del envio a casa", "envian a temuco", "hola abren hoy",
]  # fmt: skip
TARGETS = [0, 0, 0, 1, 1, 1, 2, 2, 2, 1]


def rows_of(texts: list[str]) -> tuple[Vectoriser, list[SparseRow]]:
    words = [text.split() for text in texts]
    vectoriser = Vectoriser(words)
    return vectoriser, [vectoriser.row(w) for w in words]


def dense(rows: list[SparseRow], width: int) -> npt.NDArray[np.float64]:
    matrix = np.zeros((len(rows), width))
    for number, row in enumerate(rows):
        matrix[number, row.columns] = row.values
    return matrix


def test_the_gram_matrix_holds_all_inner_products():
    vectoriser, rows = rows_of(TEXTS * 5)  # more than 32 rows share a feature, so both ways of summing are used
    matrix = dense(rows, vectoriser.size)
    assert np.allclose(gram_matrix(rows, vectoriser.size), matrix @ matrix.T, atol=1e-5)


def test_left_out_scores_are_those_of_really_leaving_out():
    vectoriser, rows = rows_of(TEXTS)
    trained = train_ridge(rows, TARGETS, width=vectoriser.size, classes=3, strength=1.0)
    matrix = dense(rows, vectoriser.size)
    wanted: npt.NDArray[np.float64] = np.eye(3)[TARGETS]
    offset: npt.NDArray[np.float64] = wanted.mean(axis=0)
    for out in range(len(rows)):
        kept = np.arange(len(rows)) != out
        gram: npt.NDArray[np.float64] = matrix[kept] @ matrix[kept].T + np.eye(kept.sum())
        inverse = cast(npt.NDArray[np.float64], np.linalg.inv(gram))
        weights = matrix[kept].T @ (inverse @ (wanted[kept] - offset))
        scores: npt.NDArray[np.float64] = (matrix[out] @ weights + offset) / trained.model.temperature
        expected = np.exp(scores - scores.max())
        assert np.allclose(trained.left_out[out], expected / expected.sum(), atol=1e-3)


def test_a_message_without_a_known_feature_gets_the_shares_of_the_classes():
    vectoriser, rows = rows_of(TEXTS)
    trained = train_ridge(rows, TARGETS, width=vectoriser.size, classes=3, strength=1.0)
    probabilities = trained.model.probabilities(vectoriser.row(["zzz"]))
    assert probabilities.argmax() == 1
    assert probabilities.max() < 0.8
