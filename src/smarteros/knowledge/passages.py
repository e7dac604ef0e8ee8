"""From a Document to the passages that answer questions.

A document is cut at its headings. What follows a heading is sent to customers in those words, so it is rewritten only
as far as a chat window needs: no HTML, no tables, no wrapped lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from smarteros.domain.knowledge import Category, Document, Passage, Section
from smarteros.knowledge.categories import category_named

MAX_PASSAGE_CHARS = 1_200  # a longer answer is not read on a telephone
_MOST_PASSAGES = 5_000  # of one document

HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t#]*$")
_FENCE = re.compile(r"^[ \t]*(```|~~~)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,200}>")
_IMAGE = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)")
_LINK = re.compile(r"\[([^\]\n]+)\]\(([^)\s]+)[^)\n]*\)")
_BULLET = re.compile(r"^[ \t]*[-*+•][ \t]+(.*)$")
_NUMBERED = re.compile(r"^[ \t]*\d{1,3}[.)][ \t]+\S")
_TABLE_ROW = re.compile(r"^[ \t]*\|(.+)\|[ \t]*$")
_TABLE_RULE = re.compile(r"^[ \t:|-]+$")


def passages_of(document: Document) -> tuple[Passage, ...]:
    """Split a document at its headings; a heading without text of its own gives no passage.

    The pieces of a long section keep its title.
    """
    passages: list[Passage] = []
    for section in (*document.sections, *_sections(document)):
        for text in _pieces(for_customers(section.text.splitlines())):
            passages.append(
                Passage(
                    document=document.name,
                    title=section.title,
                    category=section.category or document.category,
                    language=section.language or document.language,
                    text=text,
                    approval="draft" if "draft" in {section.approval, document.approval} else "approved",
                    also=section.also,
                    valid_from=section.valid_from or document.valid_from,
                    valid_until=section.valid_until or document.valid_until,
                )
            )
    return tuple(passages[:_MOST_PASSAGES])


def for_customers(lines: list[str]) -> str:
    """Rewrite Markdown for a chat window: wrapped lines joined, ``• `` bullets, links as "Text: address"."""
    blocks: list[str] = []
    gap = False
    for raw in lines:
        line = without_markup(raw)
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


def without_markup(line: str) -> str:
    """Write a line without tags and images, links as "Text: address"."""
    return _LINK.sub(r"\1: \2", _IMAGE.sub("", _TAG.sub("", line)))


def _sections(document: Document) -> Iterator[Section]:
    """Cut Markdown at its headings; a heading that names a matter ("## Envíos") gives it to those below it."""
    title, lines, fenced = document.title, list[str](), False
    above: list[tuple[int, Category | None]] = []
    for line in _COMMENT.sub("", document.markdown).splitlines():
        if _FENCE.match(line):
            fenced = not fenced
            continue
        found = None if fenced else HEADING.match(line)
        if found:
            yield Section(title=title, text="\n".join(lines), category=_category(document, above))
            title, lines = without_markup(found.group(2)).strip(), []
            level = len(found.group(1))
            above = [*(each for each in above if each[0] < level), (level, category_named(title))]
        else:
            lines.append(line)
    yield Section(title=title, text="\n".join(lines), category=_category(document, above))


def _category(document: Document, above: list[tuple[int, Category | None]]) -> Category | None:
    if document.category != "otros":
        return None
    return next((category for _, category in reversed(above) if category), None)


def _pieces(text: str) -> Iterator[str]:
    """Cut a long section between paragraphs, and a paragraph without a break where the limit is."""
    piece = ""
    for paragraph in text.split("\n\n"):
        if piece and len(piece) + 2 + len(paragraph) > MAX_PASSAGE_CHARS:
            yield piece
            piece = ""
        piece = f"{piece}\n\n{paragraph}" if piece else paragraph
        while len(piece) > MAX_PASSAGE_CHARS:
            cut = _cut(piece)
            yield piece[:cut].rstrip()
            piece = piece[cut:].lstrip()
    if piece:
        yield piece


def _cut(piece: str) -> int:
    """Choose where to cut: behind a sentence, else between words, else anywhere."""
    for signs, least in (((". ", "! ", "? ", "\n"), MAX_PASSAGE_CHARS // 2), ((" ",), 1)):
        cut = max(piece.rfind(sign, least, MAX_PASSAGE_CHARS - 1) for sign in signs)
        if cut > 0:
            return cut + 1
    return MAX_PASSAGE_CHARS


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
