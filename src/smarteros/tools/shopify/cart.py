"""``shopify_create_cart``: a link to the checkout, after prices and availability were read again.

By default it is a cart permalink, which needs no write permission and makes nothing in the shop until the customer
opens it: https://shopify.dev/docs/apps/build/checkout/create-cart-permalinks. A shop with a Storefront token gets a
cart of the Storefront API, whose checkout link is the shop's own. Both carry the conversation's number, by which the
order is told to be the conversation's (``edge/shopify_webhooks.py``).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import AliasPath, BaseModel, Field

from smarteros.domain.errors import PermanentError, RejectedInputError
from smarteros.domain.tools import Cart, StockCheck
from smarteros.kit.clock import Clock
from smarteros.tools.cache import ToolCache
from smarteros.tools.inputs import CartInput
from smarteros.tools.protocol import ToolSpec
from smarteros.tools.registry import EmbeddedTool, ToolRun
from smarteros.tools.shopify.client import ShopifyClient
from smarteros.tools.shopify.credentials import SERVICE
from smarteros.tools.shopify.stock import StockReader, available

CONVERSATION_ATTRIBUTE = "smos_conversation"
CART_DOCUMENT = """
mutation CreateCart($input: CartInput!) {
  cartCreate(input: $input) { cart { checkoutUrl } userErrors { code field message } }
}
"""
_REFUSALS = {
    "gone": ("variant_unknown", "The shop does not offer this variant."),
    "sold_out": ("variant_sold_out", "The variant is sold out."),
    "less_stock": ("quantity_not_available", "There are fewer of the variant left."),
}
_KEPT = timedelta(hours=24)
_CACHE_KIND = "cart:"

_SPEC = ToolSpec(
    name="shopify_create_cart",
    title="Prepare a cart",
    description=(
        "Prepare a checkout link for variants found before. Prices and stock are read again; what changed since the "
        "customer was told (seen_price) is reported."
    ),
    read_only=False,
    idempotent=True,
    input_model=CartInput,
    output_model=Cart,
)


class CartAnswer(BaseModel):
    """Data of CART_DOCUMENT: the link, or what Shopify has against the cart."""

    checkout_url: str | None = Field(default=None, validation_alias=AliasPath("cartCreate", "cart", "checkoutUrl"))
    problems: list[dict[str, Any]] = Field(validation_alias=AliasPath("cartCreate", "userErrors"))


@dataclass(frozen=True)
class CartMaker:
    """Makes carts. There is no fallback: a link to what may be sold out helps nobody.

    The same lines in the same conversation lead to the same cart for a day, however often they are asked for.
    """

    client: ShopifyClient
    stock: StockReader
    cache: ToolCache
    clock: Clock

    def tool(self) -> EmbeddedTool[CartInput]:
        """Offer the cart as a tool."""
        return EmbeddedTool(_SPEC, SERVICE, CartInput, self.run)

    def run(self, params: CartInput, run: ToolRun) -> Cart:
        """Read the variants again and make the link; refused when not all (``partial``: nothing) can be had."""
        check = self.stock.run(params, run)
        missing = [line for line in check.lines if available(line) < line.quantity]
        if missing and (not params.partial or all(available(line) == 0 for line in check.lines)):
            raise RejectedInputError(*_REFUSALS[missing[0].status])
        kept = [(line.product, count) for line in check.lines if line.product and (count := available(line))]
        return Cart(
            checkout_url=self._link(check, run),
            lines=tuple(product for product, _ in kept),
            quantities=tuple(count for _, count in kept),
            total_price=check.total_price,
            currency=check.currency,
            changes=tuple(line for line in check.lines if line.status != "ok"),
        )

    def _link(self, check: StockCheck, run: ToolRun) -> str:
        lines = {line.variant_id: count for line in check.lines if (count := available(line))}
        if self.client.has_storefront(run.tenant):
            return self._storefront_link(lines, run)
        items = ",".join(f"{variant_id.rsplit('/', 1)[1]}:{count}" for variant_id, count in lines.items())
        mark = f"attributes[{CONVERSATION_ATTRIBUTE}]={run.context.conversation_id}&ref=smos"
        return f"https://{self.client.store_domain(run.tenant)}/cart/{items}?{mark}"

    def _storefront_link(self, lines: dict[str, int], run: ToolRun) -> str:
        key = _key(lines, run)
        made = self.cache.latest(run.tenant.scope, key, self.clock.now() - _KEPT)
        if made is not None:
            return str(made.data["checkout_url"])
        attributes = [{"key": CONVERSATION_ATTRIBUTE, "value": str(run.context.conversation_id)}]
        wanted = [{"merchandiseId": variant_id, "quantity": count} for variant_id, count in lines.items()]
        answer = self.client.storefront_query(
            run.tenant,
            CART_DOCUMENT,
            {"input": {"lines": wanted, "attributes": attributes}},
            CartAnswer,
            run.deadline,
        )
        if answer.checkout_url is None or answer.problems:
            said = "; ".join(str(problem.get("message", "")) for problem in answer.problems)[:300]
            raise PermanentError("shopify_cart_refused", f"Shopify makes no cart: {said or 'it gave no link'}")
        self.cache.put(run.tenant.scope, key, {"checkout_url": answer.checkout_url}, self.clock.now())
        return answer.checkout_url


def _key(lines: dict[str, int], run: ToolRun) -> str:
    """Name a cart: the conversation, the day, and what is in it."""
    wanted = json.dumps([run.context.conversation_id, run.context.today.isoformat(), sorted(lines.items())])
    return _CACHE_KIND + hashlib.sha256(wanted.encode()).hexdigest()
