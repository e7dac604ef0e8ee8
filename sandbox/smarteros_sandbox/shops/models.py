"""What a demo shop consists of. Every stand-in (Chatwoot, Shopify, Odoo, Vision) reads these models.

The data lies in ``shops/data/<TENANT_ID>/``: ``shop.yml``, ``catalogue.yml``, ``invoices.yml``, ``kb/*.md``.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ChannelName = Literal["whatsapp", "webwidget", "email"]


class Model(BaseModel):
    """Frozen, unknown keys refused: a typing error in the data must be seen at start."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class InboxSpec(Model):
    """One Chatwoot inbox of the shop. Ids are global in Chatwoot, as in the real product."""

    id: int
    name: str
    channel: ChannelName
    identifier: str = Field(description="Public client API identifier of the inbox, 24 characters")


class AgentSpec(Model):
    """A person who answers in Chatwoot."""

    id: int
    name: str
    email: str


class VariantSpec(Model):
    """One sellable variant; ``options`` are Shopify option names to values, e.g. {"Talla": "42"}."""

    id: int
    sku: str
    options: dict[str, str]
    price: int = Field(description="CLP, whole pesos")
    stock: int


class ProductWords(Model):
    """What is said of a product as a whole."""

    id: int
    title: str
    handle: str
    product_type: str
    vendor: str
    tags: tuple[str, ...] = ()
    description: str = ""
    published: bool = True


class ProductSpec(ProductWords):
    """One product of the catalogue."""

    variants: tuple[VariantSpec, ...]


class PartnerSpec(Model):
    """A customer of the shop as Odoo knows him."""

    id: int
    name: str
    phone: str | None = None
    email: str | None = None
    vat: str | None = None
    total_purchases: int = 1
    total_returns: int = 0


class InvoiceSpec(Model):
    """A posted invoice. Exactly one of ``invoice_date`` and ``days_ago`` is given.

    ``days_ago`` counts back from the day the sandbox first started on its data directory, so that the demo
    always has an invoice inside its return window.
    """

    id: int
    number: str = Field(description="What is printed, e.g. INV-2025-001; Odoo keeps it in ``ref``")
    folio: int
    document_type: Literal["33", "39"] = "39"
    partner_id: int
    sku: str
    product_name: str
    size: str | None = None
    price: int
    quantity: int = 1
    invoice_date: date | None = None
    days_ago: int | None = None
    due_date: date | None = Field(default=None, description="Odoo's invoice_date_due; None: due at once")
    in_odoo: bool = Field(default=True, description="False: a paper that exists but is unknown to Odoo")
    printed_warranty_days: int | None = 90


class ShopSpec(Model):
    """Everything about one demo shop except its catalogue, invoices and KB texts."""

    tenant_id: str
    rut: str
    name: str
    tone: str = Field(description="How the bot speaks for this shop, one line")
    account_id: int
    store_domain: str
    admin_token: str
    client_id: str
    client_secret: str
    storefront_token: str
    odoo_company_id: int
    odoo_first_product_id: int = Field(description="Odoo id of the catalogue's first variant; the rest follow")
    odoo_first_line_id: int = Field(description="Odoo id of the first invoice's line; the rest follow")
    odoo_database: str
    odoo_api_key: str
    odoo_login: str = Field(default="bot", description="Login of the API key's user, for the JSON-RPC of old versions")
    odoo_modules: tuple[str, ...] = Field(default=(), description="Modules beside accounting: helpdesk")
    vision_api_key: str
    administrator_token: str
    legacy_hmac_secret: str | None = None
    address: str
    inboxes: tuple[InboxSpec, ...]
    agents: tuple[AgentSpec, ...]


class DemoShop(Model):
    """One shop, complete."""

    spec: ShopSpec
    products: tuple[ProductSpec, ...]
    partners: tuple[PartnerSpec, ...]
    invoices: tuple[InvoiceSpec, ...]
    kb: dict[str, str] = Field(description="File name to Markdown text")
