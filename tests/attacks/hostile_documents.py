"""Files a stranger may send to make a decoder suffer. Each is small; what it asks for is not."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache

from PIL import Image, ImageDraw


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, packed: bytes, *extra: bytes, bits: int = 1) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + b"".join(extra)
        + png_chunk(b"IDAT", packed)
        + png_chunk(b"IEND", b"")
    )


def zeros(size: int, times: int = 1) -> bytes:
    """Zeros, packed ``times`` times one into the other; made piece by piece."""
    packer = zlib.compressobj(9 if size <= 64 * 2**20 else 1)
    piece = bytes(2**20)
    packed = b"".join(packer.compress(piece) for _ in range(size // 2**20)) + packer.flush()
    for _ in range(times - 1):
        packed = zlib.compress(packed, 9)
    return packed


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def receipt(kind: str = "JPEG") -> bytes:
    """An honest little picture with words on it, to hide things in."""
    image = Image.new("RGB", (700, 500), "white")
    ImageDraw.Draw(image).text((40, 60), "BOLETA 48213", fill="black", font_size=60)
    return encoded(image, kind)


def heic() -> bytes:
    """The honest picture as a phone of another make sends it."""
    import pillow_heif

    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.open(io.BytesIO(receipt()))).save(buffer)
    return buffer.getvalue()


def pdf(objects: list[bytes], trailer: bytes = b"") -> bytes:
    body, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj" % number + content + b"endobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = b"%d" % (len(objects) + 1)
    return (
        body
        + b"xref\n0 "
        + size
        + b"\n0000000000 65535 f \n"
        + table
        + b"trailer<</Size "
        + size
        + b"/Root 1 0 R"
        + trailer
        + b">>\nstartxref\n%d\n%%%%EOF" % len(body)
    )


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<<" + entries + b"/Length %d>>stream\n" % len(data) + data + b"\nendstream"


def one_page(content: bytes, resources: bytes = b"", *more: bytes, box: bytes = b"0 0 595 842") -> bytes:
    return pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[" + box + b"]/Contents 4 0 R/Resources<<" + resources + b">>>>",
            content,
            *more,
        ]
    )


def jpeg_of_many_scans(scans: int = 1500) -> bytes:
    """A progressive JPEG whose last scan is repeated: each one goes over all its pixels again."""
    data = encoded(Image.new("L", (6000, 6000), 128), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * scans + b"\xff\xd9"


def pdf_of_pages(count: int) -> bytes:
    kids = b" ".join(b"%d 0 R" % number for number in range(3, count + 3))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"
    tree = b"<</Type/Pages/Kids[" + kids + b"]/Count %d>>" % count
    return pdf([b"<</Type/Catalog/Pages 2 0 R>>", tree, *[page] * count])


def polyglot_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("run.sh", "echo pwned")
    return receipt("PNG") + buffer.getvalue()


def polyglot_pdf() -> bytes:
    """A JPEG whose comment is a PDF: which reader opens it must not depend on who looks."""
    jpeg, document = receipt(), pdf_of_pages(1)
    return jpeg[:2] + b"\xff\xfe" + struct.pack(">H", len(document) + 2) + document + jpeg[2:]


def nested_forms() -> bytes:
    """Thirty forms, each drawn ten times by the one before: ten to the power of thirty drawings."""
    forms = [
        stream(
            b"/F Do " * 10,
            b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F %d 0 R>>>>" % (number + 1),
        )
        for number in range(5, 35)
    ]
    last = stream(b"0 0 9 9 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]")
    return one_page(stream(b"/F Do"), b"/XObject<</F 5 0 R>>", *forms, last)


def tiny_tiles() -> bytes:
    tile = stream(
        b"0 0 .01 .01 re f",
        b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 1 1]/XStep .01/YStep .01/Resources<<>>",
    )
    return one_page(stream(b"/Pattern cs /P scn 0 0 595 842 re f"), b"/Pattern<</P 5 0 R>>", tile)


def huge_image_in_pdf() -> bytes:
    picture = stream(
        zeros(110 * 2**20),
        b"/Type/XObject/Subtype/Image/Width 30000/Height 30000/BitsPerComponent 1/ColorSpace/DeviceGray"
        b"/Filter/FlateDecode",
    )
    return one_page(stream(b"595 0 0 842 0 0 cm /I Do"), b"/XObject<</I 5 0 R>>", picture)


def many_words() -> bytes:
    words = b"BT /F 3 Tf " + b"".join(b"1 0 0 1 %d %d Tm (x)Tj " % (n % 590, n // 590) for n in range(300_000)) + b"ET"
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    return one_page(stream(zlib.compress(words), b"/Filter/FlateDecode"), b"/Font<</F 5 0 R>>", font)


def looping_pages() -> bytes:
    return pdf([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2/Parent 2 0 R>>"])


def looping_xref() -> bytes:
    whole = pdf_of_pages(1)
    return whole.replace(b"/Root 1 0 R", b"/Root 1 0 R/Prev %d" % whole.rindex(b"xref\n0"))


def packed_text_png() -> bytes:
    text = png_chunk(b"zTXt", b"Comment\x00\x00" + zeros(100 * 2**20))
    return png(100, 100, zlib.compress(bytes(1400)), text)


FILES: dict[str, Callable[[], bytes]] = {
    "png of 400 megapixels": lambda: png(20_000, 20_000, zeros(48 * 2**20)),
    "png of 39 megapixels, all zeros": lambda: png(6200, 6200, zlib.compress(bytes(776 * 6200), 9)),
    "png that claims 4 billion pixels a side": lambda: png(2**31 - 1, 2**31 - 1, b"x"),
    "png whose pixels unpack to more than it has": lambda: png(100, 100, zeros(128 * 2**20)),
    "png whose comment unpacks to 100 MB": packed_text_png,
    "jpeg of a thousand scans": jpeg_of_many_scans,
    "jpeg that claims 65500 pixels a side": lambda: receipt().replace(b"\x01\xf4\x02\xbc", b"\xff\xdc\xff\xdc", 1),
    "webp that claims 16384 pixels a side": lambda: (
        b"RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\xff\x3f\x00\xff\x3f\x00"
    ),
    "truncated jpeg": lambda: receipt()[:3000],
    "truncated png": lambda: receipt("PNG")[:900],
    "truncated webp": lambda: receipt("WEBP")[:900],
    "truncated pdf": lambda: pdf_of_pages(3)[:120],
    "jpeg under the name of a png": lambda: b"\x89PNG\r\n\x1a\n" + receipt(),
    "heic of noise": lambda: b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(range(256)) * 40,
    "heic cut in the middle of its picture": lambda: heic()[: len(heic()) * 2 // 3],
    "heic cut in its table of contents": lambda: heic()[:120],
    "heic that claims 65535 pixels a side": lambda: heic().replace(
        b"ispe" + bytes(4) + struct.pack(">II", 700, 500), b"ispe" + bytes(4) + struct.pack(">II", 65535, 65535)
    ),
    "png and zip in one": polyglot_zip,
    "heic and pdf in one": lambda: heic() + pdf_of_pages(1),
    "jpeg and pdf in one": polyglot_pdf,
    "pdf and html in one": lambda: b"<html><script>alert(1)</script>" + pdf_of_pages(1),
    "svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "svg with entities": lambda: b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "aaaa">]><svg>&a;&a;</svg>',
    "gif": lambda: encoded(Image.new("P", (9, 9)), "GIF"),
    "tiff": lambda: encoded(Image.new("RGB", (9, 9)), "TIFF"),
    "bmp": lambda: encoded(Image.new("RGB", (9, 9)), "BMP"),
    "zip": lambda: polyglot_zip()[len(receipt("PNG")) :],
    "program": lambda: b"\x7fELF" + bytes(200),
    "pdf of 5000 pages": lambda: pdf_of_pages(5000),
    "pdf packed three times": lambda: one_page(
        stream(zeros(400 * 2**20, 3), b"/Filter[/FlateDecode/FlateDecode/FlateDecode]")
    ),
    "pdf with a picture of 900 megapixels": huge_image_in_pdf,
    "pdf whose forms draw each other": nested_forms,
    "pdf with a billion tiles": tiny_tiles,
    "pdf with 300,000 words": many_words,
    "pdf whose pages are their own parents": looping_pages,
    "pdf whose tables point at each other": looping_xref,
    "pdf of a page as large as a country": lambda: one_page(stream(b""), box=b"0 0 1e30 1e30"),
    "pdf without a page": lambda: pdf([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>"]),
    "pdf that wants to start a program": lambda: pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R/OpenAction<</S/Launch/F(/bin/sh)>>/AA<</O<</S/JavaScript/JS(while(1);)>>>>>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
        ]
    ),
}


@cache
def hostile(name: str) -> bytes:
    """Make one of the files; the same one is made once."""
    return FILES[name]()
