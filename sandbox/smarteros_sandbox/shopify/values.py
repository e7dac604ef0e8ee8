"""Shopify's scalar values: global ids, money, times, links.

Money: pesos have no decimals. The Admin scalar ``Money`` (``ProductVariant.price``) is written "39990", the
scalar ``Decimal`` (``MoneyV2.amount``) is written "39990.0". A client must parse both as decimals.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from smarteros_sandbox.shops.models import DemoShop, ProductSpec, VariantSpec

CURRENCY = "CLP"
# When the demo shops were opened: creation time of everything that has no date of its own.
OPENED_AT = "2025-01-15T12:00:00Z"
# What an app of the demo shops may do.
SCOPES = "read_products,read_inventory,read_orders,write_draft_orders"


def gid(kind: str, number: int | str) -> str:
    """A global id such as gid://shopify/Product/7891234567890."""
    return f"gid://shopify/{kind}/{number}"


def number_in_gid(text: str) -> int:
    """The number at the end of a global id or a bare number; 0 when there is none."""
    last = text.rsplit("/", 1)[-1].split("?", 1)[0]
    return int(last) if last.isascii() and last.isdecimal() and len(last) < 20 else 0


def shop_number(shop: DemoShop) -> int:
    """Shopify's numeric id of the shop."""
    return 60_000_000_000 + shop.spec.account_id


def money(pesos: int) -> dict[str, Any]:
    """A ``MoneyV2``."""
    return {"amount": f"{pesos}.0", "currencyCode": CURRENCY}


def money_bag(pesos: int) -> dict[str, Any]:
    """A ``MoneyBag``: the shop sells in one currency only."""
    return {"shopMoney": money(pesos), "presentmentMoney": money(pesos)}


def noon(day: date) -> str:
    """A ``DateTime`` for something of which only the day is known."""
    return f"{day.isoformat()}T16:00:00Z"


def product_url(shop: DemoShop, product: ProductSpec) -> str:
    """The product's page in the online shop."""
    return f"https://{shop.spec.store_domain}/products/{product.handle}"


def variant_title(variant: VariantSpec) -> str:
    """Shopify's title of a variant: its option values joined."""
    return " / ".join(variant.options.values())


def option_values(product: ProductSpec) -> dict[str, list[str]]:
    """Option names to their values in order of appearance."""
    values: dict[str, list[str]] = {}
    for variant in product.variants:
        for name, value in variant.options.items():
            known = values.setdefault(name, [])
            if value not in known:
                known.append(value)
    return values


def option_nodes(product: ProductSpec) -> list[dict[str, Any]]:
    """The product's ``options``."""
    return [
        {
            "id": gid("ProductOption", f"{product.id}{position}"),
            "name": name,
            "position": position,
            "values": values,
            "optionValues": [option_value(product, position, index, value) for index, value in enumerate(values)],
        }
        for position, (name, values) in enumerate(option_values(product).items(), 1)
    ]


def option_value(product: ProductSpec, position: int, index: int, value: str) -> dict[str, Any]:
    """One ``ProductOptionValue``."""
    number = f"{product.id}{position}{index:02d}"
    return {"id": gid("ProductOptionValue", number), "name": value, "hasVariants": True}


def selected_options(product: ProductSpec, variant: VariantSpec) -> list[dict[str, Any]]:
    """The variant's ``selectedOptions``."""
    known = option_values(product)
    names = list(known)
    return [
        {
            "name": name,
            "value": value,
            "optionValue": option_value(product, names.index(name) + 1, known[name].index(value), value),
        }
        for name, value in variant.options.items()
    ]
