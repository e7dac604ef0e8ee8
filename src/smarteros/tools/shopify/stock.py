"""``shopify_check_stock``: price and stock of chosen variants, as they are at this moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smarteros.domain.tools import StockCheck, StockLine, StockStatus
from smarteros.tools.catalogue import CatalogueProduct, as_offer
from smarteros.tools.inputs import CartLine, LinesInput
from smarteros.tools.product_search import Catalogue, Remembered, expect_currency
from smarteros.tools.protocol import ToolSpec
from smarteros.tools.registry import EmbeddedTool, ToolRun
from smarteros.tools.shopify.credentials import SERVICE

_PESOS = "CLP"
"""What nothing costs nothing in, where neither the lines nor our copy tell the shop's currency."""
_SPEC = ToolSpec(
    name="shopify_check_stock",
    title="Check price and stock",
    description=(
        "Read price and stock of variants found before, now. Give the price the customer was told (seen_price) to "
        "hear whether it changed."
    ),
    read_only=True,
    input_model=LinesInput,
    output_model=StockCheck,
)


@dataclass(frozen=True)
class StockReader:
    """Reads wanted lines. There is no fallback: yesterday's stock is not an answer to what can be bought."""

    catalogue: Catalogue
    copy: Remembered | None = None

    def tool(self) -> EmbeddedTool[LinesInput]:
        """Offer the check as a tool."""
        return EmbeddedTool(_SPEC, SERVICE, LinesInput, self.run)

    def run(self, params: LinesInput, run: ToolRun) -> StockCheck:
        """Read the lines; those of the same variant are one."""
        wanted = _each_once(params.lines)
        found = {product.variants[0].id: product for product in self.catalogue.read(list(wanted), run)}
        told = [product.currency for product in found.values()]
        currency = (self.copy.currency(run.tenant) if self.copy else None) or next(iter(told), _PESOS)
        for each in told:
            expect_currency(currency, each)
        lines = tuple(_line(line, found.get(variant_id)) for variant_id, line in wanted.items())
        total = sum(line.product.price * available(line) for line in lines if line.product is not None)
        return StockCheck(lines=lines, total_price=total, currency=currency)


def available(line: StockLine) -> int:
    """Return how many of a line can be had now."""
    if line.product is None or line.status in {"sold_out", "gone"}:
        return 0
    return line.product.stock or 0 if line.status == "less_stock" else line.quantity


def _each_once(lines: Sequence[CartLine]) -> dict[str, CartLine]:
    """Add up the lines of one variant; the price told last counts."""
    wanted: dict[str, CartLine] = {}
    for line in lines:
        known = wanted.get(line.variant_id)
        quantity = line.quantity + (known.quantity if known is not None else 0)
        wanted[line.variant_id] = line.model_copy(update={"quantity": quantity})
    return wanted


def _line(wanted: CartLine, product: CatalogueProduct | None) -> StockLine:
    offer = as_offer(product, product.variants[0]) if product is not None else None
    status: StockStatus = "ok"
    if product is None or offer is None:
        status = "gone"
    elif not product.variants[0].buyable:
        status = "sold_out"
    # A shop that sells on without stock keeps a variant for sale at 0; one that does not count (or tell) has None.
    elif 0 < (offer.stock or 0) < wanted.quantity:
        status = "less_stock"
    elif wanted.seen_price is not None and offer.price != wanted.seen_price:
        status = "price_up" if offer.price > wanted.seen_price else "price_down"
    return StockLine(
        variant_id=wanted.variant_id,
        product=offer,
        quantity=wanted.quantity,
        seen_price=wanted.seen_price,
        status=status,
    )
