"""What every Embedder must do, whatever stands behind it. A new implementation is one more factory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from smarteros.embedders.e5 import E5Embedder
from smarteros.embedders.kept import KeptEmbedder, VectorFile
from smarteros.embedders.loading import RememberingEmbedder
from smarteros.embedders.protocol import Embedder
from smarteros.embedders.use import UseEmbedder

ODD = ["", " ", "\x00", "a\x00b", "\ud83d", "🙂", "x" * 5_000, "¿?", "\n\n"]


@cache
def use() -> Embedder:
    return UseEmbedder()


@cache
def e5() -> Embedder:
    return E5Embedder()


@cache
def directory() -> TemporaryDirectory[str]:
    return TemporaryDirectory()


EMBEDDERS: dict[str, Callable[[], Embedder]] = {
    "use": use,
    "e5": e5,
    "use with its table on disk": lambda: UseEmbedder(Path(directory().name) / "table"),
    "kept": lambda: KeptEmbedder(use(), VectorFile(Path(directory().name) / "vectors.sqlite")),
    "remembering": lambda: RememberingEmbedder(use()),
}


@pytest.fixture(scope="module", params=sorted(EMBEDDERS))
def embedder(request: pytest.FixtureRequest) -> Embedder:
    return EMBEDDERS[request.param]()


def test_every_text_gives_one_row_of_length_one(embedder: Embedder):
    for rows in (embedder.queries(["hola", "¿a qué hora abren?"]), embedder.passages(["Abrimos de 10 a 20 h."] * 2)):
        assert rows.shape == (2, embedder.dimension)
        assert rows.dtype == np.float32
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=2e-3)


def test_no_text_gives_no_row(embedder: Embedder):
    assert embedder.queries([]).shape == (0, embedder.dimension)
    assert embedder.passages([]).shape == (0, embedder.dimension)


def test_any_text_is_taken(embedder: Embedder):
    rows = embedder.queries(ODD)
    assert rows.shape == (len(ODD), embedder.dimension)
    assert np.isfinite(rows).all()
    assert np.isfinite(embedder.passages(ODD)).all()


def test_a_text_has_the_same_vector_alone_and_among_others(embedder: Embedder):
    texts = ["hacen envíos a Chiloé", "quiero cambiar la talla", "gracias"]
    together = embedder.queries(texts)
    for text, row in zip(texts, together, strict=True):
        assert np.allclose(embedder.queries([text])[0], row, atol=2e-3)


def test_a_question_is_nearer_to_its_answer_than_to_another(embedder: Embedder):
    questions = embedder.queries(["¿cuánto cuesta el despacho a regiones?", "what time do you open on saturdays?"])
    answers = embedder.passages(["El envío fuera de Santiago cuesta $4.990.", "Los sábados abrimos a las 11:00."])
    assert (questions @ answers.T).argmax(axis=1).tolist() == [0, 1]


def test_its_name_tells_the_version_of_its_weights(embedder: Embedder):
    assert any(letter.isdigit() for letter in embedder.name)


def test_threads_may_share_it(embedder: Embedder):
    texts = ["hola", "¿dónde queda la tienda?", "mi pedido no llega", "tienen zapatillas rojas"]
    alone = {text: embedder.queries([text])[0] for text in texts}
    wrong: list[str] = []

    def ask(text: str) -> None:
        for _ in range(5):
            if not np.allclose(embedder.queries([text])[0], alone[text], atol=2e-3):
                wrong.append(text)

    threads = [threading.Thread(target=ask, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
