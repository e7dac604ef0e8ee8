"""From a shop owner's Markdown file to a Document, and from a Document to the passages that answer questions.

A file starts with optional YAML front matter (``category``, ``language``, ``title`` and policy figures whose names
end in ``_days`` or ``_months``), then ``# Title`` and one ``## heading`` per question. What follows a heading is sent
to customers in those words, so it is rewritten only as far as WhatsApp needs: no HTML, no tables, no wrapped lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import yaml

from smarteros.domain.decisions import Language
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.knowledge import Category, Document, Passage
from smarteros.kit.text import strip_controls

MAX_DOCUMENT_CHARS = 400_000
MAX_PASSAGE_CHARS = 1_200  # a longer answer is not read on a telephone

_FACT_UNITS = ("_days", "_months")

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t#]*$")
_FENCE = re.compile(r"^[ \t]*(```|~~~)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,200}>")
_IMAGE = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)")
_LINK = re.compile(r"\[([^\]\n]+)\]\(([^)\s]+)[^)\n]*\)")
_BULLET = re.compile(r"^[ \t]*[-*+•][ \t]+(.*)$")
_NUMBERED = re.compile(r"^[ \t]*\d{1,3}[.)][ \t]+\S")
_TABLE_ROW = re.compile(r"^[ \t]*\|(.+)\|[ \t]*$")
_TABLE_RULE = re.compile(r"^[ \t:|-]+$")


def parse_markdown(name: str, source: str) -> Document:
    """Read one file; RejectedInputError names the file and what is wrong with it."""
    if len(source) > MAX_DOCUMENT_CHARS:
        raise _rejected(name, f"it has {len(source)} characters, the limit is {MAX_DOCUMENT_CHARS}")
    text = strip_controls(source.replace("\r\n", "\n").replace("\r", "\n"))
    front: dict[str, Any] = {}
    found = _FRONT_MATTER.match(text)
    if found:
        front, text = _front_matter(name, found.group(1)), text[found.end() :]
    body = text.strip()
    title = front.pop("title", None) or _first_heading(body) or name.rsplit(".", 1)[0]
    category = front.pop("category", "otros")
    language = front.pop("language", "es")
    if category not in get_args(Category):
        raise _rejected(name, f"category {category!r} is not one of {', '.join(get_args(Category))}")
    if language not in get_args(Language):
        raise _rejected(name, f"language {language!r} is not one of {', '.join(get_args(Language))}")
    return Document(
        name=name, title=str(title), category=category, language=language, markdown=body, facts=_facts(name, front)
    )


def passages_of(document: Document) -> tuple[Passage, ...]:
    """Split a document at its headings; a heading without text of its own gives no passage."""
    passages: list[Passage] = []
    for title, lines in _sections(document):
        for text in _pieces(for_customers(lines)):
            passages.append(
                Passage(
                    document=document.name,
                    title=title,
                    category=document.category,
                    language=document.language,
                    text=text,
                )
            )
    return tuple(passages)


def for_customers(lines: list[str]) -> str:
    """Rewrite Markdown for a chat window: wrapped lines joined, ``• `` bullets, links as "Text: address"."""
    blocks: list[str] = []
    gap = False
    for raw in lines:
        line = _inline(raw)
        if not line.strip():
            gap = True
            continue
        item = _as_item(line)
        if item == "":
            continue
        if item is not None:
            # A list belongs to the sentence that announces it, so no blank line is kept between the two.
            announced = bool(blocks) and (blocks[-1].endswith(":") or _is_item(blocks[-1]))
            blocks.append(("\n" if gap and blocks and not announced else "") + item)
        elif blocks and not gap:
            blocks[-1] = f"{blocks[-1]} {line.strip()}"
        else:
            blocks.append(("\n" if blocks else "") + line.strip())
        gap = False
    return "\n".join(blocks).strip()


def _front_matter(name: str, source: str) -> dict[str, Any]:
    try:
        loaded: Any = yaml.safe_load(source)
    except yaml.YAMLError as error:
        raise _rejected(name, f"its front matter is not YAML ({error})") from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise _rejected(name, "its front matter is not a list of 'key: value' lines")
    return {str(key): value for key, value in loaded.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _facts(name: str, front: dict[str, Any]) -> dict[str, int]:
    for key, value in front.items():
        if not key.endswith(_FACT_UNITS):
            raise _rejected(name, f"front matter key {key!r} is unknown")
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise _rejected(name, f"{key} must be a whole number, not {value!r}")
    return dict(front)


def _first_heading(body: str) -> str | None:
    for line in body.splitlines():
        found = _HEADING.match(line)
        if found:
            return _inline(found.group(2)).strip()
    return None


def _sections(document: Document) -> Iterator[tuple[str, list[str]]]:
    title, lines, fenced = document.title, list[str](), False
    for line in _COMMENT.sub("", document.markdown).splitlines():
        if _FENCE.match(line):
            fenced = not fenced
            continue
        found = None if fenced else _HEADING.match(line)
        if found:
            yield title, lines
            title, lines = _inline(found.group(2)).strip(), []
        else:
            lines.append(line)
    yield title, lines


def _pieces(text: str) -> Iterator[str]:
    """Cut a long section between paragraphs, and a paragraph without a break where the limit is."""
    piece = ""
    for paragraph in text.split("\n\n"):
        if piece and len(piece) + 2 + len(paragraph) > MAX_PASSAGE_CHARS:
            yield piece
            piece = ""
        piece = f"{piece}\n\n{paragraph}" if piece else paragraph
        while len(piece) > MAX_PASSAGE_CHARS:
            cut = max(piece.rfind(" ", 0, MAX_PASSAGE_CHARS), piece.rfind("\n", 0, MAX_PASSAGE_CHARS))
            cut = cut if cut > 0 else MAX_PASSAGE_CHARS
            yield piece[:cut].rstrip()
            piece = piece[cut:].lstrip()
    if piece:
        yield piece


def _inline(line: str) -> str:
    return _LINK.sub(r"\1: \2", _IMAGE.sub("", _TAG.sub("", line)))


def _as_item(line: str) -> str | None:
    """Return the line as a list item, an empty string for a table's rule, None for plain text."""
    bullet = _BULLET.match(line)
    if bullet:
        return f"• {bullet.group(1).strip()}"
    if _NUMBERED.match(line):
        return line.strip()
    row = _TABLE_ROW.match(line)
    if row:
        if _TABLE_RULE.match(line):
            return ""
        return "• " + ": ".join(cell.strip() for cell in row.group(1).split("|") if cell.strip())
    return None


def _is_item(block: str) -> bool:
    line = block.strip()
    return line.startswith("• ") or bool(_NUMBERED.match(line))


def _rejected(name: str, reason: str) -> RejectedInputError:
    return RejectedInputError("kb_document_invalid", f"{name}: {reason}")
