"""Whole turns about a cart: what is remembered, what is read again, and what the customer is told of it.

The agent knows words only; the shop is a small catalogue whose prices and stock change between turns.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.unit.flow.bench import TENANT, Bench
from tests.unit.flow.shoe_shop import Conversation

from smarteros.agents.native import NativeAgent
from smarteros.domain.knowledge import Document
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.store import MemoryDocumentStore

SHIPPING = "El envío a Santiago cuesta $3.990."


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
    talk = Conversation.begun(bench, agent, knowledge)
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
