"""What an OCR engine must be able to do."""

from __future__ import annotations

from typing import Protocol

from smarteros.domain.model import Model


class OcrLine(Model):
    """One line of text with its confidence (0 to 1) and box ``(left, top, right, bottom)`` in pixels."""

    text: str
    confidence: float
    box: tuple[int, int, int, int]


class OcrPage(Model):
    """The text of one page in reading order."""

    lines: tuple[OcrLine, ...]
    width: int
    height: int

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
