"""Web pages: their headings, lists and tables as Markdown; a page's own FAQ data (schema.org) where it has some."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.knowledge import Document
from smarteros.knowledge.formats.plain import as_text, questions_as_headings
from smarteros.knowledge.markdown import parse_markdown, rejected

_MAX_DEPTH = 400
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)} | {"summary": "##", "dt": "##"}
_BLOCKS = frozenset(
    [
        "p",
        "div",
        "section",
        "article",
        "main",
        "ul",
        "ol",
        "dl",
        "dd",
        "table",
        "thead",
        "tbody",
        "blockquote",
        "figure",
        "details",
        "pre",
        "br",
        "hr",
    ]
)
_HIDDEN = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "head",
        "nav",
        "footer",
        "form",
        "iframe",
        "object",
        "select",
        "button",
    ]
)
_VOID = frozenset(
    ["br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "track", "wbr"]
)
_SAFE_LINK = re.compile(r"(?:https?://|mailto:|tel:)[^\s)]{1,500}\Z")


def read_html(name: str, data: bytes) -> Document:
    """Read one page; RejectedInputError when it has no text or is nested without end."""
    page = _Page()
    source = as_text(name, data)
    try:
        page.feed(source)
        page.close()
    except (AssertionError, ValueError, RecursionError) as error:
        raise rejected(name, f"it is not HTML ({error})") from error
    except _TooDeepError:
        raise rejected(name, f"its elements are nested deeper than {_MAX_DEPTH} levels") from None
    declared = _declared_questions(name, page.data_blocks)
    if declared is not None:
        return declared.model_copy(update={"title": page.title or declared.title, "source": "html"})
    text = questions_as_headings(page.markdown())
    if not text:
        raise rejected(name, "it has no text")
    document = parse_markdown(name, text, kind="html")
    return document.model_copy(update={"title": page.title}) if page.title and not text.startswith("# ") else document


def html_to_markdown(source: str) -> str:
    """Rewrite a piece of HTML as Markdown; what is nested too deep is left as it is, without tags."""
    page = _Page()
    try:
        page.feed(source)
        page.close()
    except (AssertionError, ValueError, RecursionError, _TooDeepError):
        return re.sub(r"<[^>]{0,500}>", " ", source)
    return page.markdown()


class _TooDeepError(Exception):
    """An element lies deeper than any page needs."""


class _Page(HTMLParser):
    """Collects the lines of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.data_blocks: list[str] = []
        self._lines: list[str] = [""]
        self._open: list[str] = []
        self._hidden = 0
        self._links: list[str | None] = []
        self._cells: list[str] | None = None

    def markdown(self) -> str:
        """Return what was collected, without runs of empty lines."""
        text = "\n".join(" ".join(line.split()) for line in self._lines)
        return re.sub(r"\n{3,}", "\n\n", text).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        if tag not in _VOID:
            self._open.append(tag)
            if len(self._open) > _MAX_DEPTH:
                raise _TooDeepError
        if tag in _HIDDEN:
            self._hidden += 1
            if tag == "script" and dict(attrs).get("type") == "application/ld+json":
                self.data_blocks.append("")
        elif tag in _HEADINGS:
            self._new_line(2, f"{_HEADINGS[tag]} ")
        elif tag == "li":
            self._new_line(1, "- ")
        elif tag == "tr":
            self._cells = []
        elif tag in {"td", "th"} and self._cells is not None:
            self._cells.append("")
        elif tag in _BLOCKS and self._cells is None:
            self._new_line(1 if tag == "br" else 2)
        elif tag == "a":
            self._links.append(dict(attrs).get("href"))

    def handle_endtag(self, tag: str) -> None:
        """End an element, and those inside it that were never ended."""
        if tag not in self._open:
            return
        while self._open:
            ended = self._open.pop()
            if ended in _HIDDEN:
                self._hidden -= 1
            if ended == tag:
                break
        if tag == "tr" and self._cells is not None:
            cells, self._cells = [" ".join(cell.split()) for cell in self._cells], None
            self._new_line(1, f"| {' | '.join(cells)} |" if any(cells) else "")
            self._new_line(1)
        elif tag in _HEADINGS or (tag in _BLOCKS and self._cells is None):
            self._new_line(2)
        elif tag == "a" and self._links:
            address = self._links.pop()
            if address and _SAFE_LINK.match(address) and address not in self._lines[-1]:
                self._write(f" ({address})")

    def handle_data(self, data: str) -> None:
        """Take text."""
        if self._open and self._open[-1] == "script" and self.data_blocks and not self.data_blocks[-1]:
            self.data_blocks[-1] = data
        elif "title" in self._open[-1:] and not self.title:
            self.title = " ".join(data.split())[:200]
        elif not self._hidden:
            self._write(data)

    def _write(self, text: str) -> None:
        if self._cells is not None:
            if self._cells:
                self._cells[-1] += text
        else:
            self._lines[-1] += text

    def _new_line(self, breaks: int, beginning: str = "") -> None:
        if self._lines[-1].strip() not in {"", "-"}:
            self._lines += [""] * breaks
        if beginning:
            self._lines[-1] = beginning


def _declared_questions(name: str, blocks: list[str]) -> Document | None:
    """Read the questions a page declares to search engines; they are cleaner than its layout."""
    from smarteros.knowledge.formats.faq_json import read_json  # faq_json reads HTML in answers by this module

    for block in blocks:
        try:
            loaded: Any = json.loads(block)
            if "FAQPage" in block:
                return read_json(name, json.dumps(loaded).encode())
        except (ValueError, RecursionError, RejectedInputError):
            continue
    return None
