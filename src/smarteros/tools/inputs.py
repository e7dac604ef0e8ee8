"""What each tool may be asked. Callers are agents and strangers: everything is bounded, unknown keys are refused."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from smarteros.domain.tools import Amount, DocumentType, TicketKind


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


ProductId = Annotated[
    Annotated[str, StringConstraints(pattern=r"^gid://shopify/Product/\d{1,20}$")] | None,
    BeforeValidator(_none_if_blank),
]
VariantId = Annotated[str, StringConstraints(pattern=r"^gid://shopify/ProductVariant/\d{1,20}$")]
Price = Annotated[Amount | None, Field(ge=0, le=10**12), BeforeValidator(_none_if_blank)]


class ProductInput(ToolInput):
    """Input of ``shopify_get_product``: the product's id, or the id of one of its variants."""

    product_id: ProductId = None
    variant_id: Annotated[VariantId | None, BeforeValidator(_none_if_blank)] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.product_id is None) == (self.variant_id is None):
            raise ValueError("Give product_id or variant_id.")
        return self


class RecommendInput(ToolInput):
    """Input of ``shopify_recommend_products``. Without product and words: what the shop has most of."""

    product_id: ProductId = Field(default=None, description="A product the customer looked at")
    query: Annotated[Annotated[str, StringConstraints(max_length=500)] | None, BeforeValidator(_none_if_blank)] = Field(
        default=None, description="What the customer likes or needs, in his words"
    )
    mode: Literal["similar", "complement"] = Field(default="similar", description="Instead of it, or together with it")
    limit: int = Field(default=3, ge=1, le=10, description="Most products to return")
    size: Word = Field(default=None, description="Size or capacity: 42, M, 128 GB")
    price_max: Pesos = Field(default=None, description="Highest price, whole units of the shop's currency")
    exclude: tuple[str, ...] = Field(default=(), max_length=50, description="Ids of products not to return")


class CartLine(ToolInput):
    """One wanted line. ``seen_price`` is what the customer was told; a different price now is reported."""

    variant_id: VariantId
    quantity: int = Field(default=1, ge=1, le=99)
    seen_price: Price = None


class LinesInput(ToolInput):
    """Input of ``shopify_check_stock``."""

    lines: tuple[CartLine, ...] = Field(min_length=1, max_length=20)


class CartInput(LinesInput):
    """Input of ``shopify_create_cart``."""

    partial: bool = Field(default=False, description="Make the cart of what can be had, instead of refusing it")


class OrderInput(ToolInput):
    """Input of ``shopify_order_status``."""

    order_number: Annotated[
        Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^#?[A-Za-z0-9-]{1,32}$")] | None,
        BeforeValidator(_none_if_blank),
    ] = Field(default=None, description="Number of the order, #1001; without it the asker's latest order")


def _optional_word(value: Any) -> Any:
    """Read a word in capitals, or none: ``BOLETA``."""
    return None if _none_if_blank(value) is None else str(value).strip().casefold()


class NumberedInput(ToolInput):
    """What names one invoice. Day, total and type only tell apart invoices of the same number, or prove a claim."""

    invoice_number: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)] = Field(
        description="Number or folio as printed: INV-2025-001, 000123"
    )
    document_type: Annotated[DocumentType | None, BeforeValidator(_optional_word)] = Field(
        default=None, description="boleta (receipt) or factura (invoice), as the customer calls it"
    )
    purchase_date: Annotated[date | None, BeforeValidator(_none_if_blank)] = Field(
        default=None, description="ISO 8601 day on the paper"
    )
    total: Price = Field(default=None, description="Total on the paper, in the invoice's currency")


class InvoiceInput(NumberedInput):
    """Input of ``odoo_find_invoice``."""

    product_name: Annotated[
        Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)] | None, BeforeValidator(_none_if_blank)
    ] = Field(default=None, description="Product as printed: tells which line of a long invoice is meant")


class HistoryInput(ToolInput):
    """Input of ``odoo_customer_history``: the asker is the customer, nobody else can be asked about."""


class InvoiceListInput(ToolInput):
    """Input of ``odoo_list_invoices_by_contact``: the asker is the contact, nobody else can be asked about."""

    limit: int = Field(default=5, ge=1, le=20, description="Most invoices to return")


class TicketInput(NumberedInput):
    """Input of ``odoo_create_ticket``."""

    kind: TicketKind = Field(description="return: money back; exchange: another article; warranty: it failed")
    description: Annotated[
        Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)] | None, BeforeValidator(_none_if_blank)
    ] = Field(default=None, description="What the customer says about it, in his words")
    confirmed: bool = Field(
        default=False, description="True only when the customer has said yes to exactly this request"
    )
