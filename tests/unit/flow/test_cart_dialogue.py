"""Whole turns about a cart: what is remembered, what is read again, and what the customer is told of it.

The agent knows words only; the shop is a small catalogue whose prices and stock change between turns.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest
from tests.unit.flow.bench import TENANT, Bench

from smarteros.agents.native import NativeAgent
from smarteros.contracts.loader import load_contracts
from smarteros.domain.decisions import DialogueState
from smarteros.domain.knowledge import Document
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
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.store import MemoryDocumentStore
from smarteros.store.turns import remembered

CONTRACTS = load_contracts(Path(__file__).parents[3] / "contracts")
SHIPPING = "El envío a Santiago cuesta $3.990."
_message_ids = itertools.count(50_000)


@dataclass
class Shop:
    """Two shoes in sizes 41 to 43: the tools' answers, and what may change between turns."""

    prices: dict[str, int] = field(default_factory=lambda: {"1": 39990, "2": 34990})
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
            title={"1": "Zapatilla Running Azul", "2": "Zapatilla Training Negro"}[number],
            variant=f"Talla {size}",
            price=self.prices[number],
            stock=0 if number + size in self.sold_out else 5,
            url=f"https://tienda.example/products/{number}",
        )

    def shopify_search_products(self, params: dict[str, Any]) -> Model:
        size = str(params.get("size") or "42")
        found = tuple(self.product(number, size) for number in "12") if size in {"41", "42", "43"} else ()
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
            for size in ("41", "42", "43")
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


@pytest.fixture(scope="module")
def knowledge() -> EmbeddedKnowledgeBase:
    opened = EmbeddedKnowledgeBase(MemoryDocumentStore())
    document = Document(
        name="envios.md",
        title="Envíos",
        category="envios",
        markdown=f"# Envíos\n\n## ¿Cuánto cuesta el envío?\n\n{SHIPPING}\n",
    )
    opened.replace(TENANT.scope, (document,))
    return opened


@pytest.fixture(scope="module")
def agent(knowledge: EmbeddedKnowledgeBase) -> Iterator[NativeAgent]:
    agent = NativeAgent(knowledge)
    agent.wait_until_ready()
    yield agent


@pytest.fixture
def talk(bench: Bench, agent: NativeAgent, knowledge: EmbeddedKnowledgeBase) -> Conversation:
    shop = Shop()
    parts = replace(
        bench.parts,
        agent=agent,
        knowledge=knowledge,
        tools=cast("Any", shop),
        contracts=CONTRACTS,
        slow_lane=SlowLane(100),  # nobody gives places back here
    )
    talk = Conversation(bench, TurnWorkflow(parts), shop)
    assert "1) Zapatilla Running Azul — 39990 CLP" in talk.write("¿Tienen zapatillas talla 42?")
    return talk


def test_a_cart_grows_changes_and_is_emptied_over_turns(talk: Conversation) -> None:
    assert "1 x Zapatilla Training Negro (Talla 42) — 34990 CLP" in talk.write("me llevo la negra")
    assert SHIPPING in talk.write("¿cuánto cuesta el envío?")
    assert "Total: 69980 CLP" in talk.write("agrega otro par")
    assert talk.cart() == [("Negro 42", 2)]
    assert "Total: 79980 CLP" in talk.write("mejor la azul")
    assert talk.cart() == [("Azul 42", 2)]
    assert "https://tienda.example/cart/142:2" in talk.write("mándame el link")
    assert "quedó vacío" in talk.write("vacía el carrito")
    assert talk.cart() == []


def test_an_offer_stands_while_something_else_is_asked(talk: Conversation) -> None:
    talk.write("¿cuánto cuesta el envío?")
    said = talk.write("sí")

    assert "1 x Zapatilla Running Azul" in said
    assert "Si prefieres otro, dime cuál" in said
    assert "1 x Zapatilla Training Negro" in talk.write("el segundo")
    assert talk.cart() == [("Negro 42", 1)]


def test_prices_and_stock_are_read_again_and_a_change_is_told(talk: Conversation) -> None:
    talk.write("las dos")
    talk.shop.prices["1"] = 44990
    talk.shop.sold_out.add("242")
    said = talk.write("mándame el link de pago")

    assert "Zapatilla Running Azul subió de 39990 a 44990 CLP" in said
    assert "ya no queda Zapatilla Training Negro" in said
    assert "Total: 44990 CLP" in said
    assert talk.cart() == [("Azul 42", 1)]


def test_what_is_sold_out_altogether_is_told_and_no_link_is_sent(talk: Conversation) -> None:
    talk.shop.sold_out |= {"142", "242"}
    said = talk.write("me llevo la azul")

    assert "ya no queda lo que querías" in said
    assert "https://" not in said
    assert talk.cart() == []


def test_another_size_is_found_before_the_cart_is_made(talk: Conversation) -> None:
    assert "2 x Zapatilla Training Negro (Talla 41)" in talk.write("dos pares de la negra en 41")
    said = talk.write("mejor en talla 47")

    assert "No tengo Zapatilla Training Negro en talla 47" in said
    assert "Talla 43" in said
    assert talk.cart() == [("Negro 41", 2)]


def test_which_one_is_meant_is_asked_and_the_answer_is_done(talk: Conversation) -> None:
    asked = talk.write("quiero una zapatilla")

    assert asked == "¿Cuál quieres: Zapatilla Running Azul (Talla 42) o Zapatilla Training Negro (Talla 42)?"
    assert talk.cart() == []
    talk.write("la negra")
    assert talk.cart() == [("Negro 42", 1)]


def test_a_shop_that_does_not_answer_costs_the_customer_nothing_of_his_cart(talk: Conversation) -> None:
    talk.write("me llevo la azul")
    talk.shop.down = True

    assert "Te conecto con un agente humano" in talk.write("mándame el link de pago")
    assert talk.cart() == [("Azul 42", 1)]


def test_an_order_of_somebody_else_is_no_business_of_the_asker(talk: Conversation) -> None:
    said = talk.write("¿dónde está mi pedido 1001?")

    assert [call.params for call in talk.shop.calls if call.tool == "shopify_order_status"] == [
        {"order_number": "1001"}
    ]
    assert "Te conecto con un agente humano para que revise tu pedido 1001" in said


def test_advice_is_asked_of_the_shop_and_never_repeats_the_list(talk: Conversation) -> None:
    talk.write("¿tienes algo parecido?")

    call = talk.shop.calls[-1]
    assert (call.tool, call.params["product_id"]) == ("shopify_recommend_products", "gid://shopify/Product/1")
    assert call.params["exclude"] == ["gid://shopify/Product/1", "gid://shopify/Product/2"]
