"""Vectors kept on disk by the content of their texts, so that nothing is embedded twice by an installation."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal

import numpy as np
import structlog

from smarteros.embedders.protocol import Embedder, Vectors

_log = structlog.get_logger()
_Use = Literal["query", "passage"]
_PATIENCE_S = 5.0
_AT_ONCE = 500  # SQLite takes 999 parameters in its older builds


class VectorFile:
    """A bounded file of vectors in half precision. Several processes share it.

    It holds no text: a key is the hash of encoder, use and text, and who does not have the text cannot ask for its
    vector. A file that cannot be read or written is done without; vectors are then embedded again.
    """

    def __init__(self, path: Path, *, most_vectors: int = 60_000) -> None:
        """``most_vectors`` of at most 1 kB each; the oldest go first."""
        self._path = path
        self._most = most_vectors
        self._lock = threading.Lock()
        self._complained = False
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return those of the vectors that are known."""
        found: dict[bytes, bytes] = {}

        def read(connection: sqlite3.Connection) -> None:
            for start in range(0, len(keys), _AT_ONCE):
                part = keys[start : start + _AT_ONCE]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, vector FROM vectors WHERE key IN ({marks})"  # noqa: S608 - only question marks
                found.update(connection.execute(query, part).fetchall())

        self._with_file(read)
        return found

    def put(self, vectors: dict[bytes, bytes]) -> None:
        """Keep vectors; the oldest beyond the bound are forgotten."""

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany("INSERT OR IGNORE INTO vectors (key, vector) VALUES (?, ?)", vectors.items())
            connection.execute("DELETE FROM vectors WHERE rowid <= (SELECT max(rowid) FROM vectors) - ?", (self._most,))

        self._with_file(write)

    def _with_file(self, work: Callable[[sqlite3.Connection], None]) -> None:
        try:
            with self._lock, closing(sqlite3.connect(self._path, timeout=_PATIENCE_S)) as connection, connection:
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS vectors (key BLOB NOT NULL UNIQUE, vector BLOB NOT NULL)"
                )
                work(connection)
        except sqlite3.Error as error:
            if not self._complained:
                _log.warning("vectors_not_kept", path=str(self._path), error=str(error))
            self._complained = True


class KeptEmbedder:
    """Embedder that asks another one only for texts whose vectors are not in the file. Rounded to half precision."""

    def __init__(self, embedder: Embedder, file: VectorFile) -> None:
        self._embedder = embedder
        self._file = file

    @property
    def name(self) -> str:
        """Name of the encoder behind."""
        return self._embedder.name

    @property
    def dimension(self) -> int:
        """Number of columns."""
        return self._embedder.dimension

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Embed what customers write; see ``Embedder.queries``."""
        return self._through_file("query", texts, self._embedder.queries)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Embed texts to be found; see ``Embedder.passages``."""
        return self._through_file("passage", texts, self._embedder.passages)

    def _through_file(self, use: _Use, texts: Sequence[str], embed: Callable[[Sequence[str]], Vectors]) -> Vectors:
        keys = [self._key(use, text) for text in texts]
        known = self._file.get(list(dict.fromkeys(keys)))
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            fresh = embed(list(missing.values())).astype(np.float16)
            made = {key: row.tobytes() for key, row in zip(missing, fresh, strict=True)}
            self._file.put(made)
            known |= made
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for at, key in enumerate(keys):
            rows[at] = np.frombuffer(known[key], dtype=np.float16)
        return rows

    def _key(self, use: _Use, text: str) -> bytes:
        content = f"{self.name}\0{use}\0{text}".encode("utf-8", "surrogatepass")
        return hashlib.sha256(content).digest()[:16]
