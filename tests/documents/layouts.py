"""How shops print what they sell: A4 and thermal paper, with a timbre and without."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from tests.documents.paper import Barcode, Face, Sheet, Stroke
from tests.documents.stamps import modules
from tests.documents.words import FAREWELLS, LONG_MONTHS, MONTHS, PAYMENTS, dotted, thousands

TITLES = {
    33: "FACTURA ELECTRÓNICA", 34: "FACTURA EXENTA ELECTRÓNICA", 39: "BOLETA ELECTRÓNICA",
    52: "GUÍA DE DESPACHO ELECTRÓNICA", 61: "NOTA DE CRÉDITO ELECTRÓNICA",
}  # fmt: skip
A4 = (1654, 2339)  # 200 dpi


@dataclass(frozen=True)
class Item:
    """One row of goods."""

    name: str
    size: str | None
    quantity: int
    price: int

    @property
    def amount(self) -> int:
        return self.quantity * self.price


@dataclass(frozen=True)
class Invoice:
    """What a document says. ``kind`` is SII's document type, None for paper without one."""

    kind: int | None
    shop: str
    rut: str
    trade: str
    address: str
    town: str
    number: str
    issued: date
    items: tuple[Item, ...]
    warranty_days: int | None
    buyer: str
    buyer_rut: str
    ted: bytes | None = None

    @property
    def total(self) -> int:
        return sum(item.amount for item in self.items)

    @property
    def net(self) -> int:
        return round(self.total / 1.19)


Layout = Callable[[Invoice, random.Random], Sheet]


def sii_classic(invoice: Invoice, rng: random.Random) -> Sheet:
    """The classic factura: red box at the upper right, table, timbre at the lower left."""
    sheet = Sheet(*A4)
    sheet.text(90, 100, invoice.shop.upper(), 40, "bold")
    for at, line in enumerate((f"Giro: {invoice.trade}", invoice.address, invoice.town, "Fono: 45 2 000 000")):
        sheet.text(90, 160 + at * 34, line, 24)
    boxed(sheet, 1020, 80, 1560, 300, "#b01010")
    for at, line in enumerate(
        (f"R.U.T.: {dotted(invoice.rut)}", _title(invoice), f"{rng.choice(('N°', 'Nº', 'FOLIO N°'))} {invoice.number}")
    ):
        sheet.text(1290, 110 + at * 60, line, 34, "bold", "m", "#b01010")
    sheet.text(1290, 312, f"S.I.I. - {invoice.town.upper()}", 24, "bold", "m", "#b01010")
    boxed(sheet, 90, 380, 1560, 560)
    issued = rng.choice(("Fecha emisión:", "Fecha Emisión :", "FECHA:"))
    rows = (("SEÑOR(ES):", invoice.buyer, issued, day_of(invoice.issued, rng)),
            ("R.U.T.:", dotted(invoice.buyer_rut), "Condición de pago:", rng.choice(PAYMENTS)),
            ("GIRO:", "Particular", "Vencimiento:", day_of(invoice.issued + timedelta(days=30), rng)))  # fmt: skip
    for at, (a, b, c, d) in enumerate(rows):
        for x, text, face in ((110, a, "bold"), (320, b, "sans"), (950, c, "bold"), (1230, d, "sans")):
            sheet.text(x, 400 + at * 50, text, 25, _face(face))
    end = _table(sheet, invoice, rng, 610)
    warranty_line(sheet, invoice, rng, 100, max(end, 1500))
    _sums(sheet, invoice, rng, 1150, 1540, max(end, 1500))
    place_timbre(sheet, invoice, rng, 110, 1760, rng.uniform(640, 760))
    return sheet


def pos_web(invoice: Invoice, rng: random.Random) -> Sheet:
    """A4 of a web billing service: header left, big title, light table."""
    sheet = Sheet(*A4)
    serif: Face = rng.choice(("sans", "serif", "narrow"))
    sheet.text(120, 120, invoice.shop, 46, "bold", colour="#204080")
    sheet.text(120, 190, f"RUT {dotted(invoice.rut)}  ·  {invoice.trade}", 26, serif)
    sheet.text(120, 228, f"{invoice.address}, {invoice.town}", 26, serif)
    sheet.steps.append(Stroke(120, 280, 1534, 280, width=3))
    title = _title(invoice).capitalize() if rng.random() < 0.5 else _title(invoice)
    sheet.text(120, 310, f"{title} N° {invoice.number}", 42, "bold")
    sheet.text(120, 400, "Fecha de emisión", 24, serif, colour="#555555")
    sheet.text(120, 434, day_of(invoice.issued, rng), 28, serif)
    sheet.text(560, 400, "Fecha de vencimiento", 24, serif, colour="#555555")
    sheet.text(560, 434, day_of(invoice.issued + timedelta(days=30), rng), 28, serif)
    sheet.text(1000, 400, "Cliente", 24, serif, colour="#555555")
    sheet.text(1000, 434, f"{invoice.buyer}", 28, serif)
    sheet.text(1000, 470, f"RUT {dotted(invoice.buyer_rut)}", 24, serif)
    end = _table(sheet, invoice, rng, 560, face=serif)
    _sums(sheet, invoice, rng, 1050, 1534, end + 60, serif)
    warranty_line(sheet, invoice, rng, 120, end + 70)
    place_timbre(sheet, invoice, rng, 480, 1700, rng.uniform(680, 780))
    return sheet


def thermal(invoice: Invoice, rng: random.Random) -> Sheet:
    """80 mm paper of a till at 8 dots/mm, drawn twice as large."""
    wide = 1152
    face: Face = rng.choice(("mono", "sans", "narrow"))
    size = 38 if face == "mono" else 42
    sheet = Sheet(wide, 4000)
    y = 60.0

    def put(text: str, align: str = "m", *, larger: int = 0, bold: bool = False) -> None:
        nonlocal y
        x = {"l": 60, "m": wide / 2, "r": wide - 60}[align]
        sheet.text(x, y, text, size + larger, "bold" if bold else face, align)
        y += (size + larger) * 1.45

    def pair(left: str, right: str, *, bold: bool = False) -> None:
        nonlocal y
        used: Face = "bold" if bold else face
        sheet.text(60, y, left, size, used)
        sheet.text(wide - 60, y, right, size, used, "r")
        y += size * 1.45

    def rule() -> None:
        nonlocal y
        sheet.steps.append(Stroke(50, y + 8, wide - 50, y + 8, dashed=rng.random() < 0.6, width=3))
        y += 36

    put(invoice.shop.upper(), larger=8, bold=True)
    put(f"R.U.T. {dotted(invoice.rut)}" if rng.random() < 0.6 else f"RUT: {invoice.rut}")
    put(invoice.trade[:38])
    put(invoice.address)
    put(invoice.town)
    rule()
    put(_title(invoice), larger=4, bold=True)
    put(f"{rng.choice(('N° ', 'NRO. ', 'Folio: ', 'Nº '))}{invoice.number}", larger=4, bold=True)
    if invoice.kind:
        put(f"S.I.I. - {invoice.town}")
    rule()
    clock = f" {rng.randint(9, 20)}:{rng.randint(10, 59)}" if rng.random() < 0.6 else ""
    put(f"{rng.choice(('Fecha:', 'FECHA EMISIÓN:', 'Fecha '))} {day_of(invoice.issued, rng, words=False)}{clock}", "l")
    put(f"Vendedor: {rng.randint(2, 40)}   Caja {rng.randint(1, 9)}", "l")
    rule()
    for item in invoice.items:
        name = _printed(item, rng)
        if rng.random() < 0.5:
            put(name, "l")
            pair(f"  {item.quantity} x {thousands(item.price)}", thousands(item.amount))
        else:
            pair(f"{item.quantity} {name}"[:38] if rng.random() < 0.3 else name[:38], thousands(item.amount))
    rule()
    if rng.random() < 0.6:
        pair("NETO $", thousands(invoice.net))
        pair("IVA 19% $", thousands(invoice.total - invoice.net))
    pair(rng.choice(("TOTAL $", "TOTAL", "Total a pagar $", "TOTAL:")), thousands(invoice.total), bold=True)
    pair(rng.choice(PAYMENTS), thousands(invoice.total))
    if rng.random() < 0.3:
        pair("Vuelto", "0")
    rule()
    if invoice.warranty_days:
        put(
            rng.choice((f"Garantía {invoice.warranty_days} días con boleta", f"GARANTÍA: {invoice.warranty_days} DÍAS"))
        )
    put(rng.choice(FAREWELLS))
    y = place_timbre(
        sheet, invoice, rng, 90, y + 20, wide - 180, columns=rng.choice((10, 12, 14)), size=size - 6, middle=wide / 2
    )
    sheet.height = int(y + 80)
    return sheet


def label(invoice: Invoice, rng: random.Random) -> Sheet:
    """A plain sheet of labels and values, as small shops print them."""
    sheet = Sheet(1240, 1600)
    face: Face = rng.choice(("sans", "serif"))
    lines = [
        rng.choice(("FACTURA", "BOLETA", "COMPROBANTE DE VENTA")), invoice.shop, f"RUT emisor: {dotted(invoice.rut)}",
        f"{rng.choice(('Número', 'N° Documento', 'Folio'))}: {invoice.number}",
        f"Fecha: {day_of(invoice.issued, rng, words=False)}",
        f"Producto: {invoice.items[0].name}",
        *([f"Talla: {invoice.items[0].size}"] if invoice.items[0].size else []),
        f"Precio: {thousands(invoice.items[0].price)} CLP", f"Cantidad: {invoice.items[0].quantity}",
        f"Total: ${thousands(invoice.total)}",
        *([f"Garantía: {invoice.warranty_days} días"] if invoice.warranty_days else []),
    ]  # fmt: skip
    for at, line in enumerate(lines):
        sheet.text(110, 130 + at * 104, line, 60 if at == 0 else 46, "bold" if at == 0 else face)
    return sheet


def credit_note(invoice: Invoice, rng: random.Random) -> Sheet:
    """A nota de crédito: it names the document it corrects, whose number and date are not its own."""
    sheet = sii_classic(invoice, rng)
    earlier = invoice.issued - timedelta(days=rng.randint(5, 60))
    sheet.text(
        110,
        575,
        f"Referencia: Factura Electrónica N° {rng.randint(100, 99999)} del {earlier:%d-%m-%Y}. Devolución.",
        22,
    )
    return sheet


def two_columns(invoice: Invoice, rng: random.Random) -> Sheet:
    """A small-format boleta/factura: number box in the middle, labels in two columns, totals left of the timbre."""
    sheet = Sheet(1654, 1500)
    sheet.text(827, 70, invoice.shop, 42, "bold", "m")
    sheet.text(827, 130, f"{invoice.trade} - {invoice.address} - {invoice.town}", 23, "sans", "m")
    boxed(sheet, 527, 170, 1127, 350, "#101060")
    for at, line in enumerate((f"RUT: {invoice.rut}", _title(invoice), f"N°{invoice.number}")):
        sheet.text(827, 185 + at * 52, line, 32, "bold", "m", "#101060")
    left, right = 90, 900
    sheet.text(left, 390, f"Cliente: {invoice.buyer}", 26)
    sheet.text(left, 430, f"RUT cliente: {dotted(invoice.buyer_rut)}", 26)
    sheet.text(right, 390, f"Emitida el {day_of(invoice.issued, rng)}", 26)
    sheet.text(right, 430, f"Forma de pago: {rng.choice(PAYMENTS)}", 26)
    end = _table(sheet, invoice, rng, 500)
    _sums(sheet, invoice, rng, 1080, 1560, end + 40)
    warranty_line(sheet, invoice, rng, 90, end + 50)
    bottom = place_timbre(sheet, invoice, rng, 90, end + 130, rng.uniform(640, 720))
    sheet.height = int(max(bottom, end + 300) + 70)
    return sheet


def _title(invoice: Invoice) -> str:
    return TITLES[invoice.kind] if invoice.kind else "NOTA DE VENTA"


def _printed(item: Item, rng: random.Random) -> str:
    if item.size is None:
        return item.name
    return f"{item.name} {rng.choice(('Talla', 'T.', 'talla', 'TALLA'))} {item.size}".replace("T. ", "T")


def _table(sheet: Sheet, invoice: Invoice, rng: random.Random, top: int, *, face: Face = "sans") -> int:
    """The goods; returns where the table ends."""
    left, right = 90, sheet.width - 94
    coded = rng.random() < 0.6
    heads = rng.choice(
        (
            ("Código", "Descripción", "Cant.", "Precio", "Valor"),
            ("CÓDIGO", "DETALLE", "CANTIDAD", "P. UNITARIO", "TOTAL"),
            ("Item", "Descripción", "Cantidad", "Precio Unit.", "Importe"),
        )
    )
    sheet.steps.append(Stroke(left, top, right, top + 48, box=True, fill="#dddddd" if rng.random() < 0.5 else None))
    places = (
        (left + 14, "l"),
        (left + (190 if coded else 14), "l"),
        (left + 960, "r"),
        (left + 1200, "r"),
        (right - 14, "r"),
    )
    for (x, align), head in zip(places, heads, strict=True):
        if coded or head != heads[0]:
            sheet.text(x, top + 8, head, 25, "bold", align)
    y = top + 66
    for item in invoice.items:
        cells = (
            f"{rng.choice('ABCPST')}{rng.randint(10000, 99999)}",
            _printed(item, rng),
            str(item.quantity),
            thousands(item.price),
            thousands(item.amount),
        )
        for (x, align), cell in zip(places, cells, strict=True):
            if coded or cell != cells[0]:
                sheet.text(x, y, cell, 26, face, align)
        y += 46
    sheet.steps.append(Stroke(left, y + 14, right, y + 14))
    return y + 30


def _sums(
    sheet: Sheet, invoice: Invoice, rng: random.Random, left: int, right: int, top: int, face: Face = "sans"
) -> None:
    names = rng.choice(
        (
            ("MONTO NETO $", "I.V.A. 19% $", "TOTAL $"),
            ("Neto", "IVA (19%)", "Total"),
            ("Subtotal", "IVA 19%", "TOTAL A PAGAR"),
        )
    )
    for at, (name, amount) in enumerate(
        zip(names, (invoice.net, invoice.total - invoice.net, invoice.total), strict=True)
    ):
        sheet.text(left, top + at * 48, name, 28, "bold" if at == 2 else face)
        sheet.text(
            right,
            top + at * 48,
            f"{rng.choice(('', '$ ', '$'))}{thousands(amount)}",
            28,
            "bold" if at == 2 else face,
            "r",
        )


def warranty_line(sheet: Sheet, invoice: Invoice, rng: random.Random, x: int, y: int) -> None:
    if invoice.warranty_days:
        sheet.text(
            x,
            y,
            rng.choice(
                (f"Garantía: {invoice.warranty_days} días", f"GARANTÍA DEL PRODUCTO {invoice.warranty_days} DÍAS")
            ),
            25,
        )


def place_timbre(
    sheet: Sheet, invoice: Invoice, rng: random.Random, x: float, y: float, width: float, *, columns: int = 14,
    size: int = 22, middle: float | None = None,
) -> float:  # fmt: skip
    if invoice.ted is None:
        return y
    code = Barcode(x, y, width, modules(invoice.ted, columns), rng.choice((2.0, 3.0)))
    sheet.steps.append(code)
    below = y + code.height + 12
    centre = middle or x + width / 2
    sheet.text(centre, below, "Timbre Electrónico SII", size, "sans", "m")
    sheet.text(centre, below + size * 1.4, "Res. 80 de 2014 - Verifique documento: www.sii.cl", size, "sans", "m")
    return below + size * 3


def day_of(day: date, rng: random.Random, *, words: bool = True) -> str:
    forms = [f"{day:%d/%m/%Y}", f"{day:%d-%m-%Y}", f"{day:%d.%m.%Y}", f"{day:%Y-%m-%d}"]
    if words:
        forms += [
            f"{day.day} de {LONG_MONTHS[day.month - 1]} de {day.year}",
            f"{day.day:02}-{MONTHS[day.month - 1]}-{day.year}",
        ]
    return rng.choice(forms)


def boxed(sheet: Sheet, x0: float, y0: float, x1: float, y1: float, colour: str = "#222222") -> None:
    sheet.steps.append(Stroke(x0, y0, x1, y1, box=True, width=4, colour=colour))


def _face(name: str) -> Face:
    return "bold" if name == "bold" else "sans"
