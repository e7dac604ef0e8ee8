"""What a stranger's bytes must be before anything decodes them.

Measured: a PNG of 50 kB with 400 megapixels costs a naive decoder 35 s and 2 GB. So the size is read from the
header first, and only the decoding worker (a process with limits) ever touches pixels or a PDF's structure.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Any

import pypdfium2
from PIL import Image, ImageOps, UnidentifiedImageError

from smarteros.documents.protocol import OcrLine, OcrPage
from smarteros.domain.errors import RejectedInputError
from smarteros.kit.media_type import MediaType, sniff

MAX_BYTES = 16 * 1024 * 1024
MAX_PIXELS = 40_000_000  # a phone's 12 to 24 megapixels with room; decoded as RGB this is 120 MB
MAX_SIDE = 2400  # pixels; more does not read better
MAX_PDF_PAGES = 3
PDF_DPI = 200
MAX_PDF_PIXELS = 6_000_000  # an A4 page at 200 dpi has 3.9
MAX_TEXT_PIECES = 1500  # per page; an invoice has some hundred
MIN_TEXT_LAYER = 20  # characters; less is a scanner's stamp, not the invoice's text
IMAGE_FORMATS = ("JPEG", "PNG", "WEBP")


@dataclass(frozen=True)
class PdfPage:
    """One page: its text layer, or when it has none its picture (JPEG bytes)."""

    text: OcrPage | None = None
    image: bytes | None = None


def identify(data: bytes) -> MediaType:
    """Return what the bytes are. RejectedInputError when they are empty, too many or nothing we read."""
    if not data:
        raise RejectedInputError("document_empty", "the document is empty")
    if len(data) > MAX_BYTES:
        raise RejectedInputError("document_too_large", "the document is larger than 16 MiB", status=413)
    kind = sniff(data)
    if kind is None:
        raise RejectedInputError("document_unsupported", "the document is no JPEG, PNG, WebP or PDF", status=415)
    if kind == "image/heic":
        raise RejectedInputError("heic_unsupported", "HEIC pictures cannot be read; JPEG can", status=415)
    return kind


def check_image(data: bytes) -> tuple[int, int]:
    """Return width and height from the header alone, after refusing what must not be decoded."""
    try:
        with Image.open(io.BytesIO(data), formats=IMAGE_FORMATS) as image:
            width, height = image.size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise RejectedInputError("image_unreadable", "the picture's header is damaged") from error
    if width * height > MAX_PIXELS:
        raise _too_many_pixels()
    return width, height


def decode_image(data: bytes) -> Image.Image:
    """Decode a picture upright, RGB and at most ``MAX_SIDE`` pixels long. Only in the worker process."""
    check_image(data)
    try:
        with Image.open(io.BytesIO(data), formats=IMAGE_FORMATS) as image:
            # Before the rotation: a JPEG is then decoded at a fraction of its size.
            image.thumbnail((MAX_SIDE, MAX_SIDE))
            return _on_white(ImageOps.exif_transpose(image))
    except (OSError, ValueError, SyntaxError, EOFError, ZeroDivisionError) as error:
        raise RejectedInputError("image_unreadable", "the picture is damaged") from error


def open_pdf(data: bytes) -> list[PdfPage]:
    """Read the first pages of a PDF: text layers first, pictures of the rest. Only in the worker process."""
    try:
        document: Any = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise RejectedInputError("pdf_unreadable", "the PDF is damaged or needs a password") from error
    try:
        count = min(len(document), MAX_PDF_PAGES)
        if count == 0:
            raise RejectedInputError("pdf_unreadable", "the PDF has no pages")
        return [_open_page(document[at]) for at in range(count)]
    except pypdfium2.PdfiumError as error:
        raise RejectedInputError("pdf_unreadable", "a page of the PDF is damaged") from error
    finally:
        document.close()


def _open_page(page: Any) -> PdfPage:
    width, height = page.get_size()
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise RejectedInputError("pdf_unreadable", "a page of the PDF has no size")
    scale = min(PDF_DPI / 72, math.sqrt(MAX_PDF_PIXELS / (width * height)), MAX_SIDE / max(width, height))
    text = _text_layer(page, height, scale)
    if sum(len(line.text) for line in text) >= MIN_TEXT_LAYER:
        return PdfPage(text=OcrPage(lines=tuple(text), width=int(width * scale), height=int(height * scale)))
    if min(width, height) * scale < 1:
        raise RejectedInputError("pdf_unreadable", "a page of the PDF is a line")
    picture = page.render(scale=scale, may_draw_forms=False, draw_annots=False).to_pil().convert("RGB")
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=92)
    return PdfPage(image=buffer.getvalue())


def _text_layer(page: Any, page_height: float, scale: float) -> list[OcrLine]:
    """The pieces of the text layer with their places: the order in the file says nothing about rows."""
    text_page = page.get_textpage()
    lines: list[OcrLine] = []
    for at in range(min(text_page.count_rects(), MAX_TEXT_PIECES)):
        left, bottom, right, top = text_page.get_rect(at)
        text = " ".join(text_page.get_text_bounded(left, bottom, right, top).split())
        if text:
            corners = (left, page_height - top, right, page_height - bottom)
            box = tuple(round(value * scale) for value in corners)
            lines.append(OcrLine(text=text[:500], confidence=1.0, box=(box[0], box[1], box[2], box[3])))
    return lines


def _on_white(image: Image.Image) -> Image.Image:
    """Put a picture with transparency on white paper: black text on nothing would become black on black."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layered = image.convert("RGBA")
        paper = Image.new("RGBA", layered.size, "white")
        paper.alpha_composite(layered)
        return paper.convert("RGB")
    return image.convert("RGB")


def _too_many_pixels() -> RejectedInputError:
    return RejectedInputError("image_too_large", "the picture has more than 40 megapixels", status=413)
