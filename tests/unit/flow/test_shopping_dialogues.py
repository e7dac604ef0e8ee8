"""Whole conversations of customers who buy, as data: what becomes of each message, and what the cart holds then."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from tests.unit.flow.bench import TENANT, Bench
from tests.unit.flow.shoe_shop import Conversation

from smarteros.agents.native import NativeAgent
from smarteros.agents.rebuilt import with_rebuilt_state
from smarteros.domain.decisions import ROUTE_OF_INTENT, AgentContext, AgentMessage, AgentRequest
from smarteros.domain.knowledge import Category, Document
from smarteros.domain.messages import Contact
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.store import MemoryDocumentStore

DIALOGUES: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "shopping.yml").read_text("utf-8")
)
# What means nothing without the list or the cart before it; other messages are understood alike without.
OF_A_LIST = ("cart_request", "thanks_goodbye")
TEXTS: dict[Category, tuple[str, str]] = {
    "envios": ("¿Cuánto cuesta el envío?", "El envío a Santiago cuesta $3.990."),
    "horarios": ("¿Cuál es el horario?", "Abrimos de lunes a viernes de 10:00 a 19:00."),
    "pago": ("¿Cómo puedo pagar?", "Con débito, crédito y transferencia."),
    "devoluciones": ("¿Puedo cambiar lo que compré?", "Tienes 30 días para cambiarlo."),
}


@pytest.fixture(scope="module")
def knowledge() -> EmbeddedKnowledgeBase:
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore())
    documents = (
        Document(name=category, title=category, category=category, markdown=f"# {category}\n\n## {title}\n\n{text}\n")
        for category, (title, text) in TEXTS.items()
    )
    knowledge.replace(TENANT.scope, tuple(documents))
    return knowledge


@pytest.fixture(scope="module")
def agent(knowledge: EmbeddedKnowledgeBase) -> NativeAgent:
    """The agent knows words only: what is proven here does not depend on encoders."""
    agent = NativeAgent(knowledge)
    agent.wait_until_ready()
    return agent


@pytest.mark.parametrize("name", DIALOGUES)
def test_a_conversation_about_buying_goes_as_its_customer_means_it(
    name: str, bench: Bench, agent: NativeAgent, knowledge: EmbeddedKnowledgeBase
) -> None:
    talk = Conversation.begun(bench, agent, knowledge)
    for turn in DIALOGUES[name]:
        before = len(talk.shop.calls)
        said, state = talk.write(turn["say"]), talk.state
        searches = [call.params for call in talk.shop.calls[before:] if call.tool == "shopify_search_products"]
        told = f"{turn['say']!r} was answered {said!r}"
        assert state.intent == turn["i"], told
        assert turn.get("has", "") in said, told
        if "cart" in turn:
            assert [f"{item} x{pieces}" for item, pieces in talk.cart()] == turn["cart"], told
        if "search" in turn:
            assert [{name: params.get(name) for name in turn["search"]} for params in searches] == [turn["search"]]
        entities = state.entities.model_dump()
        assert {name: entities[name] for name in turn.get("e", {})} == turn.get("e", {}), told
        assert len(state.asked.between if state.asked else ()) == turn.get("asks", 0), told


@pytest.mark.parametrize("name", [name for name, turns in DIALOGUES.items() if turns[-1]["i"] in OF_A_LIST])
def test_it_is_understood_as_well_by_who_knows_only_its_messages(name: str, agent: NativeAgent) -> None:
    said = tuple(cast("str", turn["say"]) for turn in DIALOGUES[name])
    request = AgentRequest(
        tenant_id=TENANT.tenant_id,
        channel="whatsapp",
        conversation_id=1,
        contact=Contact(id=1),
        message=AgentMessage(id=1, content=said[-1]),
        context=AgentContext(history=said[:-1]),
    )
    decision = agent.decide(with_rebuilt_state(agent, request))
    assert decision.intent == DIALOGUES[name][-1]["i"]
    assert decision.route == ROUTE_OF_INTENT[decision.intent]
