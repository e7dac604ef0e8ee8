"""What an OCR engine must be able to do."""

from __future__ import annotations

import math
from typing import Protocol

from smarteros.domain.model import Model


class OcrLine(Model):
    """One line of text with its confidence (0 to 1) and box ``(left, top, right, bottom)`` in pixels."""

    text: str
    confidence: float
    box: tuple[int, int, int, int]


Box = tuple[int, int, int, int]


class OcrPage(Model):
    """The text of one page in reading order.

    ``placed`` leads from the page, which may have been turned, straightened and cut out, back to the picture as it was
    sent: a homography, row by row; None when both are the same. ``unread`` counts illegible lines.
    """

    lines: tuple[OcrLine, ...]
    width: int
    height: int
    unread: int = 0
    placed: tuple[float, ...] | None = None

    def in_picture(self, box: Box) -> Box:
        """Where a box of the page lies in the picture as it was sent (upright, in its pixels)."""
        if self.placed is None:
            return box
        a, b, c, d, e, f, g, h, i = self.placed
        left, top, right, bottom = box
        across: list[float] = []
        down: list[float] = []
        for x, y in ((left, top), (right, top), (right, bottom), (left, bottom)):
            depth = g * x + h * y + i or 1.0
            across.append((a * x + b * y + c) / depth)
            down.append((d * x + e * y + f) / depth)
        first = max(math.floor(min(across)), 0), max(math.floor(min(down)), 0)
        return (*first, math.ceil(max(across)), math.ceil(max(down)))

    @property
    def text(self) -> str:
        """All lines, one per row."""
        return "\n".join(line.text for line in self.lines)


class OcrEngine(Protocol):
    """Reads the text of one image."""

    def read(self, image: bytes) -> OcrPage:
        """Read an image (JPEG, PNG or WebP bytes, already checked by the guards).

        Raises RejectedInputError for an image it cannot decode and TransientError when a remote engine is away.
        """
        ...
