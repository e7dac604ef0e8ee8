"""Reads the demo shops from ``shops/data`` into the models, and fills in what the files leave to be derived.

``catalogue.yml`` is written compactly (one line of stock per product); here it becomes full variants with ids
and SKUs. Ids are a function of the product's id, so they never change from one start to the next.
"""

from __future__ import annotations

import unicodedata
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from smarteros_sandbox.shops.models import (
    DemoShop,
    InvoiceSpec,
    Model,
    PartnerSpec,
    ProductSpec,
    ProductWords,
    ShopSpec,
    VariantSpec,
)

DATA_DIRECTORY = Path(__file__).parent / "data"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C takes a tenth of the time
# Shopify's variant ids have 14 digits; two digits are left for the position inside the product.
FIRST_VARIANT_ID = 40_000_000_000_000
VARIANTS_PER_PRODUCT = 100


class CatalogueRow(ProductWords):
    """One product as ``catalogue.yml`` writes it."""

    options: tuple[str, ...] | None = None
    sku: str = Field(description="Template over the options, e.g. 'ZRA-{Talla}' or 'CHA-{Color:.3}'")
    price: int
    stock: dict[str, int | tuple[int, int]] = Field(description="'42 / Azul' to units, or to [units, price]")


class CatalogueFile(Model):
    """``catalogue.yml``; ``options`` holds for each product that names none itself."""

    options: tuple[str, ...]
    products: tuple[CatalogueRow, ...]


class InvoicesFile(Model):
    """``invoices.yml``."""

    partners: tuple[PartnerSpec, ...]
    invoices: tuple[InvoiceSpec, ...]


def load_shops(first_start: date, directory: Path = DATA_DIRECTORY) -> tuple[DemoShop, ...]:
    """All demo shops in order of their Chatwoot account; ``days_ago`` counts back from ``first_start``."""
    shops = [load_shop(folder, first_start) for folder in sorted(directory.iterdir()) if folder.is_dir()]
    return tuple(sorted(shops, key=lambda shop: shop.spec.account_id))


def load_shop(folder: Path, first_start: date) -> DemoShop:
    """One shop from its folder."""
    catalogue = CatalogueFile.model_validate(_yaml(folder / "catalogue.yml"))
    papers = InvoicesFile.model_validate(_yaml(folder / "invoices.yml"))
    return DemoShop(
        spec=ShopSpec.model_validate(_yaml(folder / "shop.yml")),
        products=tuple(_product(row, row.options or catalogue.options) for row in catalogue.products),
        partners=papers.partners,
        invoices=tuple(_dated(invoice, first_start) for invoice in papers.invoices),
        kb={path.name: path.read_text("utf-8") for path in sorted((folder / "kb").glob("*.md"))},
    )


def _yaml(path: Path) -> Any:
    return yaml.load(path.read_text("utf-8"), Loader=_LOADER)  # noqa: S506 - both are safe


def _dated(invoice: InvoiceSpec, first_start: date) -> InvoiceSpec:
    if (invoice.invoice_date is None) == (invoice.days_ago is None):
        raise ValueError(f"{invoice.number}: give exactly one of invoice_date and days_ago")
    if invoice.days_ago is None:
        return invoice
    return invoice.model_copy(update={"invoice_date": first_start - timedelta(days=invoice.days_ago)})


def _product(row: CatalogueRow, option_names: tuple[str, ...]) -> ProductSpec:
    variants = [
        _variant(row, option_names, position, values, amount)
        for position, (values, amount) in enumerate(row.stock.items())
    ]
    shared = row.model_dump(include=ProductSpec.model_fields.keys() & CatalogueRow.model_fields.keys())
    return ProductSpec(**shared, variants=tuple(variants))


def _variant(
    row: CatalogueRow, option_names: tuple[str, ...], position: int, values: str, amount: int | tuple[int, int]
) -> VariantSpec:
    options = dict(zip(option_names, values.split(" / "), strict=True))
    stock, price = amount if isinstance(amount, tuple) else (amount, row.price)
    base = FIRST_VARIANT_ID + (row.id % 10**10) * VARIANTS_PER_PRODUCT
    return VariantSpec(
        id=base + position,
        sku=sku_text(row.sku.format_map(options)),
        options=options,
        price=price,
        stock=stock,
    )


def sku_text(text: str) -> str:
    """Upper case without accents and spaces: 'BTA-Caf-42' and 'BTA-CAF-42' must not be two articles."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return plain.replace(" ", "").upper()
