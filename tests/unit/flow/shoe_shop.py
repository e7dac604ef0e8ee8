"""A small shop and a customer who writes to it: whole turns over a real database, the tools played by a catalogue."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from tests.unit.flow.bench import TENANT, Bench

from smarteros.agents.native import NativeAgent
from smarteros.contracts.loader import load_contracts
from smarteros.domain.decisions import DialogueState
from smarteros.domain.model import Model
from smarteros.domain.tools import (
    Cart,
    OrderLookup,
    Product,
    ProductDetail,
    ProductList,
    StockLine,
    ToolCall,
    ToolOutcome,
    ToolResult,
    VariantDetail,
)
from smarteros.flow.lanes import SlowLane
from smarteros.flow.workflow import TurnWorkflow
from smarteros.knowledge.protocol import KnowledgeBase
from smarteros.store.turns import remembered

CONTRACTS = load_contracts(Path(__file__).parents[3] / "contracts")
TITLES = {
    "1": "Zapatilla Running Azul",
    "2": "Zapatilla Training Negro",
    "3": "Polera Algodón Blanco",
    "4": "Polera Algodón Rojo",
}
SIZES = {"1": ("41", "42", "43"), "2": ("41", "42", "43"), "3": ("L", "M"), "4": ("L", "M")}
_message_ids = itertools.count(50_000)


@dataclass
class Shop:
    """Two shoes in sizes 41 to 43, two T-shirts in M and L: the tools' answers, and what may change between turns."""

    prices: dict[str, int] = field(default_factory=lambda: dict(zip(TITLES, (39990, 34990, 12990, 13990), strict=True)))
    sold_out: set[str] = field(default_factory=set[str])
    down: bool = False
    calls: list[ToolCall] = field(default_factory=list[ToolCall])

    def call(self, _tenant: Any, call: ToolCall, _context: Any, **_limits: Any) -> ToolResult:
        self.calls.append(call)
        if self.down:
            return ToolResult(tool=call.tool, outcome="timeout", error_code="deadline")
        answer = getattr(self, call.tool)(call.params)
        outcome: ToolOutcome = "ok" if isinstance(answer, Model) else "refused"
        data = answer.model_dump(mode="json") if isinstance(answer, Model) else None
        return ToolResult(tool=call.tool, outcome=outcome, data=data, error_code=None if data else answer)

    def product(self, number: str, size: str = "42") -> Product:
        return Product(
            id=f"gid://shopify/Product/{number}",
            variant_id=f"gid://shopify/ProductVariant/{number}{size}",
            title=TITLES[number],
            variant=f"Talla {size}",
            price=self.prices[number],
            stock=0 if number + size in self.sold_out else 5,
            url=f"https://tienda.example/products/{number}",
            options={"Talla": SIZES[number]},
        )

    def shopify_search_products(self, params: dict[str, Any]) -> Model:
        wanted = "34" if "polera" in str(params.get("query")) else "12"
        size, color = str(params.get("size") or SIZES[wanted[0]][1]), str(params.get("color") or "")
        found = tuple(
            self.product(number, size)
            for number in wanted
            if size in SIZES[number] and color[:3] in TITLES[number].lower()
        )
        return ProductList(products=found, total=len(found))

    shopify_recommend_products = shopify_search_products

    def shopify_get_product(self, params: dict[str, Any]) -> Model:
        number = params["product_id"][-1]
        of = self.product(number)
        variants = tuple(
            VariantDetail(
                variant_id=each.variant_id,
                variant=each.variant,
                price=each.price,
                stock=each.stock,
                available=each.stock > 0,
                options={"Talla": size},
            )
            for size in SIZES[number]
            for each in (self.product(number, size),)
        )
        return ProductDetail(
            id=of.id, title=of.title, kind="", brand="", url=of.url, currency="CLP", description="", variants=variants
        )

    def shopify_create_cart(self, params: dict[str, Any]) -> Model | str:
        lines = [self._line(line) for line in params["lines"]]
        kept = [(line.product, line.quantity) for line in lines if line.product is not None and line.product.stock]
        if not kept:
            return "variant_sold_out"
        return Cart(
            checkout_url="https://tienda.example/cart/" + ",".join(f"{p.variant_id[-3:]}:{count}" for p, count in kept),
            lines=tuple(product for product, _ in kept),
            quantities=tuple(count for _, count in kept),
            total_price=sum(int(product.price) * count for product, count in kept),
            changes=tuple(line for line in lines if line.status != "ok"),
        )

    def shopify_order_status(self, _params: dict[str, Any]) -> Model:
        return OrderLookup(found=True)

    def _line(self, line: dict[str, Any]) -> StockLine:
        key = line["variant_id"].rsplit("/", 1)[1]
        product = self.product(key[0], key[1:])
        seen = int(line["seen_price"]) if line.get("seen_price") else None
        status = "sold_out" if product.stock == 0 else "ok"
        if status == "ok" and seen is not None and seen != product.price:
            status = "price_up" if product.price > seen else "price_down"
        return StockLine(
            variant_id=line["variant_id"],
            product=product,
            quantity=line["quantity"],
            seen_price=seen,
            status=cast("Any", status),
        )


@dataclass
class Conversation:
    """A customer who writes to the shop; ``write`` is a whole turn."""

    bench: Bench
    workflow: TurnWorkflow
    shop: Shop

    @classmethod
    def begun(cls, bench: Bench, agent: NativeAgent, knowledge: KnowledgeBase) -> Conversation:
        """A first conversation with this agent and with a shop of its own."""
        shop = Shop()
        parts = replace(
            bench.parts,
            agent=agent,
            knowledge=knowledge,
            tools=cast("Any", shop),
            contracts=CONTRACTS,
            slow_lane=SlowLane(100),  # nobody gives places back here
        )
        return cls(bench, TurnWorkflow(parts), shop)

    def write(self, text: str) -> str:
        message_id = next(_message_ids)
        self.bench.receive(message_id, text, ago_s=60)
        before = len(self.bench.channel.posted)
        self.workflow.run(self.bench.claim(message_id))
        (said,) = self.bench.channel.posted[before:]
        return said

    @property
    def state(self) -> DialogueState:
        with self.bench.database.tenant(TENANT.scope) as connection:
            return remembered(connection, TENANT.tenant_id, self.bench.conversation_id).state

    def cart(self) -> list[tuple[str, int]]:
        return [(f"{item.title.split()[-1]} {item.variant.split()[-1]}", item.quantity) for item in self.state.cart]
