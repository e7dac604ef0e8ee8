"""What a stranger's bytes must be before anything decodes them.

Measured: a PNG of 50 kB with 400 megapixels costs a naive decoder 35 s and 2 GB. So the size is read from the
header first, and only the decoding worker (a process with limits) ever touches pixels or a PDF's structure.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass, replace
from typing import Any

import pypdfium2
from PIL import Image, ImageOps, UnidentifiedImageError

from smarteros.documents.protocol import OcrLine, OcrPage
from smarteros.domain.errors import RejectedInputError
from smarteros.kit.media_type import MediaType, sniff

MAX_BYTES = 16 * 1024 * 1024
MAX_PIXELS = 40_000_000  # a phone's 12 to 24 megapixels with room; decoded as RGB this is 120 MB
MAX_SIDE = 2400  # pixels; more does not read better
MAX_TIMBRE_SIDE = 4096  # pixels; a timbre's modules are finer than its letters
MAX_PDF_PAGES = 3
PDF_DPI = 200
MAX_PDF_PIXELS = 6_000_000  # an A4 page at 200 dpi has 3.9
MAX_TEXT_PIECES = 1500  # per page; an invoice has some hundred
_AIR = 0.25  # of a line's height above and below it: a PDF gives the letters' own edges, an engine looser ones
MIN_TEXT_LAYER = 20  # characters; less is a scanner's stamp, not the invoice's text
IMAGE_FORMATS = ("JPEG", "PNG", "WEBP")


@dataclass(frozen=True)
class PdfPage:
    """One page: its text layer, if it has one, its picture (JPEG bytes), and how many pages the whole file has."""

    text: OcrPage | None = None
    image: bytes | None = None
    of: int = 1


def identify(data: bytes) -> MediaType:
    """Return what the bytes are. RejectedInputError when they are empty, too many or nothing we read."""
    if not data:
        raise RejectedInputError("document_empty", "the document is empty")
    if len(data) > MAX_BYTES:
        raise RejectedInputError("document_too_large", "the document is larger than 16 MiB", status=413)
    kind = sniff(data)
    if kind is None:
        raise RejectedInputError("document_unsupported", "the document is no JPEG, PNG, WebP, HEIC or PDF", status=415)
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


def decode_image(data: bytes, max_side: int = MAX_SIDE) -> Image.Image:
    """Decode a picture upright, RGB and at most ``max_side`` pixels long. Only in the worker process."""
    check_image(data)
    try:
        with Image.open(io.BytesIO(data), formats=IMAGE_FORMATS) as image:
            # Before the rotation: a JPEG is then decoded at a fraction of its size.
            image.thumbnail((max_side, max_side))
            return _on_white(ImageOps.exif_transpose(image))
    except (OSError, ValueError, SyntaxError, EOFError, ZeroDivisionError) as error:
        raise RejectedInputError("image_unreadable", "the picture is damaged") from error


def heic_as_jpeg(data: bytes) -> bytes:
    """A HEIC picture as JPEG, upright. Only in the worker process: the decoder is C++ and sees it first.

    The size is checked before any pixel is decoded; libheif's own limits (of memory and of nested items) stay on.
    """
    try:
        import pillow_heif
    except ImportError:  # an operator who passes our image on may leave it out (docs/licences.md)
        raise RejectedInputError("image_unreadable", "HEIC pictures need the package pillow-heif") from None
    heif: Any = pillow_heif

    try:
        picture = heif.open_heif(data, convert_hdr_to_8bit=True)
        width, height = picture.size
        if width * height > MAX_PIXELS:
            raise _too_many_pixels()
        return as_jpeg(_on_white(picture.to_pillow()), MAX_TIMBRE_SIDE)
    except (OSError, ValueError, SyntaxError, EOFError, RuntimeError, IndexError) as error:
        raise RejectedInputError("image_unreadable", "the HEIC picture is damaged") from error


def as_jpeg(image: Image.Image, max_side: int = MAX_SIDE) -> bytes:
    """Encode an RGB picture of at most ``max_side`` pixels."""
    image.thumbnail((max_side, max_side))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


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
        return [replace(_open_page(document[at]), of=len(document)) for at in range(count)]
    except pypdfium2.PdfiumError as error:
        raise RejectedInputError("pdf_unreadable", "a page of the PDF is damaged") from error
    finally:
        document.close()


def _open_page(page: Any) -> PdfPage:
    width, height = page.get_size()
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise RejectedInputError("pdf_unreadable", "a page of the PDF has no size")
    # A page is drawn even when it has a text layer: its timbre is in no text.
    scale = min(PDF_DPI / 72, math.sqrt(MAX_PDF_PIXELS / (width * height)), MAX_SIDE / max(width, height))
    lines = _text_layer(page, height, scale)
    text = None
    if sum(len(line.text) for line in lines) >= MIN_TEXT_LAYER:
        text = OcrPage(lines=tuple(lines), width=int(width * scale), height=int(height * scale))
    if min(width, height) * scale < 1:
        if text is not None:
            return PdfPage(text=text)
        raise RejectedInputError("pdf_unreadable", "a page of the PDF is a line")
    picture = page.render(scale=scale, may_draw_forms=False, draw_annots=False).to_pil().convert("RGB")
    return PdfPage(text=text, image=as_jpeg(picture))


def _text_layer(page: Any, page_height: float, scale: float) -> list[OcrLine]:
    """The pieces of the text layer with their places: the order in the file says nothing about rows."""
    text_page = page.get_textpage()
    lines: list[OcrLine] = []
    for at in range(min(text_page.count_rects(), MAX_TEXT_PIECES)):
        left, bottom, right, top = text_page.get_rect(at)
        text = " ".join(text_page.get_text_bounded(left, bottom, right, top).split())
        if text:
            air = _AIR * (top - bottom)
            corners = (left, page_height - top - air, right, page_height - bottom + air)
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
