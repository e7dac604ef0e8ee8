"""Hostile documents: each is refused in one sentence, within bounds of time and memory."""

from __future__ import annotations

import io
import random
import struct
import time
import zlib
from collections.abc import Callable

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from smarteros.documents.guards import check_image, decode_image, identify, open_pdf
from smarteros.domain.errors import RejectedInputError


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_of_size(width: int, height: int) -> bytes:
    """A few bytes that claim to be a picture of any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


def blank_pdf(*sizes: tuple[float, float]) -> bytes:
    document = pypdfium2.PdfDocument.new()
    for width, height in sizes:
        document.new_page(width, height)
    buffer = io.BytesIO()
    document.save(buffer)
    document.close()
    return buffer.getvalue()


def pdf_with_text(*lines: str) -> bytes:
    """A minimal PDF with a text layer in Helvetica."""
    drawn = "BT /F1 14 Tf 60 760 Td 22 TL " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{number} 0 obj{content}endobj\n".encode("cp1252")
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    tail = f"xref\n0 6\n0000000000 65535 f \n{table}trailer<</Size 6/Root 1 0 R>>\nstartxref\n{len(body)}\n%%EOF"
    return body + tail.encode()


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(RejectedInputError) as caught:
        call()
    return caught.value.code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "document_empty"),
        (bytes(16 * 2**20 + 1), "document_too_large"),
        (b"<html>", "document_unsupported"),
        (b"GIF89a" + bytes(50), "document_unsupported"),
        (b"PK\x03\x04" + bytes(50), "document_unsupported"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "document_unsupported"),
    ],
)
def test_bytes_that_are_no_document_of_ours_are_named(data: bytes, code: str) -> None:
    assert code_of(lambda: identify(data)) == code


@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", "jpeg"), ("PNG", "png"), ("WEBP", "webp")])
def test_pictures_are_known_by_their_first_bytes(kind: str, media_type: str) -> None:
    assert identify(encoded(Image.new("RGB", (9, 9)), kind)) == f"image/{media_type}"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("width", "height"), [(6325, 6325), (12_000, 8_000), (20_000, 20_000), (60_000, 60_000), (2**31 - 1, 1)]
)
def test_a_picture_beyond_40_megapixels_is_refused_by_its_header(width: int, height: int) -> None:
    started = time.thread_time()
    assert code_of(lambda: check_image(png_of_size(width, height))) == "image_too_large"
    assert time.thread_time() - started < 1


def test_a_picture_of_40_megapixels_is_let_through() -> None:
    assert check_image(png_of_size(8000, 5000)) == (8000, 5000)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\x00\x00\x00\x00WEBP",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        png_of_size(0, 10),
        b"BM" + bytes(100),
    ],
)
def test_a_damaged_header_is_refused(data: bytes) -> None:
    assert code_of(lambda: check_image(data)) == "image_unreadable"


def test_a_gif_that_calls_itself_png_is_not_decoded() -> None:
    assert code_of(lambda: check_image(encoded(Image.new("P", (9, 9)), "GIF"))) == "image_unreadable"


def test_a_picture_that_ends_too_early_is_refused() -> None:
    whole = encoded(Image.effect_noise((200, 200), 90), "PNG")
    assert code_of(lambda: decode_image(whole[: len(whole) // 2])) == "image_unreadable"


def test_a_large_photo_becomes_small_and_stands_upright() -> None:
    photo = Image.new("RGB", (4000, 3000), "white")
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the phone upright
    decoded = decode_image(encoded(photo, "JPEG", exif=exif))
    assert decoded.size == (1800, 2400)
    assert decoded.mode == "RGB"


def test_black_text_on_nothing_is_put_on_white_paper() -> None:
    picture = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    ImageDraw.Draw(picture).rectangle((10, 10, 20, 20), fill=(0, 0, 0, 255))
    decoded = decode_image(encoded(picture))
    assert decoded.getpixel((0, 0)) == (255, 255, 255)
    assert decoded.getpixel((15, 15)) == (0, 0, 0)


def test_the_text_layer_of_a_pdf_is_read_with_its_places() -> None:
    (page,) = open_pdf(pdf_with_text("FACTURA", "Numero: INV-2026-044", "Fecha: 02/03/2026"))
    assert page.text is not None
    assert page.text.text == "FACTURA\nNumero: INV-2026-044\nFecha: 02/03/2026"
    tops = [line.box[1] for line in page.text.lines]
    assert tops == sorted(tops)


def test_a_pdf_without_text_becomes_a_picture() -> None:
    (page,) = open_pdf(blank_pdf((595, 842)))
    assert page.text is None
    assert page.image is not None
    assert check_image(page.image) == (1653, 2339)


def test_only_the_first_three_pages_of_a_pdf_are_opened() -> None:
    assert len(open_pdf(blank_pdf(*[(100, 100)] * 9))) == 3


@pytest.mark.parametrize("size", [(14_400, 14_400), (14_400, 30), (20, 14_400), (1_000_000, 1_000_000)])
def test_a_page_of_any_size_is_drawn_within_the_pixel_bound(size: tuple[float, float]) -> None:
    (page,) = open_pdf(blank_pdf(size))
    assert page.image is not None
    width, height = check_image(page.image)
    assert width * height <= 6_100_000
    assert max(width, height) <= 2401


def test_a_page_that_is_a_mere_line_is_refused() -> None:
    assert code_of(lambda: open_pdf(blank_pdf((3, 14_400)))) == "pdf_unreadable"


@pytest.mark.parametrize("data", [b"%PDF-1.7", b"%PDF-1.4\n%%EOF", b"%PDF-" + bytes(5000)])
def test_a_damaged_pdf_is_refused(data: bytes) -> None:
    assert code_of(lambda: open_pdf(data)) == "pdf_unreadable"


def test_a_pdf_cut_anywhere_is_read_or_refused() -> None:
    whole = pdf_with_text("FACTURA", "Numero: INV-2026-044")
    for end in random.Random(4).sample(range(len(whole)), 40):
        try:
            open_pdf(whole[:end])
        except RejectedInputError as error:
            assert error.code == "pdf_unreadable"


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(["JPEG", "PNG", "WEBP"]),
    places=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=8),
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_picture_with_changed_bytes_is_decoded_or_refused(kind: str, places: list[tuple[int, int]]) -> None:
    data = bytearray(encoded(Image.linear_gradient("L").resize((120, 80)), kind))
    for place, value in places:
        data[place % len(data)] = value
    try:
        assert max(decode_image(bytes(data)).size) <= 2400
    except RejectedInputError as error:
        assert error.code in {"image_unreadable", "image_too_large"}
