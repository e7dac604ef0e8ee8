"""The Odoo records that are read, as JSON-2 gives them. An empty field is ``false``, a link is ``[id, name]``."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, TypeAdapter

Link = tuple[int, str] | Literal[False]
Text = str | Literal[False]


class Move(BaseModel):
    """An invoice (account.move). ``name`` is prefix and folio (``BEL 000001``); ``ref`` the shop's own number."""

    id: int
    name: Text
    ref: Text
    payment_reference: Text
    invoice_date: date
    partner_id: tuple[int, str]
    commercial_partner_id: tuple[int, str]
    amount_total: float
    currency_id: tuple[int, str]
    company_id: tuple[int, str]

    def number_like(self, asked: str) -> str:
        """Return the number in the spelling the customer has on paper, else the document's own."""
        numbers = [text for text in (self.ref, self.payment_reference, self.name) if text]
        same = [number for number in numbers if number.casefold() == asked.casefold()]
        return (same or [self.name or asked])[0]


class Line(BaseModel):
    """A product line of an invoice (account.move.line)."""

    product_id: Link
    name: Text
    price_total: float


class ProductRecord(BaseModel):
    """An article (product.product); ``default_code`` is its SKU."""

    id: int
    default_code: Text
    name: str


class Partner(BaseModel):
    """A customer (res.partner). ``phone_sanitized`` is E.164 when Odoo could read the phone."""

    id: int
    name: Text
    phone: Text
    phone_sanitized: Text
    email: Text


def fields_of(model: type[BaseModel]) -> list[str]:
    """List the fields to ask Odoo for (``id`` always comes)."""
    return [name for name in model.model_fields if name != "id"]


MOVES = TypeAdapter(list[Move])
LINES = TypeAdapter(list[Line])
PRODUCTS = TypeAdapter(list[ProductRecord])
PARTNERS = TypeAdapter(list[Partner])
COUNT = TypeAdapter(int)
