"""Plain text: decoding, and questions that stand on a line of their own."""

from __future__ import annotations

import re

from smarteros.domain.errors import RejectedInputError

_HEADING = re.compile(r"(?m)^#{2,6}[ \t]")
_QUESTION_LINE = re.compile(
    r"^[ \t]*(?:\d{1,3}[.)-][ \t]*)?(¿[^?\n]{3,200}\?(?:[ \t]*¿[^?\n]{3,200}\?)?|[A-Z][^?.!\n]{5,200}\?)[ \t]*$"
)
_LEAST_QUESTIONS = 2  # one question may be rhetorical


def as_text(name: str, data: bytes) -> str:
    """Decode a file: UTF-8, with or without mark; what Excel and old editors write is read as Windows-1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ("utf-16",)
    else:
        encodings = ("utf-8-sig",) if _looks_binary(data) else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RejectedInputError("kb_file_unreadable", f"{name}: not a text file in UTF-8")


def questions_as_headings(text: str) -> str:
    """Make headings of lines that are a question and nothing else, in a text that has no headings of its own."""
    if _HEADING.search(text):
        return text
    lines = text.splitlines()
    found = [_QUESTION_LINE.match(line) for line in lines]
    if sum(match is not None for match in found) < _LEAST_QUESTIONS:
        return text
    return "\n".join(f"\n## {m.group(1)}\n" if m else line for m, line in zip(found, lines, strict=True))


def _looks_binary(data: bytes) -> bool:
    return any(byte < 9 or 13 < byte < 32 for byte in data[:2_000])
