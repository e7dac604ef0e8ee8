"""One value read off a page, and how sure a place makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from smarteros.documents.protocol import Box

# How sure a value is by where it was found.
ANNOUNCED, NEARBY, UNANNOUNCED = 1.0, 0.97, 0.8


@dataclass(frozen=True)
class Field:
    """One value with its confidence (0 to 1) and its place on the page, where it is known."""

    value: Any
    confidence: float
    box: Box | None = None
