"""Vectors of the base pack, made once and shipped, so that no start has to embed some thousand sentences.

``data/base_vectors.npz`` is generated (``just generate``): per encoder the first eight bytes of each sentence's hash
and its vector in 8 bits. A sentence that is not in it is embedded when it is needed, so an old file costs time only.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from smarteros.embedders.protocol import Embedder, Vectors

FILE = "base_vectors.npz"
_STEPS = 127

Keys = npt.NDArray[np.uint64]


def vectors_of(sentences: Sequence[str], embedder: Embedder) -> Vectors:
    """Return the vectors of sentences as queries: the shipped ones, and the others from the embedder."""
    places, shipped = _shipped(embedder.name)
    keys = keys_of(sentences).tolist()
    missing = [at for at, key in enumerate(keys) if key not in places]
    vectors = np.zeros((len(sentences), embedder.dimension), dtype=np.float32)
    known = [at for at, key in enumerate(keys) if key in places]
    if known:
        vectors[known] = _opened(shipped[[places[keys[at]] for at in known]])
    if missing:
        vectors[missing] = embedder.queries([sentences[at] for at in missing])
    return vectors


def forget() -> None:
    """Free what was read of the file; it is read again when it is needed."""
    _shipped.cache_clear()


def packed(sentences: Sequence[str], embedders: Sequence[Embedder]) -> bytes:
    """Return the contents of the generated file for these sentences; rows that are shipped already stay as they are."""
    arrays: dict[str, npt.NDArray[np.uint64] | npt.NDArray[np.int8]] = {}
    for embedder in embedders:
        arrays[_keys_name(embedder.name)] = keys_of(sentences)
        scaled = vectors_of(sentences, embedder)
        scaled = scaled / np.abs(scaled).max(axis=1, keepdims=True)
        arrays[_vectors_name(embedder.name)] = np.rint(scaled * _STEPS).astype(np.int8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def is_stale(sentences: Sequence[str], names: Sequence[str]) -> bool:
    """Tell whether the shipped file lacks or has more than these sentences, for any of these encoders."""
    wanted = set(keys_of(sentences).tolist())
    return any(set(_shipped(name)[0]) != wanted for name in names)


def keys_of(sentences: Sequence[str]) -> Keys:
    """Return the keys of sentences: what of their hash tells them apart."""
    digests = [hashlib.sha256(sentence.encode("utf-8", "surrogatepass")).digest()[:8] for sentence in sentences]
    return np.frombuffer(b"".join(digests), dtype=np.uint64)


@cache
def _shipped(name: str) -> tuple[dict[int, int], npt.NDArray[np.int8]]:
    """Read what is shipped for an encoder: the row of each key, and the rows."""
    path = files("smarteros.agents").joinpath("data", FILE)
    if path.is_file():
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            if _keys_name(name) in arrays:
                keys: list[int] = arrays[_keys_name(name)].tolist()
                return {key: at for at, key in enumerate(keys)}, arrays[_vectors_name(name)]
    return {}, np.zeros((0, 0), dtype=np.int8)


def _opened(rows: npt.NDArray[np.int8]) -> Vectors:
    vectors = rows.astype(np.float32)
    vectors /= np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    return vectors


def _keys_name(name: str) -> str:
    return f"{name.replace('/', '_')}.keys"


def _vectors_name(name: str) -> str:
    return f"{name.replace('/', '_')}.vectors"
