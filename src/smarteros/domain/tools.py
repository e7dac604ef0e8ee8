"""Tool calls and the facts they return. Prices are amounts of ``currency``, an ISO 4217 code."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from smarteros.domain.model import Model

ToolName = Literal[
    "shopify_search_products",
    "shopify_get_product",
    "shopify_recommend_products",
    "shopify_check_stock",
    "shopify_create_cart",
    "shopify_order_status",
    "odoo_find_invoice",
    "odoo_customer_history",
    "odoo_list_invoices_by_contact",
    "odoo_create_ticket",
]


def _whole_if_it_is(amount: int | Decimal) -> int | Decimal:
    return int(amount) if amount == int(amount) else amount


Amount = Annotated[int | Decimal, AfterValidator(_whole_if_it_is)]
"""Money in units of its currency: an int where it is whole (CLP always), else a decimal, which JSON holds as text."""


class ToolCall(Model):
    """A request for one tool; ``params`` are validated by the tool's own input model."""

    tool: str
    params: dict[str, Any] = Field(default_factory=dict)


class Product(Model):
    """One sellable variant of the tenant's catalogue, as looked up in this turn.

    ``stock`` is None when it can be bought and the shop does not tell how many there are.
    """

    id: str = Field(description="gid://shopify/Product/…")
    variant_id: str = Field(default="", description="gid://shopify/ProductVariant/…")
    title: str
    variant: str
    price: Amount
    currency: str = "CLP"
    stock: int | None
    url: str
    options: dict[str, tuple[str, ...]] = Field(
        default_factory=dict[str, tuple[str, ...]],
        description="What the product can be bought in, where there is a choice: Talla to 40, 41, 42",
    )


class ProductList(Model):
    """Result of a search or recommendation. ``as_of`` is set when it tells what was seen in the last 24 h."""

    products: tuple[Product, ...]
    total: int
    as_of: datetime | None = None


class VariantDetail(Model):
    """One variant of a product. ``available``: the shop's word on whether it can be bought now; ``stock`` as above."""

    variant_id: str
    variant: str = Field(description="Its label: Talla 42 / Azul")
    price: Amount
    stock: int | None
    available: bool
    options: dict[str, str]


class ProductDetail(Model):
    """Result of ``shopify_get_product``: everything a customer may ask about one product."""

    id: str
    title: str
    kind: str
    brand: str
    url: str
    currency: str
    description: str
    variants: tuple[VariantDetail, ...]
    as_of: datetime | None = None

    @property
    def on_sale(self) -> tuple[VariantDetail, ...]:
        """The variants that can be bought."""
        return tuple(variant for variant in self.variants if variant.available)

    @property
    def prices(self) -> tuple[Amount, ...]:
        """The prices of what can be bought, each once, the lowest first."""
        return tuple(sorted({variant.price for variant in self.on_sale}))


StockStatus = Literal["ok", "price_up", "price_down", "less_stock", "sold_out", "gone"]


class StockLine(Model):
    """What became of one wanted line. ``product`` is None when the shop sells it no more (``gone``).

    ``less_stock``: some are left (``product.stock``), fewer than ``quantity``. A price is compared with
    ``seen_price``, what the customer was told; trouble with the stock is told before trouble with the price.
    """

    variant_id: str
    product: Product | None
    quantity: int
    seen_price: Amount | None = None
    status: StockStatus


class StockCheck(Model):
    """Result of ``shopify_check_stock``; ``total_price`` counts what can be had of each line."""

    lines: tuple[StockLine, ...]
    total_price: Amount
    currency: str
    as_of: datetime | None = None


class Cart(Model):
    """Result of ``shopify_create_cart``: a link that opens the checkout with these lines.

    ``changes`` are the wanted lines of which not all is as the customer was told.
    """

    checkout_url: str
    lines: tuple[Product, ...]
    quantities: tuple[int, ...]
    total_price: Amount
    currency: str = "CLP"
    changes: tuple[StockLine, ...] = ()


PaymentStatus = Literal[
    "authorized", "expired", "paid", "partially_paid", "partially_refunded", "pending", "refunded", "voided"
]
DeliveryStatus = Literal[
    "unfulfilled", "partial", "shipped", "in_transit", "out_for_delivery", "delivered", "cancelled"
]


class OrderLine(Model):
    """One article of an order."""

    title: str
    variant: str
    quantity: int


class Tracking(Model):
    """Where a parcel can be followed."""

    company: str | None = None
    number: str | None = None
    url: str | None = None


class Order(Model):
    """One order of the shop. ``placed_on`` is a Chilean calendar day."""

    number: str
    placed_on: date
    payment: PaymentStatus
    delivery: DeliveryStatus
    lines: tuple[OrderLine, ...]
    total_price: Amount
    currency: str
    tracking: tuple[Tracking, ...] = ()


class OrderLookup(Model):
    """Result of ``shopify_order_status``.

    ``order`` is set only when it was found and the asker is its customer: no detail leaves otherwise.
    """

    found: bool = False
    identity_verified: bool = False
    order: Order | None = None


class Invoice(Model):
    """One invoice of the ERP with the shop's policy applied. Dates are Chilean calendar days.

    ``record_id`` is its id there, by which the shop's people open it.
    """

    record_id: int | None = None
    number: str
    date: date
    customer_name: str | None = None
    customer_phone: str | None = None
    product_name: str
    product_sku: str | None = None
    price: Amount
    currency: str = "CLP"
    warranty_expiration: date
    warranty_status: Literal["active", "expired"]
    legal_guarantee_until: date
    return_eligible: bool
    return_deadline: date


# How sure it is who asks: the channel vouches for it, he says so himself, or nothing fits (tools/identity.py).
Identity = Literal["verified", "claimed", "unknown"]
DocumentType = Literal["boleta", "factura"]


class CustomerHistory(Model):
    """How much a customer has bought and given back, and his tier by the rule of the tenant's policy."""

    total_purchases: int
    total_returns: int
    customer_tier: Literal["new", "regular", "frequent"]


class InvoiceLookup(Model):
    """Result of ``odoo_find_invoice``.

    ``found`` tells that at least one invoice has the number, ``ambiguous`` that there are several.
    ``identity_verified`` tells that the asker may hear its details: his ``identity`` is verified, or claimed and proven
    by a second fact of the invoice. ``second_fact_needed`` asks for one, its total or its day. Only when exactly one
    was found and the asker may hear it is ``invoice`` set, and ``customer_history`` only for a verified identity: no
    detail leaves otherwise.
    """

    found: bool = False
    invoice: Invoice | None = None
    customer_history: CustomerHistory | None = None
    identity: Identity = "unknown"
    identity_verified: bool = False
    second_fact_needed: bool = False
    ambiguous: bool = False


class InvoiceEntry(Model):
    """One line of a list of purchases. ``product_name`` is empty where the lines were not read."""

    number: str
    date: date
    document_type: DocumentType | None = None
    product_name: str = ""
    total_price: Amount
    currency: str


class InvoiceList(Model):
    """Result of ``odoo_list_invoices_by_contact``, newest first. Empty unless the asker's identity is verified.

    ``total`` counts all, also those beyond the limit.
    """

    identity: Identity = "unknown"
    invoices: tuple[InvoiceEntry, ...] = ()
    total: int = 0


class CustomerPurchases(Model):
    """Result of ``odoo_customer_history``. ``history`` is None unless the asker's identity is verified."""

    identity: Identity = "unknown"
    history: CustomerHistory | None = None
    last_purchases: tuple[InvoiceEntry, ...] = ()


TicketKind = Literal["return", "exchange", "warranty"]


class Ticket(Model):
    """A request handed to the shop's people. ``number`` is what the customer is told and what the record bears.

    ``created`` is False when the same request was there before. ``record`` is the kind of the ERP's record.
    """

    number: str
    kind: TicketKind
    invoice_number: str
    product_name: str
    created: bool
    record: str


class TicketResult(Model):
    """Result of ``odoo_create_ticket``. ``ticket`` is set when the request is in the ERP.

    ``found``, ``ambiguous``, ``identity`` and ``second_fact_needed`` are as in ``InvoiceLookup``.
    """

    found: bool = False
    ambiguous: bool = False
    identity: Identity = "unknown"
    second_fact_needed: bool = False
    ticket: Ticket | None = None


ToolOutcome = Literal["ok", "fallback", "timeout", "error", "refused"]


class ToolResult(Model):
    """What a tool call gave. ``data`` is the JSON form of the tool's result model, None when it failed.

    ``retryable`` says of a failure that it may pass by itself (TransientError); any other would fail again.
    """

    tool: str
    outcome: ToolOutcome
    data: dict[str, Any] | None = None
    error_code: str | None = None
    retryable: bool = False
    duration_ms: float = 0.0
