"""Word documents (.docx): paragraphs, headings, lists and tables of the main text, nothing else is opened.

A .docx is a ZIP of XML, both of which can be made to burst: sizes are counted while unpacking, a document type or
entity declaration is refused, and the depth of the XML is bounded.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from smarteros.domain.knowledge import Document
from smarteros.knowledge.formats.plain import questions_as_headings
from smarteros.knowledge.markdown import parse_markdown, rejected

MAX_MEMBERS = 5_000
MAX_XML_BYTES = 20_000_000
MAX_DEPTH = 200
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING_STYLE = re.compile(r"(?:heading|t[ií]?tulo|encabezado) ?(\d)", re.I)
_TITLE_STYLES = frozenset({"title", "título", "ttulo", "titulo", "puesto"})
_DECLARATION = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.I)


def read_docx(name: str, data: bytes) -> Document:
    """Read one document; RejectedInputError when it is none or breaks a bound."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if len(archive.infolist()) > MAX_MEMBERS:
                raise rejected(name, f"it has more than {MAX_MEMBERS} parts")
            main = _xml(name, archive, "word/document.xml")
            styles = _xml(name, archive, "word/styles.xml") if "word/styles.xml" in archive.namelist() else None
    except (zipfile.BadZipFile, KeyError, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise rejected(name, "it is not a Word document (.docx)") from error
    levels = _heading_levels(styles) if styles is not None else {}
    body = main.find(f"{_W}body")
    lines = [] if body is None else list(_lines(body, levels))
    text = "\n".join(lines).strip()
    if not text:
        raise rejected(name, "it has no text")
    return parse_markdown(name, questions_as_headings(text), kind="docx")


class _TooDeepError(Exception):
    """An element lies deeper than any document needs."""


class _BoundedBuilder(TreeBuilder):
    """Builds a tree of bounded depth."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        """Begin an element."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _TooDeepError
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        """End an element."""
        self._depth -= 1
        return super().end(tag)


def _xml(name: str, archive: zipfile.ZipFile, member: str) -> Element:
    """Parse one part, counting its unpacked bytes and its depth."""
    with archive.open(member) as part:
        data = part.read(MAX_XML_BYTES + 1)
    if len(data) > MAX_XML_BYTES:
        raise rejected(name, f"its {member} unpacks to more than {MAX_XML_BYTES} bytes")
    # In UTF-16 a declaration would not be seen below; Word writes UTF-8.
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data[:200] or _DECLARATION.search(data):
        raise rejected(name, f"its {member} is not plain XML in UTF-8 without declarations")
    parser = XMLParser(target=_BoundedBuilder())  # noqa: S314 - no declarations, see above
    try:
        parser.feed(data)
        return parser.close()
    except _TooDeepError:
        raise rejected(name, f"its {member} is nested deeper than {MAX_DEPTH} levels") from None
    except ParseError as error:
        raise rejected(name, f"its {member} is not XML ({error})") from error


def _heading_levels(styles: Element) -> dict[str, int]:
    levels: dict[str, int] = {}
    for style in styles.iter(f"{_W}style"):
        identity = style.get(f"{_W}styleId", "")
        named = style.find(f"{_W}name")
        level = _level_of_style(named.get(f"{_W}val", "") if named is not None else "")
        outline = style.find(f"{_W}pPr/{_W}outlineLvl")
        if level is None and outline is not None and outline.get(f"{_W}val", "").isdigit():
            level = int(outline.get(f"{_W}val", "9")) + 1
        if level is not None:
            levels[identity] = level
    return levels


def _level_of_style(style: str) -> int | None:
    found = _HEADING_STYLE.fullmatch(style.strip())
    if found:
        return int(found.group(1))
    return 1 if style.strip().casefold() in _TITLE_STYLES else None


def _lines(body: Element, levels: dict[str, int]) -> Iterator[str]:
    """Write blocks as Markdown lines; content controls (``sdt``) are looked into."""
    for block in body.iter():
        if block.tag == f"{_W}tbl":
            yield ""
            for row in block.iter(f"{_W}tr"):
                cells = [" ".join(_text(cell).split()) for cell in row.findall(f"{_W}tc")]
                if any(cells):
                    yield f"| {' | '.join(cells)} |"
            yield ""
            for inside in list(block.iter(f"{_W}p")):  # said in the rows already
                inside.clear()
        elif block.tag == f"{_W}p":
            yield from _paragraph(block, levels)


def _paragraph(paragraph: Element, levels: dict[str, int]) -> Iterator[str]:
    text = _text(paragraph).strip()
    if not text:
        yield ""
        return
    style = paragraph.find(f"{_W}pPr/{_W}pStyle")
    identity = style.get(f"{_W}val", "") if style is not None else ""
    level = levels.get(identity) or _level_of_style(identity)
    if level is not None:
        yield from ("", f"{'#' * min(level, 6)} {' '.join(text.split())}", "")
    elif text.endswith("?") and _is_bold(paragraph):
        yield from ("", f"## {' '.join(text.split())}", "")
    elif paragraph.find(f"{_W}pPr/{_W}numPr") is not None:
        yield f"- {' '.join(text.split())}"
    else:
        yield from (*text.split("\n"), "")


def _text(element: Element) -> str:
    """Join the text of the runs, leaving out what was deleted under tracked changes."""
    parts: list[str] = []
    for each in element.iter():
        if each.tag == f"{_W}t":
            parts.append(each.text or "")
        elif each.tag == f"{_W}tab":
            parts.append(" ")
        elif each.tag in {f"{_W}br", f"{_W}cr"}:
            parts.append("\n")
        elif each.tag == f"{_W}p" and parts:
            parts.append(" ")
    return "".join(parts)


def _is_bold(paragraph: Element) -> bool:
    runs = [run for run in paragraph.iter(f"{_W}r") if _text(run).strip()]
    return bool(runs) and all(run.find(f"{_W}rPr/{_W}b") is not None for run in runs)
