"""``shopify_create_cart``: a cart permalink, after prices and availability were read again.

A permalink needs no write permission and makes nothing in the shop until the customer opens it. Form:
https://shopify.dev/docs/apps/build/checkout/create-cart-permalinks
"""

from __future__ import annotations

from dataclasses import dataclass

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tools import Cart, Product
from smarteros.tools.catalogue import as_offer
from smarteros.tools.inputs import CartInput
from smarteros.tools.protocol import ToolSpec
from smarteros.tools.registry import EmbeddedTool, ToolRun
from smarteros.tools.shopify.answers import VARIANTS_DOCUMENT, VariantsAnswer, VariantWithProduct
from smarteros.tools.shopify.client import SERVICE, ShopifyClient

_SPEC = ToolSpec(
    name="shopify_create_cart",
    title="Prepare a cart",
    description="Prepare a checkout link for variants found by shopify_search_products. Prices are read again.",
    read_only=True,
    input_model=CartInput,
    output_model=Cart,
)


@dataclass(frozen=True)
class CartLink:
    """Makes cart links. There is no fallback: a link to what may be sold out helps nobody."""

    client: ShopifyClient

    def tool(self) -> EmbeddedTool[CartInput]:
        """Offer the cart as a tool."""
        return EmbeddedTool(_SPEC, SERVICE, CartInput, self.run)

    def run(self, params: CartInput, run: ToolRun) -> Cart:
        """Read the variants again and write the link; refused when one cannot be bought in that quantity."""
        quantities: dict[str, int] = {}
        for line in params.lines:
            quantities[line.variant_id] = quantities.get(line.variant_id, 0) + line.quantity
        answer = self.client.query(
            run.tenant, VARIANTS_DOCUMENT, {"ids": list(quantities)}, VariantsAnswer, run.deadline
        )
        found = {node.id: node for node in answer.nodes if node is not None}
        lines = tuple(
            _line(found.get(variant_id), quantity, answer.currency) for variant_id, quantity in quantities.items()
        )
        domain = self.client.store_domain(run.tenant)
        items = ",".join(f"{variant_id.rsplit('/', 1)[1]}:{count}" for variant_id, count in quantities.items())
        mark = f"attributes[smos_conversation]={run.context.conversation_id}&ref=smos"
        return Cart(
            checkout_url=f"https://{domain}/cart/{items}?{mark}",
            lines=lines,
            quantities=tuple(quantities.values()),
            total_price=sum(line.price * count for line, count in zip(lines, quantities.values(), strict=True)),
            currency=answer.currency,
        )


def _line(node: VariantWithProduct | None, quantity: int, currency: str) -> Product:
    """Return the cart's line, or refuse what the shop does not sell (any more) or not so many of."""
    product = node.product.in_our_terms(currency, node) if node is not None else None
    if node is None or product is None:
        raise RejectedInputError("variant_unknown", "The shop does not offer this variant.")
    variant = product.variants[0]
    if not variant.buyable:
        raise RejectedInputError("variant_sold_out", "The variant is sold out.")
    # A shop that sells on without stock (or does not count it) keeps a variant for sale at 0 and below.
    if 0 < variant.stock < quantity:
        raise RejectedInputError("quantity_not_available", f"Only {variant.stock} are left.")
    return as_offer(product, variant)
