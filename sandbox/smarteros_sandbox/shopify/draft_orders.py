"""Draft orders: created through the API, paid by the customer on their ``invoiceUrl``."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from threading import Lock
from typing import Any

from smarteros_sandbox.shopify.admin_catalogue import AdminCatalogue
from smarteros_sandbox.shopify.connections import Node, connection_field
from smarteros_sandbox.shopify.orders import order_line
from smarteros_sandbox.shopify.values import gid, money_bag, number_in_gid, shop_number
from smarteros_sandbox.shops.models import DemoShop, VariantSpec

FIRST_DRAFT_ID = 1_200_000_000_000
MOST_DRAFTS = 2000


class DraftOrders:
    """Draft orders of one shop, newest last; the oldest are dropped beyond ``MOST_DRAFTS``."""

    def __init__(self, shop: DemoShop, catalogue: AdminCatalogue) -> None:
        self._shop = shop
        self._catalogue = catalogue
        self._specs: dict[int, tuple[str, VariantSpec]] = {
            variant.id: (product.title, variant) for product in shop.products for variant in product.variants
        }
        self._lock = Lock()
        self._counter = 0
        self.by_token: dict[str, Node] = {}
        self.by_id: dict[str, Node] = {}

    def create(self, wanted: dict[str, Any]) -> Node:
        """The payload of ``draftOrderCreate``."""
        lines: list[Node] = []
        errors: list[Node] = []
        for position, item in enumerate(wanted.get("lineItems") or []):
            outcome = self._draft_line(position, item)
            (errors if "message" in outcome else lines).append(outcome)
        if not lines and not errors:
            errors.append({"field": None, "message": "Add at least 1 product"})
        if errors:
            return {"draftOrder": None, "userErrors": errors}
        return {"draftOrder": self._store(wanted, lines), "userErrors": []}

    def _draft_line(self, position: int, item: dict[str, Any]) -> Node:
        """A line, or the user error that stands in its way."""
        where = ["lineItems", str(position)]
        quantity = item.get("quantity") or 0
        if quantity < 1:
            return {"field": [*where, "quantity"], "message": "Quantity must be greater than or equal to 1"}
        number = FIRST_DRAFT_ID + secrets.randbelow(10**11)
        variant_id = item.get("variantId")
        if variant_id is None:
            price = _pesos(item.get("originalUnitPriceWithCurrency"))
            if not item.get("title") or price is None:
                return {"field": where, "message": "Title and price can't be blank"}
            return order_line("DraftOrderLineItem", number, item["title"], quantity, price, None)
        found = self._specs.get(number_in_gid(str(variant_id)))
        if found is None:
            message = f"Product with ID {number_in_gid(str(variant_id))} is no longer available."
            return {"field": where, "message": message}
        title, variant = found
        override = _pesos(item.get("priceOverride"))
        price = variant.price if override is None else override
        node = self._catalogue.variant_node(variant.id)
        return order_line("DraftOrderLineItem", number, title, quantity, price, node)

    def _store(self, wanted: dict[str, Any], lines: list[Node]) -> Node:
        token = secrets.token_hex(16)
        with self._lock:
            self._counter += 1
            node = self._draft_node(self._counter, token, wanted, lines)
            self.by_token[token] = node
            self.by_id[node["id"]] = node
            if len(self.by_token) > MOST_DRAFTS:
                oldest = self.by_token.pop(next(iter(self.by_token)))
                self.by_id.pop(oldest["id"], None)
        return node

    def _draft_node(self, count: int, token: str, wanted: dict[str, Any], lines: list[Node]) -> Node:
        total = sum(int(Decimal(line["originalTotalSet"]["shopMoney"]["amount"])) for line in lines)
        number = FIRST_DRAFT_ID + self._shop.spec.account_id * 10**6 + count
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "__typename": "DraftOrder",
            "id": gid("DraftOrder", number),
            "legacyResourceId": str(number),
            "name": f"#D{count}",
            "status": "OPEN",
            "ready": True,
            "invoiceUrl": f"https://{self._shop.spec.store_domain}/{shop_number(self._shop)}/invoices/{token}",
            "createdAt": now,
            "updatedAt": now,
            "email": wanted.get("email"),
            "phone": wanted.get("phone"),
            "note2": wanted.get("note"),
            "tags": wanted.get("tags") or [],
            "customAttributes": wanted.get("customAttributes") or [],
            "currencyCode": "CLP",
            "presentmentCurrencyCode": "CLP",
            "subtotalPriceSet": money_bag(total),
            "totalPriceSet": money_bag(total),
            "totalLineItemsPriceSet": money_bag(total),
            "lineItemsSubtotalPrice": money_bag(total),
            "totalQuantityOfLineItems": sum(line["quantity"] for line in lines),
            "lineItems": connection_field(lambda: lines),
        }


def _pesos(amount: dict[str, Any] | None) -> int | None:
    if amount is None:
        return None
    try:
        pesos = Decimal(str(amount.get("amount")))
    except InvalidOperation:
        return None
    return int(pesos) if pesos.is_finite() and 0 <= pesos < 10**12 else None
