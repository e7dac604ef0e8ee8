"""Tool calls and the facts they return. Prices are whole units of ``currency`` (CLP has no decimals)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from smarteros.domain.model import Model

ToolName = Literal[
    "shopify_search_products",
    "shopify_create_cart",
    "odoo_find_invoice",
]


class ToolCall(Model):
    """A request for one tool; ``params`` are validated by the tool's own input model."""

    tool: str
    params: dict[str, Any] = Field(default_factory=dict)


class Product(Model):
    """One sellable variant of the tenant's catalogue, as looked up in this turn."""

    id: str = Field(description="gid://shopify/Product/…")
    variant_id: str = Field(default="", description="gid://shopify/ProductVariant/…")
    title: str
    variant: str
    price: int
    currency: str = "CLP"
    stock: int
    url: str


class ProductList(Model):
    """Result of ``shopify_search_products``. ``as_of`` is set when it came from the 24 h cache."""

    products: tuple[Product, ...]
    total: int
    as_of: datetime | None = None


class Cart(Model):
    """Result of ``shopify_create_cart``: a link that opens the checkout with these lines."""

    checkout_url: str
    lines: tuple[Product, ...]
    quantities: tuple[int, ...]
    total_price: int
    currency: str = "CLP"


class Invoice(Model):
    """One invoice of the ERP with the shop's policy applied. Dates are Chilean calendar days."""

    number: str
    date: date
    customer_name: str
    customer_phone: str | None = None
    product_name: str
    product_sku: str | None = None
    price: int
    currency: str = "CLP"
    warranty_expiration: date
    warranty_status: Literal["active", "expired"]
    legal_guarantee_until: date
    return_eligible: bool
    return_deadline: date


class CustomerHistory(Model):
    """What the ERP knows of the invoice's customer."""

    total_purchases: int
    total_returns: int
    customer_tier: Literal["new", "regular", "frequent"]


class InvoiceLookup(Model):
    """Result of ``odoo_find_invoice``.

    ``found`` tells that at least one invoice has the number, ``ambiguous`` that there are several.
    ``identity_verified`` tells that the asker's phone or e-mail is the invoice's partner's. Only when exactly one
    was found and the asker is verified are ``invoice`` and ``customer_history`` set: no detail leaves otherwise.
    """

    found: bool = False
    invoice: Invoice | None = None
    customer_history: CustomerHistory | None = None
    identity_verified: bool = False
    ambiguous: bool = False


ToolOutcome = Literal["ok", "fallback", "timeout", "error", "refused"]


class ToolResult(Model):
    """What a tool call gave. ``data`` is the JSON form of the tool's result model, None when it failed."""

    tool: str
    outcome: ToolOutcome
    data: dict[str, Any] | None = None
    error_code: str | None = None
    duration_ms: float = 0.0
