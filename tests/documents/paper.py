"""A sheet of paper as drawing steps, which become pixels or a PDF."""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

Face = Literal["sans", "bold", "mono", "serif", "narrow", "humanist", "grotesque", "slab"]
_FOLDERS = ("/usr/share/fonts/truetype/liberation", "/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/liberation",
            "/usr/share/fonts/opentype/inter")  # fmt: skip
_FILES: dict[Face, tuple[str, ...]] = {
    "sans": ("LiberationSans-Regular.ttf", "DejaVuSans.ttf"),
    "bold": ("LiberationSans-Bold.ttf", "DejaVuSans-Bold.ttf"),
    "mono": ("LiberationMono-Regular.ttf", "DejaVuSansMono.ttf"),
    "serif": ("LiberationSerif-Regular.ttf", "DejaVuSerif.ttf"),
    "narrow": ("LiberationSansNarrow-Regular.ttf", "DejaVuSansCondensed.ttf"),
    "humanist": ("DejaVuSans.ttf", "LiberationSans-Regular.ttf"),
    "grotesque": ("Inter-Regular.otf", "DejaVuSans.ttf", "LiberationSans-Regular.ttf"),
    "slab": ("DejaVuSerif.ttf", "LiberationSerif-Regular.ttf"),
}
_PDF_FONTS: dict[Face, str] = {
    "sans": "Helvetica", "bold": "Helvetica-Bold", "mono": "Courier", "serif": "Times-Roman", "narrow": "Helvetica",
    "humanist": "Helvetica", "grotesque": "Helvetica", "slab": "Times-Roman",
}  # fmt: skip


@functools.cache
def typeface(face: Face, size: int) -> ImageFont.FreeTypeFont | None:
    """A system font with Spanish letters; None when the machine has none."""
    for name in _FILES[face]:
        for folder in _FOLDERS:
            if (Path(folder) / name).is_file():
                return ImageFont.truetype(str(Path(folder) / name), size)
    return None


def fonts_present() -> bool:
    """Whether this machine can draw the letters the invoices need."""
    return typeface("sans", 20) is not None and typeface("mono", 20) is not None


@dataclass(frozen=True)
class Text:
    """A line of text; ``x`` is its left edge, middle or right edge by ``align``."""

    x: float
    y: float
    text: str
    size: int
    face: Face = "sans"
    align: Literal["l", "m", "r"] = "l"
    colour: str = "#151515"


@dataclass(frozen=True)
class Stroke:
    """A line, or with ``box`` a frame; ``fill`` paints it."""

    x0: float
    y0: float
    x1: float
    y1: float
    box: bool = False
    width: int = 2
    colour: str = "#222222"
    fill: str | None = None
    dashed: bool = False


@dataclass(frozen=True)
class Barcode:
    """Rows of modules, ``width`` wide; a row is ``ratio`` modules high."""

    x: float
    y: float
    width: float
    rows: list[list[bool]]
    ratio: float = 3.0

    @property
    def height(self) -> float:
        return self.width / len(self.rows[0]) * self.ratio * len(self.rows)


@dataclass
class Sheet:
    """A page under construction: units are pixels of the drawn picture."""

    width: int
    height: int
    steps: list[Text | Stroke | Barcode] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        """All that is printed, in the order it was put down."""
        return [step.text for step in self.steps if isinstance(step, Text)]

    def text(
        self, x: float, y: float, text: str, size: int, face: Face = "sans", align: str = "l", colour: str = "#151515"
    ) -> None:
        """Put a line of text down."""
        self.steps.append(Text(x, y, text, size, face, align, colour))  # type: ignore[arg-type]

    def barcode(self) -> Barcode | None:
        """The timbre, if there is one."""
        return next((step for step in self.steps if isinstance(step, Barcode)), None)

    def picture(self, *, ink: float = 1.0) -> Image.Image:
        """The page as pixels; ``ink`` below 1 is a worn thermal print."""
        page = Image.new("RGB", (self.width, self.height), "white")
        canvas = ImageDraw.Draw(page)
        for step in self.steps:
            if isinstance(step, Text):
                font = typeface(step.face, step.size)
                canvas.text((step.x, step.y), step.text, font=font, fill=step.colour, anchor=step.align + "a")
            elif isinstance(step, Barcode):
                page.paste(_bars(step), (round(step.x), round(step.y)))
            else:
                _stroke(canvas, step)
        return page if ink >= 1.0 else Image.blend(Image.new("RGB", page.size, "white"), page, ink)

    def pdf(self, *, text_layer: bool = True) -> bytes:
        """The page as a PDF: with text and vectors, or as a scan."""
        if not text_layer:
            buffer = io.BytesIO()
            self.picture().save(buffer, "PDF", resolution=self.width / 8.27)
            return buffer.getvalue()
        return _pdf(self)


def _bars(code: Barcode) -> Image.Image:
    pixels = Image.new("L", (len(code.rows[0]), len(code.rows)), 255)
    pixels.putdata([0 if module else 255 for row in code.rows for module in row])
    return pixels.resize(
        (round(code.width), round(code.height)),
        Image.Resampling.BOX if code.width < len(code.rows[0]) * 2 else Image.Resampling.NEAREST,
    )


def _stroke(canvas: ImageDraw.ImageDraw, step: Stroke) -> None:
    if step.box:
        canvas.rectangle((step.x0, step.y0, step.x1, step.y1), outline=step.colour, width=step.width, fill=step.fill)
    elif step.dashed:
        for x in range(int(step.x0), int(step.x1), 16):
            canvas.line((x, step.y0, min(x + 9, step.x1), step.y1), fill=step.colour, width=step.width)
    else:
        canvas.line((step.x0, step.y0, step.x1, step.y1), fill=step.colour, width=step.width)


def _pdf(sheet: Sheet) -> bytes:
    unit = 595 / sheet.width
    height = sheet.height * unit
    faces = list(_PDF_FONTS)
    drawn: list[bytes] = []
    for step in sheet.steps:
        if isinstance(step, Text):
            font = typeface(step.face, step.size)
            length = font.getlength(step.text) if font else 0
            x = step.x - {"l": 0, "m": length / 2, "r": length}[step.align]
            letters = step.text.encode("cp1252", "replace")
            escaped = letters.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
            place = f"{x * unit:.2f} {height - (step.y + step.size * 0.9) * unit:.2f}"
            drawn.append(
                f"BT /F{faces.index(step.face)} {step.size * unit:.2f} Tf {place} Td (".encode() + escaped + b") Tj ET"
            )
        elif isinstance(step, Barcode):
            drawn.append(_bars_as_pdf(step, unit, height))
        else:
            x0, y0, x1, y1 = step.x0 * unit, height - step.y0 * unit, step.x1 * unit, height - step.y1 * unit
            shape = (
                f"{x0:.2f} {y1:.2f} {x1 - x0:.2f} {y0 - y1:.2f} re S"
                if step.box
                else f"{x0:.2f} {y0:.2f} m {x1:.2f} {y1:.2f} l S"
            )
            drawn.append(shape.encode())
    stream = b"\n".join(drawn)
    fonts = "".join(f"/F{at} {5 + at} 0 R" for at in range(len(faces)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 {height:.1f}]/Contents 4 0 R"
        f"/Resources<</Font<<{fonts}>>>>>>".encode(),
        b"<</Length " + str(len(stream)).encode() + b">>stream\n" + stream + b"\nendstream",
        *(
            f"<</Type/Font/Subtype/Type1/BaseFont/{_PDF_FONTS[face]}/Encoding/WinAnsiEncoding>>".encode()
            for face in faces
        ),
    ]
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{number} 0 obj".encode() + content + b"endobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    count = len(objects) + 1
    tail = f"{table}trailer<</Size {count}/Root 1 0 R>>\nstartxref\n{len(body)}\n%%EOF"
    return body + f"xref\n0 {count}\n0000000000 65535 f \n{tail}".encode()


def _bars_as_pdf(code: Barcode, unit: float, height: float) -> bytes:
    module = code.width / len(code.rows[0]) * unit
    tall = module * code.ratio
    out: list[str] = []
    for at, row in enumerate(code.rows):
        start = None
        for x, black in enumerate([*row, False]):
            if black and start is None:
                start = x
            elif not black and start is not None:
                left, bottom = code.x * unit + start * module, height - code.y * unit - (at + 1) * tall
                out.append(f"{left:.3f} {bottom:.3f} {(x - start) * module:.3f} {tall:.3f} re")
                start = None
    return ("\n".join(out) + "\nf").encode()
