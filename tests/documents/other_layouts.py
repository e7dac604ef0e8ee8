"""Ways to print a sale that differ in their words and places: facts in a grid, sums in a strip, tills' columns."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta

from smarteros.kit.text import fold
from tests.documents.layouts import Invoice, Item, boxed, place_timbre
from tests.documents.paper import Face, Sheet, Stroke
from tests.documents.words import FAREWELLS, LONG_MONTHS, MONTHS, PAYMENTS, WEEKDAYS, dotted, thousands

_NAMES = {33: "FACTURA", 34: "FACTURA EXENTA", 39: "BOLETA", 61: "NOTA DE CRÉDITO"}
_TITLES = ("{} ELECTRONICA", "{} ELECTRÓNICA", "{} Electrónica")
_WARRANTIES = ("Garantía: {} días", "{} días de garantía", "GARANTIA {} DIAS", "Producto con garantía de {} días")


def facts_grid(invoice: Invoice, rng: random.Random) -> Sheet:
    """A4 whose facts stand below their names in a grid, and whose sums stand side by side in a strip."""
    sheet = Sheet(1654, 2100)
    face: Face = rng.choice(("humanist", "grotesque", "sans"))
    sheet.text(827, 80, invoice.shop.upper(), 40, "bold", "m")
    sheet.text(827, 138, f"{invoice.trade} · {invoice.address} · {invoice.town}", 23, face, "m")
    sheet.text(827, 200, _title(invoice, rng), 44, "bold", "m")
    grid = (
        (rng.choice(("R.U.T. EMISOR", "RUT Emisor")), dotted(invoice.rut)),
        (rng.choice(("FOLIO", "Folio", "N° DOCUMENTO", "Nº")), invoice.number),
        (rng.choice(("FECHA EMISIÓN", "Fecha Emisión", "Fecha de emisión")), said_day(invoice.issued, rng)),
        (rng.choice(("VENCIMIENTO", "Fecha Vencimiento")), said_day(invoice.issued + timedelta(days=30), rng)),
    )
    _strip(sheet, 90, 290, 1560, grid, face)
    buyer = (("Señor(es)", invoice.buyer), ("R.U.T.", dotted(invoice.buyer_rut)), ("Pago", rng.choice(PAYMENTS)))
    _strip(sheet, 90, 420, 1560, buyer, face)
    heads = (("Detalle", 104, "l"), ("Cantidad", 1010, "r"), ("Precio", 1280, "r"), ("Total", 1546, "r"))
    boxed(sheet, 90, 570, 1560, 622)
    for head, x, align in heads:
        sheet.text(x, 580, head, 26, "bold", align)
    y = 640
    for item in invoice.items:
        cells = (_sized(item), str(item.quantity), thousands(item.price), thousands(item.amount))
        for (_, x, align), cell in zip(heads, cells, strict=True):
            sheet.text(x, y, cell, 27, face, align)
        y += 50
    _strip(sheet, 90, y + 60, 1560, _sums(invoice, rng), face)
    _warranty(sheet, invoice, rng, 90, y + 200, face)
    sheet.height = int(place_timbre(sheet, invoice, rng, 460, y + 270, rng.uniform(640, 740)) + 90)
    return sheet


def letterhead(invoice: Invoice, rng: random.Random) -> Sheet:
    """A factura as a letter: place and day in a sentence, numbered rows, sums with their sign in a column."""
    sheet = Sheet(1654, 2100)
    face: Face = rng.choice(("serif", "slab", "grotesque"))
    boxed(sheet, 1000, 80, 1570, 270, "#303030")
    number = rng.choice(("FOLIO N° {}", "Folio: {}", "Nº: {}", "N° {}", "NÚMERO {}")).format(invoice.number)
    for at, line in enumerate((f"R.U.T.: {dotted(invoice.rut)}", _title(invoice, rng), number)):
        sheet.text(1285, 98 + at * 54, line, 32, "bold", "m")
    for at, line in enumerate((invoice.shop, invoice.trade, invoice.address)):
        sheet.text(90, 90 + at * 48, line, 36 if at == 0 else 24, face)
    sheet.text(90, 330, f"{invoice.town}, {_in_words(invoice.issued, rng)}", 27, face)
    for at, line in enumerate((f"Señor(es): {invoice.buyer}", f"Rut: {dotted(invoice.buyer_rut)}")):
        sheet.text(90, 390 + at * 42, line, 26, face)
    heads = (
        ("N°", 100, "l"),
        ("ARTÍCULO", 180, "l"),
        ("CANT.", 1010, "r"),
        ("UNITARIO", 1280, "r"),
        ("VALOR", 1556, "r"),
    )
    sheet.steps.append(Stroke(90, 520, 1570, 520))
    for head, x, align in heads:
        sheet.text(x, 530, head, 25, "bold", align)
    sheet.steps.append(Stroke(90, 572, 1570, 572))
    y = 590
    for at, item in enumerate(invoice.items, start=1):
        cells = (str(at), _sized(item), str(item.quantity), f"$ {thousands(item.price)}", f"$ {thousands(item.amount)}")
        for (_, x, align), cell in zip(heads, cells, strict=True):
            sheet.text(x, y, cell, 26, face, align)
        y += 48
    for at, (name, amount) in enumerate(_sums(invoice, rng)):
        sheet.text(1120, y + 50 + at * 46, name, 27, "bold")
        sheet.text(1370, y + 50 + at * 46, "$", 27, face)
        sheet.text(1556, y + 50 + at * 46, amount, 27, face, "r")
    _warranty(sheet, invoice, rng, 90, y + 60, face)
    sheet.height = int(place_timbre(sheet, invoice, rng, 100, y + 290, rng.uniform(640, 740)) + 90)
    return sheet


def till_columns(invoice: Invoice, rng: random.Random) -> Sheet:
    """80 mm paper in capitals without accents: two facts a line, columns for goods, net, tax and exempt in a line."""
    wide, size = 1152, 38
    face: Face = rng.choice(("mono", "humanist", "narrow"))
    roll = _Roll(wide, size, face)
    roll.middle(fold(invoice.shop).upper(), bold=True)
    roll.middle(f"{rng.choice(('R.U.T.:', 'RUT:', 'R.U.T. N°'))} {dotted(invoice.rut)}")
    roll.middle(fold(f"{invoice.address} {invoice.town}").upper())
    roll.rule()
    if rng.random() < 0.5:
        roll.middle(f"{_title(invoice, rng)} N°", bold=True)
        roll.middle(invoice.number, bold=True)
    else:
        roll.middle(f"{_title(invoice, rng)} {rng.choice(('N° ', 'Nº ', 'NRO: ', ': '))}{invoice.number}", bold=True)
    roll.rule()
    roll.row(
        (
            (60, "l", f"FECHA: {said_day(invoice.issued, rng)}"),
            (wide - 60, "r", f"HORA: {rng.randint(10, 20)}:{rng.randint(10, 59)}"),
        )
    )
    roll.row(((60, "l", f"LOCAL {rng.randint(1, 90):03}"), (wide - 60, "r", f"CAJA {rng.randint(1, 9)}")))
    roll.rule()
    roll.row(((60, "l", "CANT"), (190, "l", "DESCRIPCION"), (wide - 60, "r", rng.choice(("VALOR", "TOTAL")))))
    for item in invoice.items:
        name = _sized(item) if len(_sized(item)) <= 30 else item.name
        roll.row(
            ((60, "l", str(item.quantity)), (190, "l", fold(name).upper()), (wide - 60, "r", thousands(item.amount)))
        )
    roll.rule()
    (net, neto), (free, exento), (tax, iva), (name, total) = _sums(invoice, rng)
    if rng.random() < 0.5:
        roll.row(((60, "l", f"{net} {neto}"), (wide - 60, "r", f"{tax} {iva}")))
    else:
        roll.row(((60, "l", net), (wide - 60, "r", neto)))
        roll.row(((60, "l", free), (wide - 60, "r", exento)))
        roll.row(((60, "l", tax), (wide - 60, "r", iva)))
    roll.row(((60, "l", f"{name} $"), (wide - 60, "r", total)), bold=True)
    roll.row(((60, "l", rng.choice(PAYMENTS).upper()), (wide - 60, "r", f"$ {total}")))
    if invoice.warranty_days:
        roll.middle(rng.choice(_WARRANTIES).format(invoice.warranty_days))
    roll.middle(rng.choice(FAREWELLS))
    return roll.ended(invoice, rng)


def till_leaders(invoice: Invoice, rng: random.Random) -> Sheet:
    """Paper of a small till: number and day in one line, dots that lead to amounts, a day with two digits of a year."""
    wide, size = 1000, 36
    face: Face = rng.choice(("mono", "grotesque", "slab"))
    roll = _Roll(wide, size, face)
    roll.middle(invoice.shop, bold=True)
    roll.middle(f"RUT {invoice.rut}")
    roll.middle(f"Giro: {invoice.trade}"[:40])
    roll.rule()
    roll.middle(_title(invoice, rng), bold=True)
    number = f"{rng.choice(('N°', 'Nº', 'Folio', 'Boleta N°', 'No.'))} {invoice.number}"
    day = rng.choice((f"{invoice.issued:%d/%m/%y}", f"{invoice.issued:%d-%m-%Y}", said_day(invoice.issued, rng)))
    roll.row(((50, "l", number), (wide - 50, "r", day)))
    roll.rule()
    for item in invoice.items:
        if rng.random() < 0.5:
            roll.row(((50, "l", str(rng.randint(10**12, 10**13 - 1))),))
        roll.row(((50, "l", _sized(item)),))
        roll.row(((90, "l", f"{item.quantity} {rng.choice(('x', 'UN x', 'X'))} ${thousands(item.price)}"),
                  (wide - 50, "r", f"${thousands(item.amount)}")))  # fmt: skip
    roll.rule()
    dots = "." * rng.choice((4, 8, 12))
    for name, amount in _sums(invoice, rng)[rng.choice((0, 3)) :]:
        roll.row(((50, "l", f"{name} {dots}"), (wide - 50, "r", f"$ {amount}")), bold=name.casefold().endswith("total"))
    roll.row(((50, "l", f"{rng.choice(PAYMENTS)} {dots}"), (wide - 50, "r", f"$ {thousands(invoice.total)}")))
    if invoice.warranty_days:
        roll.middle(rng.choice(_WARRANTIES).format(invoice.warranty_days))
    return roll.ended(invoice, rng)


def said_day(day: date, rng: random.Random) -> str:
    """A day in the forms tills and billing programs write."""
    month, long = MONTHS[day.month - 1].lower(), LONG_MONTHS[day.month - 1]
    return rng.choice((
        f"{day.day:02}-{month}-{day.year}", f"{day.day:02}/{month.upper()}/{day.year}",
        f"{day.day} {month}. {day.year}", f"{day.day} de {long} de {day.year}", f"{day:%Y-%m-%d}", f"{day:%Y/%m/%d}",
        f"{day.day}/{day.month}/{day.year}",
        f"{day:%d-%m-%y}", f"{day:%d.%m.%Y}", f"{day:%d / %m / %Y}", f"{day.day:02} {month.upper()} {day.year}",
    ))  # fmt: skip


def _in_words(day: date, rng: random.Random) -> str:
    long = LONG_MONTHS[day.month - 1]
    return rng.choice((
        f"{day.day} de {long} de {day.year}", f"{day.day:02} de {long.capitalize()} del {day.year}",
        f"{WEEKDAYS[day.weekday()]} {day.day} de {long} de {day.year}",
    ))  # fmt: skip


class _Roll:
    """Paper from a till, line below line."""

    def __init__(self, wide: int, size: int, face: Face) -> None:
        self.sheet = Sheet(wide, 5000)
        self._y, self._size, self._face = 60.0, size, face

    def row(self, cells: Sequence[tuple[float, str, str]], *, bold: bool = False) -> None:
        for x, align, text in cells:
            self.sheet.text(x, self._y, text, self._size, "bold" if bold else self._face, align)
        self._y += self._size * 1.45

    def middle(self, text: str, *, bold: bool = False) -> None:
        self.row(((self.sheet.width / 2, "m", text),), bold=bold)

    def rule(self) -> None:
        self.sheet.steps.append(Stroke(45, self._y + 8, self.sheet.width - 45, self._y + 8, dashed=True, width=3))
        self._y += 34

    def ended(self, invoice: Invoice, rng: random.Random) -> Sheet:
        wide = self.sheet.width
        end = place_timbre(
            self.sheet,
            invoice,
            rng,
            60,
            self._y + 20,
            wide - 120,
            columns=rng.choice((10, 12)),
            size=30,
            middle=wide / 2,
        )
        self.sheet.height = int(end + 70)
        return self.sheet


def _strip(sheet: Sheet, left: float, top: float, right: float, cells: Sequence[tuple[str, str]], face: Face) -> None:
    """Names above, values below, in a frame with as many columns."""
    wide = (right - left) / len(cells)
    boxed(sheet, left, top, right, top + 104)
    for at, (name, value) in enumerate(cells):
        sheet.text(left + (at + 0.5) * wide, top + 12, name, 24, "bold", "m")
        sheet.text(left + (at + 0.5) * wide, top + 58, value, 27, face, "m")


def _sums(invoice: Invoice, rng: random.Random) -> tuple[tuple[str, str], ...]:
    names = rng.choice((
        ("NETO", "EXENTO", "IVA 19%", "TOTAL"), ("MONTO NETO", "MONTO EXENTO", "I.V.A. 19%", "MONTO TOTAL"),
        ("Neto", "Exento", "IVA", "Total a pagar"),
    ))  # fmt: skip
    amounts = (invoice.net, 0, invoice.total - invoice.net, invoice.total)
    return tuple((name, thousands(amount)) for name, amount in zip(names, amounts, strict=True))


def _title(invoice: Invoice, rng: random.Random) -> str:
    return rng.choice(_TITLES).format(_NAMES[invoice.kind]) if invoice.kind else "COMPROBANTE DE VENTA"


def _sized(item: Item) -> str:
    return item.name if item.size is None else f"{item.name} Talla {item.size}"


def _warranty(sheet: Sheet, invoice: Invoice, rng: random.Random, x: float, y: float, face: Face) -> None:
    if invoice.warranty_days:
        sheet.text(x, y, rng.choice(_WARRANTIES).format(invoice.warranty_days), 25, face)
