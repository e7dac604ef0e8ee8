"""Paints a demo invoice as the picture a customer would send.

The PNG carries its own text with boxes in an iTXt chunk (``LINES_CHUNK``): the stand-in Vision reads that
chunk, a real OCR engine reads the picture. A photo that was re-encoded on its way has lost the chunk, as it
should: the stand-in never invents text.
"""

from __future__ import annotations

import io
import json
from datetime import date
from importlib.resources import files
from typing import Literal

from PIL import Image, ImageDraw, ImageFilter, ImageOps
from PIL.PngImagePlugin import PngInfo

from smarteros_sandbox.shops.lettering import PAPER, Box, draw_line
from smarteros_sandbox.shops.models import DemoShop, InvoiceSpec, PartnerSpec

LINES_CHUNK = "smos-lines"
PAGE_WIDTH, PAGE_HEIGHT = 900, 1200
MARGIN = 90
TITLES = {"33": "FACTURA ELECTRÓNICA", "39": "BOLETA ELECTRÓNICA"}
# Chosen so that a real engine finds no field of at least 0.7 confidence on a blurred page.
BLUR_RADIUS = 12
BLUR_VEIL = 0.72

TIMBRE_HEIGHT = 340
TIMBRE_BLUR = 3
ALTERED_TIMBRE = "data/altered-timbre.png"  # drawn by sandbox/scripts/draw_altered_timbre.py

PlacedLine = tuple[str, Box]
Timbre = Literal["altered", "unreadable"]
TIMBRES: dict[str, Timbre] = {"altered": "altered", "unreadable": "unreadable"}


def render_invoice(
    shop: DemoShop, invoice: InvoiceSpec, *, blurred: bool = False, timbre: Timbre | None = None
) -> bytes:
    """The invoice as PNG bytes; ``blurred`` is the photo nobody can read.

    ``timbre`` prints the boleta's electronic stamp below: ``altered`` is one whose signatures do not verify,
    ``unreadable`` the same out of focus and misprinted, on paper whose number and date are smudged.
    """
    height = PAGE_HEIGHT if timbre is None else PAGE_HEIGHT + TIMBRE_HEIGHT
    page = Image.new("L", (PAGE_WIDTH, height), PAPER)
    lines = _paint(ImageDraw.Draw(page), shop, invoice)
    stamped = _stamp(page, PAGE_HEIGHT) if timbre is not None else None
    if stamped is not None and timbre == "unreadable":
        _misprint(page, stamped)
        _smudge(page, (0, PAGE_HEIGHT, PAGE_WIDTH, height), TIMBRE_BLUR)
        for text, (left, top, right, bottom) in lines:
            if text.startswith(("Número", "Fecha")):
                _smudge(page, (left, top - 8, right + 8, bottom + 8), BLUR_RADIUS)
    if blurred:
        veil = Image.new("L", page.size, 170)
        page = Image.blend(page.filter(ImageFilter.GaussianBlur(BLUR_RADIUS)), veil, BLUR_VEIL)
    chunk = PngInfo()
    chunk.add_itxt(LINES_CHUNK, _chunk_text(lines, blurred=blurred), zip=True)
    buffer = io.BytesIO()
    page.save(buffer, "PNG", pnginfo=chunk, optimize=False)
    return buffer.getvalue()


def _stamp(page: Image.Image, top: int) -> Box:
    with Image.open(io.BytesIO(files("smarteros_sandbox.shops").joinpath(ALTERED_TIMBRE).read_bytes())) as drawn:
        left = (PAGE_WIDTH - drawn.width) // 2
        page.paste(drawn.convert("L"), (left, top))
        return left, top, left + drawn.width, top + drawn.height


def _misprint(page: Image.Image, stamped: Box) -> None:
    """Turn the middle of a stamp upside down: it looks like one, and no correction of errors can mend it."""
    left, top, right, bottom = stamped
    fifth = (right - left) // 5
    middle = (left + fifth, top, right - fifth, bottom)
    page.paste(ImageOps.flip(page.crop(middle)), middle[:2])


def _smudge(page: Image.Image, box: Box, radius: int) -> None:
    page.paste(page.crop(box).filter(ImageFilter.GaussianBlur(radius)), (box[0], box[1]))


def invoice_lines(shop: DemoShop, invoice: InvoiceSpec) -> list[str]:
    """What the paper says below its title, top to bottom."""
    lines = [
        f"Número: {invoice.number}",
        f"Fecha: {_chilean_date(invoice.invoice_date)}",
        *_receiver_lines(shop, invoice),
        f"Producto: {invoice.product_name}",
    ]
    if invoice.size is not None:
        lines.append(f"Talla: {invoice.size}")
    if invoice.quantity != 1:
        lines.append(f"Cantidad: {invoice.quantity}")
    lines.append(f"Precio: {_thousands(invoice.price)} CLP")
    lines.append(f"Total: ${_thousands(invoice.price * invoice.quantity)}")
    if invoice.printed_warranty_days is not None:
        lines.append(f"Garantía: {invoice.printed_warranty_days} días")
    return lines


def _receiver_lines(shop: DemoShop, invoice: InvoiceSpec) -> list[str]:
    """A factura names its receiver, a boleta does not."""
    partner = _partner(shop, invoice.partner_id)
    if invoice.document_type != "33" or partner is None:
        return []
    rut = [f"RUT cliente: {_dotted_rut(partner.vat)}"] if partner.vat else []
    return [f"Cliente: {partner.name}", *rut]


def _partner(shop: DemoShop, partner_id: int) -> PartnerSpec | None:
    return next((partner for partner in shop.partners if partner.id == partner_id), None)


def _paint(canvas: ImageDraw.ImageDraw, shop: DemoShop, invoice: InvoiceSpec) -> list[PlacedLine]:
    head = [(shop.spec.name, 46), (f"RUT: {_dotted_rut(shop.spec.rut)}", 32), (shop.spec.address, 24)]
    body = [(text, 36) for text in invoice_lines(shop, invoice)]
    foot = [("Gracias por tu compra", 28)]
    placed: list[PlacedLine] = []
    top = _paint_lines(canvas, head, 80, placed)
    frame_top = top + 15
    top = _paint_lines(canvas, [(TITLES[invoice.document_type], 44)], frame_top + 25, placed)
    canvas.rectangle((MARGIN - 25, frame_top, PAGE_WIDTH - MARGIN + 25, top + 5), outline=20, width=4)
    top = _paint_lines(canvas, body, top + 45, placed)
    canvas.line((MARGIN, top + 15, PAGE_WIDTH - MARGIN, top + 15), fill=120, width=2)
    _paint_lines(canvas, foot, top + 40, placed)
    return placed


def _paint_lines(canvas: ImageDraw.ImageDraw, lines: list[tuple[str, int]], top: int, placed: list[PlacedLine]) -> int:
    for text, size in lines:
        placed.append((text, draw_line(canvas, MARGIN, top, text, size)))
        top += round(size * 1.75)
    return top


def _chunk_text(lines: list[PlacedLine], *, blurred: bool) -> str:
    rows = [{"text": text, "box": list(box)} for text, box in lines]
    return json.dumps({"blurred": blurred, "lines": rows}, ensure_ascii=False)


def _chilean_date(day: date | None) -> str:
    if day is None:
        raise ValueError("the invoice has no date: load it through load_shops")
    return day.strftime("%d/%m/%Y")


def _thousands(pesos: int) -> str:
    return f"{pesos:,}".replace(",", ".")


def _dotted_rut(rut: str) -> str:
    number, digit = rut.split("-")
    return f"{_thousands(int(number))}-{digit}"
