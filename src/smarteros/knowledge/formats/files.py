"""Files and folders to Documents, each file within bounds of size; a hostile one ends in RejectedInputError."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.knowledge import Document
from smarteros.knowledge.formats.docx import read_docx
from smarteros.knowledge.formats.faq_json import read_json, read_json_lines
from smarteros.knowledge.formats.html_page import read_html
from smarteros.knowledge.formats.pdf import read_pdf
from smarteros.knowledge.formats.plain import as_text, questions_as_headings
from smarteros.knowledge.markdown import parse_markdown

MAX_TEXT_BYTES = 2_000_000
MAX_BINARY_BYTES = 20_000_000
MAX_FILES = 2_000

Reader = Callable[[str, bytes], Document]


def _read_markdown(name: str, data: bytes) -> Document:
    return parse_markdown(name, as_text(name, data))


def _read_plain(name: str, data: bytes) -> Document:
    return parse_markdown(name, questions_as_headings(as_text(name, data)))


_READERS: dict[str, tuple[Reader, int]] = {
    ".md": (_read_markdown, MAX_TEXT_BYTES),
    ".markdown": (_read_markdown, MAX_TEXT_BYTES),
    ".txt": (_read_plain, MAX_TEXT_BYTES),
    ".json": (read_json, MAX_TEXT_BYTES),
    ".jsonl": (read_json_lines, MAX_TEXT_BYTES),
    ".html": (read_html, MAX_TEXT_BYTES),
    ".htm": (read_html, MAX_TEXT_BYTES),
    ".docx": (read_docx, MAX_BINARY_BYTES),
    ".pdf": (read_pdf, MAX_BINARY_BYTES),
}
# In a folder a .txt is more often a note than an answer; it is read when it is named.
_IN_FOLDERS = frozenset(_READERS) - {".txt"}


def read_documents(paths: Sequence[Path]) -> tuple[Document, ...]:
    """Read files, and folders with what is below them; a file below a folder is named by its path in it.

    RejectedInputError names the first file that cannot be read; there is no half import.
    """
    found: list[tuple[str, Path]] = []
    for path in paths:
        if path.is_dir():
            below = (p for p in sorted(path.rglob("*")) if p.suffix.lower() in _IN_FOLDERS and _is_visible(p, path))
            found += [(p.relative_to(path).as_posix(), p) for p in below if p.is_file()]
        else:
            found.append((path.name, path))
    if not found:
        raise RejectedInputError("kb_no_files", f"There is no {', '.join(sorted(_IN_FOLDERS))} file in the paths given")
    if len(found) > MAX_FILES:
        raise RejectedInputError("kb_too_many_files", f"{len(found)} files; the limit is {MAX_FILES}")
    return tuple(read_file(name, path) for name, path in found)


def read_file(name: str, path: Path) -> Document:
    """Read one file by its ending; an unknown ending is read as Markdown."""
    _, limit = _reader(path.suffix)
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise RejectedInputError("kb_file_unreadable", f"{path}: {error.strerror}") from error
    return read_bytes(name, data, path.suffix)


def read_bytes(name: str, data: bytes, ending: str) -> Document:
    """Read what is in memory as a file of an ending like ``.pdf`` is read."""
    reader, limit = _reader(ending)
    if len(data) > limit:
        raise RejectedInputError("kb_file_too_large", f"{name}: larger than {limit} bytes")
    return reader(name, data)


def _reader(ending: str) -> tuple[Reader, int]:
    return _READERS.get(ending.lower(), (_read_markdown, MAX_TEXT_BYTES))


def _is_visible(path: Path, folder: Path) -> bool:
    """Leave out .git and the lock files that word processors lay down."""
    return not any(part.startswith((".", "~$")) for part in path.relative_to(folder).parts)
