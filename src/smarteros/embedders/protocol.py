"""What a sentence encoder must be able to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into vectors of length one, shared by all threads and tenants of a process.

    Inner products rank texts within one encoder; they are no probabilities and do not compare between encoders
    (those of e5 all lie above 0.7).
    """

    @property
    def name(self) -> str:
        """Name with the version of the weights: vectors of different names must not be compared."""
        ...

    @property
    def dimension(self) -> int:
        """Number of columns."""
        ...

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Embed what customers write: one row per text, of length one. Any text is accepted, also an empty one.

        TransientError when a remote encoder cannot be reached.
        """
        ...

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Embed texts to be found by queries; otherwise like ``queries``."""
        ...
