"""What each tool may be asked. Callers are agents and strangers: everything is bounded, unknown keys are refused."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints


def _none_if_blank(value: Any) -> Any:
    """Read a blank optional parameter as absent: templates and language models fill in empty strings."""
    return None if isinstance(value, str) and not value.strip() else value


Word = Annotated[
    Annotated[str, StringConstraints(max_length=60, strip_whitespace=True)] | None,
    BeforeValidator(_none_if_blank),
]
Pesos = Annotated[Annotated[int, Field(ge=0, le=10**12)] | None, BeforeValidator(_none_if_blank)]


class ToolInput(BaseModel):
    """Base of all tool inputs. Numbers are taken for texts: language models write ``"size": 42``."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


class ShopSearchInput(ToolInput):
    """Input of ``shopify_search_products``. What is given beside ``query`` outranks what the query says."""

    query: str = Field(min_length=1, max_length=500, description="What the customer looks for, in his words")
    limit: int = Field(default=5, ge=1, le=20, description="Most products to return")
    size: Word = Field(default=None, description="Size or capacity: 42, M, 128 GB")
    color: Word = Field(default=None, description="Colour, in Spanish or English")
    brand: Word = None
    category: Word = Field(default=None, description="Kind of product: zapatillas")
    price_min: Pesos = Field(default=None, description="Lowest price, whole units of the shop's currency")
    price_max: Pesos = Field(default=None, description="Highest price, whole units of the shop's currency")


class CartLine(ToolInput):
    """One line of a cart."""

    variant_id: str = Field(pattern=r"^gid://shopify/ProductVariant/\d{1,20}$")
    quantity: int = Field(default=1, ge=1, le=99)


class CartInput(ToolInput):
    """Input of ``shopify_create_cart``."""

    lines: tuple[CartLine, ...] = Field(min_length=1, max_length=20)


class InvoiceInput(ToolInput):
    """Input of ``odoo_find_invoice``. The day only tells apart invoices of the same number."""

    invoice_number: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)] = Field(
        description="Number or folio as printed: INV-2025-001, 000123"
    )
    purchase_date: Annotated[date | None, BeforeValidator(_none_if_blank)] = Field(
        default=None, description="ISO 8601 day on the paper"
    )
    product_name: Annotated[
        Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)] | None, BeforeValidator(_none_if_blank)
    ] = Field(default=None, description="Product as printed: tells which line of a long invoice is meant")
