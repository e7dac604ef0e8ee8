"""The Odoo records that are read, as JSON-2 gives them. An empty field is ``false``, a link is ``[id, name]``."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, TypeAdapter

from smarteros.domain.tools import Amount, DocumentType

Link = tuple[int, str] | Literal[False]
Text = str | Literal[False]

# What the Chilean localisation writes before a folio (``doc_code_prefix`` of l10n_latam.document.type).
PREFIXES: dict[DocumentType, frozenset[str]] = {
    "boleta": frozenset({"BEL", "BXE", "BEX", "BOL", "BZF"}),
    "factura": frozenset({"FAC", "FNA", "FCXE", "FAI", "FAL", "FTR", "FRX", "FZF"}),
}


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

    @property
    def total(self) -> Amount:
        """The total; whole where it is whole, as pesos are."""
        amount = Decimal(str(self.amount_total))
        return int(amount) if amount == int(amount) else amount

    @property
    def document_type(self) -> DocumentType | None:
        """What kind of paper it is; None for one that is not of the Chilean localisation."""
        prefix = str(self.name or "").partition(" ")[0].upper()
        found: DocumentType | None = next((kind for kind, prefixes in PREFIXES.items() if prefix in prefixes), None)
        return found

    @property
    def number(self) -> str:
        """The number to speak of: the shop's own one where it has one."""
        return self.ref or self.name or self.payment_reference or str(self.id)

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


class LineOfMove(Line):
    """A product line with the invoice it is of."""

    move_id: tuple[int, str]


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


class PartnerOfCompany(Partner):
    """A customer with the company he belongs to, himself when he is nobody's."""

    commercial_partner_id: tuple[int, str]


class Seller(BaseModel):
    """Who of the shop's people has an invoice."""

    id: int
    invoice_user_id: Link


class Identified(BaseModel):
    """A record of which only its existence matters."""

    id: int


def fields_of(model: type[BaseModel]) -> list[str]:
    """List the fields to ask Odoo for (``id`` always comes)."""
    return [name for name in model.model_fields if name != "id"]


MOVES = TypeAdapter(list[Move])
LINES = TypeAdapter(list[Line])
LINES_OF_MOVES = TypeAdapter(list[LineOfMove])
PRODUCTS = TypeAdapter(list[ProductRecord])
PARTNERS = TypeAdapter(list[Partner])
PARTNERS_OF_COMPANY = TypeAdapter(list[PartnerOfCompany])
SELLERS = TypeAdapter(list[Seller])
FOUND = TypeAdapter(list[Identified])
CREATED = TypeAdapter(list[int])
COUNT = TypeAdapter(int)
