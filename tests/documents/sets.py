"""Labelled sets of invented documents. The same seed gives the same set."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from tests.documents.camera import close_up, photographed
from tests.documents.layouts import (
    Invoice,
    Item,
    Layout,
    credit_note,
    label,
    pos_web,
    sii_classic,
    thermal,
    two_columns,
)
from tests.documents.more_layouts import (
    delivery_note,
    discount_columns,
    english,
    fee_receipt,
    thermal_wrapped,
    web_order,
)
from tests.documents.other_layouts import facts_grid, letterhead, till_columns, till_leaders
from tests.documents.paper import Sheet
from tests.documents.stamps import Stamp, stamped
from tests.documents.words import BUYERS, GOODS, SHOPS, STREETS, TOWNS, TRADES, rut_of

DEV_SEED = 11  # what the code was tuned on
HELD_OUT_SEED = 20_262  # what the figures are taken on
LAYOUTS: dict[str, Layout] = {
    "sii_classic": sii_classic, "thermal": thermal, "pos_web": pos_web, "label": label, "two_columns": two_columns,
    "credit_note": credit_note, "thermal_wrapped": thermal_wrapped, "discount_columns": discount_columns,
    "english": english, "web_order": web_order, "delivery_note": delivery_note,
    "facts_grid": facts_grid, "letterhead": letterhead, "till_columns": till_columns, "till_leaders": till_leaders,
}  # fmt: skip
# Most of what customers photograph comes from a till.
_MIX = (
    "thermal", "sii_classic", "thermal_wrapped", "pos_web", "thermal", "discount_columns", "label", "web_order",
    "thermal_wrapped", "english", "two_columns", "credit_note", "delivery_note", "till_columns", "facts_grid",
    "till_leaders", "letterhead",
)  # fmt: skip
_KINDS: dict[str, tuple[int | None, ...]] = {
    "sii_classic": (33, 33, 34), "thermal": (39, 39, 33, None), "pos_web": (33, 39, None), "label": (None,),
    "two_columns": (33, 39), "credit_note": (61,), "thermal_wrapped": (39, 39, None), "discount_columns": (33,),
    "english": (None,), "web_order": (39, 39, None), "delivery_note": (52,),
    "facts_grid": (33, 39, 39, None), "letterhead": (33, 33, 34), "till_columns": (39, 39, 33),
    "till_leaders": (39, 39, None),
}  # fmt: skip
CATALOGUE = tuple(name for name, _, _ in GOODS)


@dataclass(frozen=True)
class Document:
    """A photo or PDF, and what is printed on it."""

    name: str
    level: str
    layout: str
    data: bytes
    invoice: Invoice
    sheet: Sheet
    px_per_module: float | None = None

    @property
    def readable(self) -> bool:
        return self.level != "unreadable"

    @property
    def wanted(self) -> dict[str, object]:
        """The five core fields as a reading must give them."""
        number = self.invoice.number
        return {
            "issuer_rut": self.invoice.rut,
            "invoice_number": number.lstrip("0") if number.isdigit() else number,
            "purchase_date": self.invoice.issued.isoformat(),
            "total": self.invoice.total,
            "product_name": self.invoice.items[0].name,
        }


def make_invoice(layout: str, rng: random.Random) -> Invoice:
    """An invented document of a layout, with a genuine timbre (of the test authority) where it has a kind."""
    kind = rng.choice(_KINDS[layout])
    items: list[Item] = []
    for name, price, sizes in rng.sample(GOODS, 1 if layout == "label" else rng.choice((1, 1, 2, 3))):
        items.append(Item(name, rng.choice(sizes) if sizes else None, rng.choice((1, 1, 1, 2)), price))
    if layout == "label":
        items = [replace(items[0], quantity=1)]
    number = str(rng.choice((rng.randint(120, 9999), rng.randint(10_000, 9_999_999))))
    if kind is None:
        number = rng.choice(
            (f"INV-2025-{rng.randint(10, 999):03}", f"{rng.randint(1, 99):03}-{rng.randint(1000, 99999):07}", number)
        )
    elif rng.random() < 0.2:
        number = number.zfill(9)
    invoice = Invoice(
        kind=kind, shop=rng.choice(SHOPS), rut=rut_of(rng.randint(76_000_000, 77_999_999)), trade=rng.choice(TRADES),
        address=rng.choice(STREETS), town=rng.choice(TOWNS), number=number,
        issued=date(2024, 1, 2) + timedelta(days=rng.randint(0, 900)), items=tuple(items),
        warranty_days=rng.choice((None, 30, 60, 90, 180, 365)), buyer=rng.choice(BUYERS),
        buyer_rut=rut_of(rng.randint(76_000_000, 77_999_999)),
    )  # fmt: skip
    return invoice if kind is None else replace(invoice, ted=stamped(stamp_of(invoice)))


def stamp_of(invoice: Invoice) -> Stamp:
    """What a genuine timbre says of an invoice."""
    return Stamp(
        issuer=invoice.rut, kind=invoice.kind or 39, folio=int(invoice.number), issued=invoice.issued,
        total=invoice.total, item=invoice.items[0].name, issuer_name=invoice.shop,
    )  # fmt: skip


def documents(seed: int, levels: dict[str, int]) -> Iterator[Document]:
    """So many documents of each level, layouts in turn."""
    for level, count in levels.items():
        for at in range(count):
            rng = random.Random(f"{seed} {level} {at}")
            layout = _MIX[at % len(_MIX)]
            yield photographed_document(layout, level, rng, name=f"{level}-{at:03}")


def photographed_document(layout: str, level: str, rng: random.Random, *, name: str = "") -> Document:
    """One document at one level."""
    invoice = make_invoice(layout, rng)
    sheet = LAYOUTS[layout](invoice, rng)
    page = sheet.picture(ink=rng.uniform(0.75, 1.0) if layout == "thermal" else 1.0)
    data, conditions = photographed(page, level, np.random.default_rng(rng.getrandbits(32)))
    code = sheet.barcode()
    px = None if code is None else code.width * conditions["scale"] / len(code.rows[0])
    return Document(name, level, layout, data, invoice, sheet, px)


def timbre_close_up(rng: random.Random) -> tuple[bytes, Invoice]:
    """The photo a customer sends when asked for the barcode alone."""
    layout = rng.choice(("sii_classic", "pos_web", "two_columns", "thermal"))
    invoice = make_invoice(layout, rng)
    while invoice.ted is None:
        invoice = make_invoice(layout, rng)
    sheet = LAYOUTS[layout](invoice, rng)
    code = sheet.barcode()
    assert code is not None
    box = (code.x, code.y, code.x + code.width, code.y + code.height)
    return close_up(sheet.picture(), box, np.random.default_rng(rng.getrandbits(32))), invoice


def fee_receipt_photo(level: str, rng: random.Random) -> bytes:
    """A photo of a boleta de honorarios, which is no invoice of goods."""
    return photographed(fee_receipt(rng).picture(), level, np.random.default_rng(rng.getrandbits(32)))[0]


def pdf_document(layout: str, rng: random.Random, *, text_layer: bool) -> tuple[bytes, Invoice]:
    """An invoice as its shop mails it."""
    invoice = make_invoice(layout, rng)
    return LAYOUTS[layout](invoice, rng).pdf(text_layer=text_layer), invoice
