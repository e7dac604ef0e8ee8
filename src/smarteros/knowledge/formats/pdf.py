"""PDF files with a text layer; a scan has none and is refused with a sentence that says so."""

from __future__ import annotations

import re

import pypdfium2 as pdfium

from smarteros.domain.knowledge import Document
from smarteros.knowledge.formats.plain import questions_as_headings
from smarteros.knowledge.markdown import MAX_DOCUMENT_CHARS, parse_markdown, rejected

MAX_PAGES = 300
_LEAST_LETTERS = 20
_HYPHEN = re.compile(r"(\w)[\u00ad\ufffe]\n?(\w)")


def read_pdf(name: str, data: bytes) -> Document:
    """Read one file; RejectedInputError when it is no PDF, encrypted, too long or without text."""
    try:
        with pdfium.PdfDocument(data) as document:
            if len(document) > MAX_PAGES:
                raise rejected(name, f"it has {len(document)} pages, the limit is {MAX_PAGES}")
            text = _text(name, document)
    except pdfium.PdfiumError as error:
        raise rejected(name, f"it cannot be opened as a PDF ({error})") from error
    if sum(letter.isalpha() for letter in text) < _LEAST_LETTERS:
        raise rejected(name, "it has no text layer; a scanned document must be typed or run through OCR first")
    # A PDF says nothing of headings: "# 1" at the start of a line is text.
    plain = re.sub(r"(?m)^([ \t]*)#", r"\1", text)
    return parse_markdown(name, questions_as_headings(plain), kind="pdf")


def _text(name: str, document: pdfium.PdfDocument) -> str:
    pages: list[str] = []
    length = 0
    for number in range(len(document)):
        page = document[number]
        try:
            text_page = page.get_textpage()
            try:
                text = text_page.get_text_bounded()  # pyright: ignore[reportUnknownMemberType]
            finally:
                text_page.close()
        finally:
            page.close()
        length += len(text)
        if length > MAX_DOCUMENT_CHARS:
            raise rejected(name, f"it has more than {MAX_DOCUMENT_CHARS} characters")
        pages.append(_HYPHEN.sub(r"\1\2", text.replace("\r\n", "\n").replace("\r", "\n")))
    return "\n\n".join(pages).strip()
