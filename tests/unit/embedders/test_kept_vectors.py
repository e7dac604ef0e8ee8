"""Vectors are made once per installation, and nothing depends on the file that keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from smarteros.embedders.kept import KeptEmbedder, VectorFile
from smarteros.embedders.loading import RememberingEmbedder
from smarteros.embedders.protocol import Vectors


class CountingEmbedder:
    """Embedder whose vectors follow from the text's length; notes what it was asked."""

    dimension = 4

    def __init__(self, name: str = "counting-1") -> None:
        self.name = name
        self.asked: list[str] = []

    def queries(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        rows = np.array([[len(text), 1, 2, 3] for text in texts], dtype=np.float32).reshape(-1, 4)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self.queries(texts)


def test_a_text_is_embedded_once_also_by_the_next_process(tmp_path: Path):
    first, second = CountingEmbedder(), CountingEmbedder()
    made = KeptEmbedder(first, VectorFile(tmp_path / "v.sqlite")).queries(["hola", "chao", "hola"])
    again = KeptEmbedder(second, VectorFile(tmp_path / "v.sqlite")).queries(["chao", "hola"])
    assert sorted(first.asked) == ["chao", "hola"]
    assert second.asked == []
    assert np.array_equal(made[[1, 0]], again)


def test_queries_and_passages_and_other_encoders_have_vectors_of_their_own(tmp_path: Path):
    file = VectorFile(tmp_path / "v.sqlite")
    one, other = CountingEmbedder("counting-1"), CountingEmbedder("counting-2")
    KeptEmbedder(one, file).queries(["hola"])
    KeptEmbedder(one, file).passages(["hola"])
    KeptEmbedder(other, file).queries(["hola"])
    assert one.asked == ["hola", "hola"]
    assert other.asked == ["hola"]


def test_the_file_does_not_grow_beyond_its_bound(tmp_path: Path):
    file = VectorFile(tmp_path / "v.sqlite", most_vectors=10)
    embedder = CountingEmbedder()
    kept = KeptEmbedder(embedder, file)
    for number in range(30):
        kept.queries([f"mensaje {number}"])
    embedder.asked.clear()
    kept.queries([f"mensaje {number}" for number in range(30)])
    assert len(embedder.asked) == 20
    assert "mensaje 29" not in embedder.asked


def test_a_file_that_is_none_costs_only_time(tmp_path: Path):
    path = tmp_path / "v.sqlite"
    path.write_bytes(b"this is no database" * 100)
    embedder = CountingEmbedder()
    rows = KeptEmbedder(embedder, VectorFile(path)).queries(["hola"])
    assert np.allclose(rows, embedder.queries(["hola"]), atol=1e-3)


def test_no_text_of_a_customer_is_in_the_file(tmp_path: Path):
    KeptEmbedder(CountingEmbedder(), VectorFile(tmp_path / "v.sqlite")).queries(["mi rut es 11.111.111-1"])
    assert b"11.111" not in (tmp_path / "v.sqlite").read_bytes()


def test_the_last_questions_are_not_embedded_again():
    embedder = CountingEmbedder()
    remembering = RememberingEmbedder(embedder, most=2)
    remembering.queries(["a"])
    remembering.queries(["a", "b", "b"])
    assert embedder.asked == ["a", "b"]
    remembering.queries(["c"])
    remembering.queries(["b", "c"])
    assert embedder.asked == ["a", "b", "c"]
    remembering.queries(["a"])
    assert embedder.asked == ["a", "b", "c", "a"]
