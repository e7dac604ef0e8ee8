"""What a file is by its first bytes. Names, extensions and Content-Type are what a stranger says it is."""

from __future__ import annotations

from typing import Literal

MediaType = Literal["image/jpeg", "image/png", "image/webp", "image/heic", "application/pdf"]

_HEIC_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"})
_PDF_WINDOW = 1024  # bytes; PDF 1.7, appendix H: readers accept the header anywhere in them


def sniff(data: bytes) -> MediaType | None:
    """Return the type of a picture or PDF, or None for anything else."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        return "image/heic"
    return "application/pdf" if b"%PDF-" in data[:_PDF_WINDOW] else None
