"""Storefront carts: ``cartCreate``, the line mutations, and the checkout link they lead to."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from smarteros_sandbox.shopify.connections import Node, connection_field
from smarteros_sandbox.shopify.storefront_catalogue import StorefrontCatalogue
from smarteros_sandbox.shopify.values import gid, money, number_in_gid
from smarteros_sandbox.shops.models import DemoShop

MOST_CARTS = 5000
MOST_LINES = 500

Problem = dict[str, Any]


@dataclass
class CartLine:
    """One line; ``variant`` is the variant's number."""

    key: str
    variant: int
    quantity: int
    attributes: list[dict[str, Any]]


@dataclass
class Cart:
    """A cart as it is kept."""

    token: str
    created: str
    attributes: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    note: str | None = None
    buyer: dict[str, Any] = field(default_factory=dict[str, Any])
    lines: list[CartLine] = field(default_factory=list[CartLine])


class Carts:
    """The carts of one shop; the oldest are dropped beyond ``MOST_CARTS``."""

    def __init__(self, shop: DemoShop, catalogue: StorefrontCatalogue) -> None:
        self._domain = shop.spec.store_domain
        self._catalogue = catalogue
        self._lock = Lock()
        self._carts: dict[str, Cart] = {}

    def create(self, wanted: dict[str, Any]) -> Node:
        """The payload of ``cartCreate``."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        cart = Cart(secrets.token_urlsafe(18), now)
        cart.attributes = wanted.get("attributes") or []
        cart.note = wanted.get("note")
        cart.buyer = wanted.get("buyerIdentity") or {}
        with self._lock:
            errors, warnings = self._put(cart, wanted.get("lines") or [], ["input", "lines"])
            if errors:
                return _payload(None, errors, warnings)
            self._carts[cart.token] = cart
            if len(self._carts) > MOST_CARTS:
                self._carts.pop(next(iter(self._carts)))
            return _payload(self._node(cart), errors, warnings)

    def change(self, cart_id: str, action: str, items: list[Any]) -> Node:
        """The payload of ``cartLinesAdd``, ``cartLinesUpdate`` or ``cartLinesRemove`` (``action``)."""
        with self._lock:
            cart = self._carts.get(_token(cart_id))
            if cart is None:
                return _payload(None, [_problem("The specified cart does not exist.", ["cartId"])], [])
            errors: list[Problem] = []
            warnings: list[Problem] = []
            if action == "cartLinesAdd":
                errors, warnings = self._put(cart, items, ["lines"])
            elif action == "cartLinesRemove":
                cart.lines = [line for line in cart.lines if _line_id(cart, line) not in items]
            else:
                errors, warnings = self._update(cart, items)
            return _payload(self._node(cart), errors, warnings)

    def get(self, cart_id: str) -> Node | None:
        """The cart with this global id or bare token."""
        with self._lock:
            cart = self._carts.get(_token(cart_id))
            return None if cart is None else self._node(cart)

    def lines_of(self, token: str) -> list[tuple[int, int]] | None:
        """Variant numbers and quantities, for the checkout page."""
        with self._lock:
            cart = self._carts.get(token)
            return None if cart is None else [(line.variant, line.quantity) for line in cart.lines]

    def _put(self, cart: Cart, items: list[dict[str, Any]], where: list[str]) -> tuple[list[Problem], list[Problem]]:
        errors: list[Problem] = []
        warnings: list[Problem] = []
        if len(cart.lines) + len(items) > MOST_LINES:
            return [_problem("The cart is too large.", where, "CART_TOO_LARGE")], warnings
        for position, item in enumerate(items):
            path = [*where, str(position)]
            variant = number_in_gid(item["merchandiseId"])
            if variant not in self._catalogue.variant_specs:
                message = f"The merchandise with id {item['merchandiseId']} does not exist."
                errors.append(_problem(message, [*path, "merchandiseId"]))
            elif item["quantity"] is None or item["quantity"] < 1:
                message = "The quantity must be greater than zero."
                errors.append(_problem(message, [*path, "quantity"], "LESS_THAN"))
            else:
                self._add_line(cart, variant, item, warnings)
        return errors, warnings

    def _add_line(self, cart: Cart, variant: int, item: dict[str, Any], warnings: list[Problem]) -> None:
        attributes: list[dict[str, Any]] = item.get("attributes") or []
        for line in cart.lines:
            if line.variant == variant and line.attributes == attributes:
                line.quantity += item["quantity"]
                break
        else:
            line = CartLine(secrets.token_hex(16), variant, item["quantity"], attributes)
            cart.lines.append(line)
        self._limit_to_stock(cart, line, warnings)

    def _limit_to_stock(self, cart: Cart, line: CartLine, warnings: list[Problem]) -> None:
        """Shopify puts into the cart what there is, and warns."""
        stock = max(self._catalogue.variant_specs[line.variant].stock, 0)
        if line.quantity <= stock:
            return
        code = "MERCHANDISE_NOT_ENOUGH_STOCK" if stock else "MERCHANDISE_OUT_OF_STOCK"
        line.quantity = stock
        message = f"Only {stock} items were added to your cart due to availability."
        target = _line_id(cart, line)
        warnings.append({"code": code, "message": message, "target": target})
        if not stock:
            cart.lines.remove(line)

    def _update(self, cart: Cart, items: list[dict[str, Any]]) -> tuple[list[Problem], list[Problem]]:
        errors: list[Problem] = []
        warnings: list[Problem] = []
        for position, item in enumerate(items):
            line = next((one for one in cart.lines if _line_id(cart, one) == item["id"]), None)
            if line is None:
                message = "The merchandise line with this id does not exist."
                errors.append(_problem(message, ["lines", str(position), "id"], code="INVALID_MERCHANDISE_LINE"))
            elif item.get("quantity") is not None:
                line.quantity = max(item["quantity"], 0)
                if line.quantity == 0:
                    cart.lines.remove(line)
                else:
                    self._limit_to_stock(cart, line, warnings)
        return errors, warnings

    def _node(self, cart: Cart) -> Node:
        lines = [self._line_node(cart, line) for line in cart.lines]
        total = sum(self._price(line) * line.quantity for line in cart.lines)
        cost = {
            "totalAmount": money(total),
            "subtotalAmount": money(total),
            "checkoutChargeAmount": money(total),
        }
        return {
            "__typename": "Cart",
            "id": _cart_id(cart),
            "checkoutUrl": f"https://{self._domain}/cart/c/{cart.token}",
            "createdAt": cart.created,
            "updatedAt": cart.created,
            "totalQuantity": sum(line.quantity for line in cart.lines),
            "attributes": cart.attributes,
            "note": cart.note,
            "buyerIdentity": {key: cart.buyer.get(key) for key in ("email", "phone", "countryCode")},
            "cost": cost,
            "lines": connection_field(lambda: lines),
        }

    def _line_node(self, cart: Cart, line: CartLine) -> Node:
        price = self._price(line)
        return {
            "__typename": "CartLine",
            "id": _line_id(cart, line),
            "quantity": line.quantity,
            "attributes": line.attributes,
            "merchandise": self._catalogue.variant_node(line.variant),
            "cost": {
                "amountPerQuantity": money(price),
                "subtotalAmount": money(price * line.quantity),
                "totalAmount": money(price * line.quantity),
            },
        }

    def _price(self, line: CartLine) -> int:
        return self._catalogue.variant_specs[line.variant].price


def _payload(cart: Node | None, errors: list[Problem], warnings: list[Problem]) -> Node:
    return {"cart": cart, "userErrors": errors, "warnings": warnings}


def _problem(message: str, where: list[str], code: str = "INVALID") -> Problem:
    return {"code": code, "field": where, "message": message}


def _cart_id(cart: Cart) -> str:
    return gid("Cart", f"{cart.token}?key={cart.token[:12]}")


def _line_id(cart: Cart, line: CartLine) -> str:
    return gid("CartLine", f"{line.key}?cart={cart.token}")


def _token(cart_id: str) -> str:
    return cart_id.rsplit("/", 1)[-1].split("?", 1)[0]
