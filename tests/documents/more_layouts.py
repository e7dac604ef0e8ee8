"""More ways to print a sale: wrapped names, discounts, English, a web shop's order, a delivery note, a fee."""

from __future__ import annotations

import random
from datetime import timedelta

from tests.documents.layouts import Invoice, Item, boxed, day_of, place_timbre, warranty_line
from tests.documents.paper import Face, Sheet, Stroke
from tests.documents.words import (
    ENGLISH_MONTHS,
    FAREWELLS,
    PAYMENTS,
    PROFESSIONALS,
    SERVICES,
    dotted,
    rut_of,
    thousands,
)  # fmt: skip

_SHIPPING = ("Despacho a domicilio", "Costo de envío", "DESPACHO RM")


def thermal_wrapped(invoice: Invoice, rng: random.Random) -> Sheet:
    """Narrow 58 mm paper: a code above, a name on two lines, quantity and price under it, and what was taken off."""
    wide, size = 900, 38
    letters = rng.choice((16, 18, 20))
    face: Face = rng.choice(("mono", "sans"))
    sheet = Sheet(wide, 5000)
    y = 50.0

    def put(left: str, right: str = "", *, middle: bool = False, used: Face = face) -> None:
        nonlocal y
        sheet.text(wide / 2 if middle else 40, y, left, size, used, "m" if middle else "l")
        if right:
            sheet.text(wide - 40, y, right, size, used, "r")
        y += size * 1.4

    def rule() -> None:
        nonlocal y
        sheet.steps.append(Stroke(40, y + 6, wide - 40, y + 6, dashed=True, width=3))
        y += 30

    put(invoice.shop.upper()[:30], middle=True, used="bold")
    put(f"RUT {dotted(invoice.rut)}", middle=True)
    put(invoice.address, middle=True)
    put(invoice.town.upper(), middle=True)
    rule()
    put("BOLETA ELECTRONICA" if invoice.kind else "COMPROBANTE DE VENTA", middle=True, used="bold")
    put(f"{rng.choice(('NUMERO', 'Nro', 'N°', 'FOLIO'))}: {invoice.number}", middle=True, used="bold")
    put(f"{invoice.issued:%d-%m-%Y}  {rng.randint(10, 20)}:{rng.randint(10, 59)}:{rng.randint(10, 59)}", middle=True)
    put(f"Suc: {rng.randint(1, 80):03}  Caja: {rng.randint(1, 20):02}  Trx: {rng.randint(1000, 9999)}")
    rule()
    for item in invoice.items:
        if rng.random() < 0.5:
            put(f"{rng.randint(10**12, 10**13 - 1)}")
        lines = _wrapped(_sized(item), letters)
        off = round(item.amount / 0.8) - item.amount if rng.random() < 0.4 else 0
        for line in lines[:-1]:
            put(line)
        if rng.random() < 0.5:
            put(lines[-1], thousands(item.amount + off))
        else:
            put(lines[-1])
            put(f"{item.quantity} X {thousands((item.amount + off) // item.quantity)}", thousands(item.amount + off))
        if off:
            put("DCTO 20%", f"-{thousands(off)}")
    rule()
    put(rng.choice(("TOTAL $", "TOTAL", "TOTAL A PAGAR")), thousands(invoice.total), used="bold")
    if rng.random() < 0.5:
        put("EFECTIVO", thousands(-(-invoice.total // 10_000) * 10_000))
        put("VUELTO", thousands(-(-invoice.total // 10_000) * 10_000 - invoice.total))
    else:
        put(f"TARJETA {rng.choice(('DEBITO', 'CREDITO'))}", thousands(invoice.total))
    put(f"El IVA incluido es $ {thousands(invoice.total - invoice.net)}")
    rule()
    if invoice.warranty_days:
        put(f"Garantía {invoice.warranty_days} días")
    put(rng.choice(FAREWELLS), middle=True)
    y = place_timbre(sheet, invoice, rng, 40, y + 20, wide - 80, columns=rng.choice((8, 10)), size=28, middle=wide / 2)
    sheet.height = int(y + 60)
    return sheet


def discount_columns(invoice: Invoice, rng: random.Random) -> Sheet:
    """A wholesaler's factura: net prices, columns for discount and for what bears no tax, sums in five rows."""
    sheet = Sheet(1654, 2339)
    left, right = 80, 1574
    boxed(sheet, left, 70, 560, 250, "#107030")
    for at, line in enumerate((f"R.U.T. {dotted(invoice.rut)}", "FACTURA ELECTRONICA", f"Nº {invoice.number}")):
        sheet.text(320, 88 + at * 54, line, 32, "bold", "m", "#107030")
    sheet.text(right, 80, invoice.shop, 38, "bold", "r")
    for at, line in enumerate((invoice.trade, f"{invoice.address} - {invoice.town}")):
        sheet.text(right, 136 + at * 34, line, 23, "narrow", "r")
    facts = (
        ("Señor(es)", invoice.buyer), ("RUT", dotted(invoice.buyer_rut)),
        ("Fecha Emisión", day_of(invoice.issued, rng)),
        ("Vencimiento", day_of(invoice.issued + timedelta(days=45), rng)),
        ("O. Compra", str(rng.randint(1000, 99999))), ("Guía Despacho", str(rng.randint(100, 9999))),
    )  # fmt: skip
    for at, (name, value) in enumerate(facts):
        x, y = (left if at < 3 else 900), 310 + at % 3 * 42
        sheet.text(x, y, f"{name}", 24, "bold")
        sheet.text(x + 190, y, f": {value}", 24)
    heads = ("CANT", "UN", "DESCRIPCION", "P. UNITARIO", "% DESC", "EXENTO", "AFECTO")
    places = ((140, "r"), (170, "l"), (250, "l"), (980, "r"), (1120, "r"), (1330, "r"), (right - 10, "r"))
    boxed(sheet, left, 480, right, 530)
    for (x, align), head in zip(places, heads, strict=True):
        sheet.text(x, 490, head, 22, "bold", align)
    exempt = invoice.items[1].amount if len(invoice.items) > 1 and rng.random() < 0.5 else 0
    y = 552
    for at, item in enumerate(invoice.items):
        free = at == 1 and exempt > 0
        value = item.amount if free else round(item.amount / 1.19)
        percent = rng.choice((0, 0, 5, 10, 15))
        unit = round(value / item.quantity / (1 - percent / 100))
        cells = (str(item.quantity), rng.choice(("UN", "PAR", "C/U")), _sized(item), thousands(unit), f"{percent},0",
                 thousands(value) if free else "0", "0" if free else thousands(value))  # fmt: skip
        for (x, align), cell in zip(places, cells, strict=True):
            sheet.text(x, y, cell, 26, "sans", align)
        y += 46
    net = round((invoice.total - exempt) / 1.19)
    sums = (("DESCUENTO GLOBAL", 0), ("MONTO EXENTO", exempt), ("MONTO NETO", net),
            ("19% I.V.A.", invoice.total - exempt - net), ("TOTAL", invoice.total))  # fmt: skip
    top = max(y + 80, 1300)
    for at, (name, amount) in enumerate(sums):
        sheet.text(1060, top + at * 44, name, 26, "bold" if at == 4 else "sans")
        sheet.text(1360, top + at * 44, "$", 26)
        sheet.text(right - 10, top + at * 44, thousands(amount), 26, "bold" if at == 4 else "sans", "r")
    warranty_line(sheet, invoice, rng, left, top)
    place_timbre(sheet, invoice, rng, 110, top + 60, rng.uniform(640, 760))
    return sheet


def english(invoice: Invoice, rng: random.Random) -> Sheet:
    """The invoice of a shop that sells abroad."""
    sheet = Sheet(1654, 2000)
    face: Face = rng.choice(("sans", "serif"))
    sheet.text(100, 90, invoice.shop, 44, "bold")
    sheet.text(100, 150, f"{invoice.address}, {invoice.town}, Chile", 25, face)
    sheet.text(100, 186, f"{rng.choice(('Tax ID', 'Tax ID (RUT)', 'RUT'))}: {dotted(invoice.rut)}", 25, face)
    sheet.text(1550, 90, rng.choice(("INVOICE", "Invoice", "SALES INVOICE")), 60, "bold", "r")
    dates = (f"{invoice.issued.day} {ENGLISH_MONTHS[invoice.issued.month - 1]} {invoice.issued.year}",
             f"{ENGLISH_MONTHS[invoice.issued.month - 1]} {invoice.issued.day}, {invoice.issued.year}",
             f"{ENGLISH_MONTHS[invoice.issued.month - 1][:3]} {invoice.issued.day:02}, {invoice.issued.year}",
             f"{invoice.issued:%Y-%m-%d}")  # fmt: skip
    facts = (
        (rng.choice(("Invoice No.", "Invoice #", "Invoice number")), invoice.number),
        (rng.choice(("Date", "Invoice date", "Date of issue")), rng.choice(dates)),
        ("Due date", f"{invoice.issued + timedelta(days=30):%Y-%m-%d}"),
        ("Order", f"#{rng.randint(1001, 9999)}"),
    )
    for at, (name, value) in enumerate(facts):
        sheet.text(1050, 190 + at * 42, f"{name}:", 26, "bold")
        sheet.text(1550, 190 + at * 42, value, 26, face, "r")
    sheet.text(100, 290, "Bill to", 26, "bold")
    sheet.text(100, 330, invoice.buyer, 26, face)
    sheet.text(100, 366, f"Tax ID: {dotted(invoice.buyer_rut)}", 26, face)
    sheet.steps.append(Stroke(100, 440, 1554, 492, box=True, fill="#e8e8f0"))
    places = ((114, "l"), (1000, "r"), (1270, "r"), (1540, "r"))
    for (x, align), head in zip(places, ("Description", "Qty", "Unit price", "Amount"), strict=True):
        sheet.text(x, 450, head, 26, "bold", align)
    comma = rng.random() < 0.6

    def money(pesos: int) -> str:
        return f"{pesos:,}" if comma else thousands(pesos)

    y = 512
    for item in invoice.items:
        name = item.name + (f", size {item.size}" if item.size else "")
        for (x, align), cell in zip(
            places, (name, str(item.quantity), money(item.price), money(item.amount)), strict=True
        ):
            sheet.text(x, y, cell, 26, face, align)
        y += 50
    tax = rng.choice(("VAT 19%", "VAT (19%)", "Tax (19%)"))
    last = rng.choice(("Total", "TOTAL CLP", "Amount due", "Total due"))
    rows = (("Subtotal", invoice.net), (tax, invoice.total - invoice.net), (last, invoice.total))
    for at, (name, amount) in enumerate(rows):
        sheet.text(1050, y + 40 + at * 48, name, 28, "bold" if at == 2 else face)
        sheet.text(1540, y + 40 + at * 48, f"{rng.choice(('$', 'CLP ', ''))}{money(amount)}", 28, face, "r")
    if invoice.warranty_days:
        sheet.text(100, y + 60, f"Warranty: {invoice.warranty_days} days", 25, face)
    sheet.text(
        100, y + 300, rng.choice(("Thank you for your business!", "Returns within 30 days with this invoice.")), 25
    )
    return sheet


def web_order(invoice: Invoice, rng: random.Random) -> Sheet:
    """A web shop's boleta: the order's number beside the document's, and what the parcel costs as a row of goods."""
    sheet = Sheet(1400, 2100)
    sheet.text(700, 70, invoice.shop, 46, "bold", "m", "#803070")
    sheet.text(700, 140, f"{'Boleta electrónica' if invoice.kind else 'Comprobante de compra'} N° {invoice.number}", 40,
               "bold", "m")  # fmt: skip
    sheet.text(700, 200, f"RUT {dotted(invoice.rut)} | {invoice.trade}", 24, "sans", "m")
    left = 100
    sheet.text(left, 270, f"Pedido #{rng.randint(100000, 999999)}", 27, "bold")
    sheet.text(left, 312, f"Fecha de compra: {day_of(invoice.issued, rng)}", 27)
    sheet.text(left, 354, f"Entrega estimada: {day_of(invoice.issued + timedelta(days=4), rng)}", 27)
    sheet.text(left, 396, f"Pago: {rng.choice(PAYMENTS)}", 27)
    y = 480
    sheet.steps.append(Stroke(left, y, 1300, y))
    for item in invoice.items:
        y += 24
        sheet.steps.append(Stroke(left, y, left + 110, y + 110, box=True, fill="#d8d0c8"))
        sheet.text(left + 140, y, item.name, 29, "bold")
        detail = f"SKU {rng.choice('ABCZ')}{rng.randint(1000, 99999)}" + (f" · Talla {item.size}" if item.size else "")
        sheet.text(left + 140, y + 40, detail, 24, colour="#555555")
        sheet.text(left + 140, y + 74, f"Cantidad: {item.quantity}", 24, colour="#555555")
        sheet.text(1290, y + 20, f"${thousands(item.amount)}", 29, "sans", "r")
        y += 124
        sheet.steps.append(Stroke(left, y, 1300, y))
    rows = [("Productos", invoice.total), (rng.choice(_SHIPPING), 0), ("Total", invoice.total)]
    for at, (name, amount) in enumerate(rows):
        sheet.text(800, y + 40 + at * 50, name, 28, "bold" if at == 2 else "sans")
        sheet.text(1290, y + 40 + at * 50, f"${thousands(amount)}" if amount else "Gratis", 28, "sans", "r")
    warranty_line(sheet, invoice, rng, left, y + 40)
    bottom = place_timbre(sheet, invoice, rng, 360, y + 240, 680)
    sheet.height = int(max(bottom, y + 300) + 70)
    return sheet


def delivery_note(invoice: Invoice, rng: random.Random) -> Sheet:
    """A guía de despacho that stands for a sale."""
    sheet = Sheet(1654, 2000)
    sheet.text(90, 90, invoice.shop.upper(), 38, "bold")
    for at, line in enumerate((invoice.trade, invoice.address, invoice.town)):
        sheet.text(90, 145 + at * 32, line, 23)
    boxed(sheet, 1020, 70, 1570, 300, "#b01010")
    lines = (f"R.U.T.: {dotted(invoice.rut)}", "GUÍA DE DESPACHO", "ELECTRÓNICA", f"N° {invoice.number}")
    for at, line in enumerate(lines):
        sheet.text(1295, 84 + at * 52, line, 32, "bold", "m", "#b01010")
    rows = (
        ("Fecha:", day_of(invoice.issued, rng)),
        ("Señor(es):", invoice.buyer),
        ("RUT:", dotted(invoice.buyer_rut)),
        ("Tipo de traslado:", "Operación constituye venta"),
        ("Patente:", f"{rng.choice('BCDF')}XKT-{rng.randint(10, 99)}"),
    )
    for at, (name, value) in enumerate(rows):
        sheet.text(90, 350 + at * 42, name, 25, "bold")
        sheet.text(340, 350 + at * 42, value, 25)
    boxed(sheet, 90, 590, 1570, 640)
    places = ((110, "l"), (330, "l"), (1000, "r"), (1280, "r"), (1556, "r"))
    for (x, align), head in zip(places, ("Código", "Descripción", "Cantidad", "Precio", "Valor"), strict=True):
        sheet.text(x, 600, head, 25, "bold", align)
    y = 660
    for item in invoice.items:
        cells = (f"{rng.choice('ABC')}{rng.randint(1000, 9999)}", _sized(item), f"{item.quantity},00",
                 thousands(item.price), thousands(item.amount))  # fmt: skip
        for (x, align), cell in zip(places, cells, strict=True):
            sheet.text(x, y, cell, 25, "sans", align)
        y += 46
    sheet.text(1150, y + 60, "TOTAL $", 28, "bold")
    sheet.text(1556, y + 60, thousands(invoice.total), 28, "bold", "r")
    place_timbre(sheet, invoice, rng, 110, y + 120, rng.uniform(640, 740))
    sheet.height = int(y + 900)
    return sheet


def fee_receipt(rng: random.Random) -> Sheet:
    """A boleta de honorarios: a person's work, no goods; nothing a shop gives a warranty on."""
    sheet = Sheet(1500, 1500)
    fee = rng.randint(40, 900) * 1000
    tax = round(fee * 0.145)
    name, service = rng.choice(PROFESSIONALS), rng.choice(SERVICES)
    number, client = rut_of(rng.randint(9_000_000, 19_999_999)), rut_of(rng.randint(76_000_000, 77_999_999))
    sheet.text(90, 90, name.upper(), 36, "bold")
    sheet.text(90, 140, f"RUT: {dotted(number)}", 26)
    sheet.text(90, 176, "GIRO(S): OTRAS ACTIVIDADES DE SERVICIOS PERSONALES", 24)
    sheet.text(1400, 90, "BOLETA DE HONORARIOS", 36, "bold", "r")
    sheet.text(1400, 136, "ELECTRÓNICA", 36, "bold", "r")
    sheet.text(1400, 190, f"N° {rng.randint(1, 900)}", 34, "bold", "r")
    sheet.text(1400, 260, f"Fecha: {rng.randint(1, 28):02}/{rng.randint(1, 12):02}/2025", 26, "sans", "r")
    sheet.text(90, 330, f"Señor(es): {rng.choice(('Comercial Lenga SpA', 'Taller Ulmo Ltda.'))}", 26)
    sheet.text(700, 330, f"Rut: {dotted(client)}", 26)
    sheet.text(90, 420, "Por atención profesional:", 26, "bold")
    sheet.text(90, 470, service, 26)
    sheet.text(1400, 470, thousands(fee), 26, "sans", "r")
    for at, (line, amount) in enumerate(
        (("Total Honorarios: $", fee), ("14,5 % Impto. Retenido:", tax), ("Total:", fee - tax))
    ):
        sheet.text(1150, 620 + at * 46, line, 26, "bold", "r")
        sheet.text(1400, 620 + at * 46, thousands(amount), 26, "sans", "r")
    sheet.text(90, 900, "Fecha / Hora Emisión: 12/03/2025 10:14  ·  Res. Ex. N° 83 de 30/08/2004", 22)
    return sheet


def _sized(item: Item) -> str:
    return item.name if item.size is None else f"{item.name} Talla {item.size}"


def _wrapped(text: str, letters: int) -> list[str]:
    """A text in lines of so many letters, broken between words."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if len(longer) > letters and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
