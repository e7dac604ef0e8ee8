"""What every Agent must do, whatever stands behind it. A new implementation is one more factory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import pytest
from tests.unit.agents.botpress import bots as shops_bots
from tests.unit.agents.llm.brains import brain, first_passage

from smarteros.agents.native import NativeAgent
from smarteros.agents.protocol import Agent
from smarteros.domain.decisions import (
    ROUTE_OF_INTENT,
    AgentContext,
    AgentMessage,
    AgentRequest,
    Decision,
    DialogueState,
    Entities,
    Intent,
    OcrEntities,
)
from smarteros.domain.messages import Contact
from smarteros.domain.tenants import TenantScope
from smarteros.domain.tools import Product
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.markdown import parse_markdown
from smarteros.knowledge.protocol import KnowledgeBase
from smarteros.knowledge.store import MemoryDocumentStore
from smarteros.tools.inputs import (
    CartInput,
    HistoryInput,
    InvoiceInput,
    InvoiceListInput,
    ShopSearchInput,
    TicketInput,
)

OURS, THEIRS = TenantScope(tenant_id="TENANT_OURS"), TenantScope(tenant_id="TENANT_THEIRS")
INPUT_OF_TOOL = {
    "shopify_search_products": ShopSearchInput,
    "shopify_create_cart": CartInput,
    "odoo_find_invoice": InvoiceInput,
    "odoo_customer_history": HistoryInput,
    "odoo_list_invoices_by_contact": InvoiceListInput,
    "odoo_create_ticket": TicketInput,
}
HOURS = "---\ncategory: horarios\n---\n# Horario\n## ¿Cuándo abren?\n{}\n"
OFFERED = Product(
    id="gid://shopify/Product/5",
    variant_id="gid://shopify/ProductVariant/50",
    title="Mochila Lago",
    variant="Única",
    price=25990,
    stock=2,
    url="https://shop.test/5",
)


def knowledge() -> KnowledgeBase:
    base = EmbeddedKnowledgeBase(MemoryDocumentStore())
    base.replace(OURS, (parse_markdown("h.md", HOURS.format("Abrimos de 10:00 a 20:00.")),))
    base.replace(THEIRS, (parse_markdown("h.md", HOURS.format("Abrimos de 7:00 a 15:00.")),))
    return base


def with_language_model(native: NativeAgent) -> Agent:
    """The brain with a model that answers with the first passage it is shown."""
    return brain(first_passage, native=native).agent


@contextmanager
def with_a_bot(door: shops_bots.Door, native: NativeAgent) -> Iterator[Agent]:
    """The brain with a shop's own bot behind the stand-in of Botpress, which understands what another agent does."""
    parts = {"intent", "confidence", "route", "entities", "actions", "reply"}

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        decision = native.decide(AgentRequest.model_validate(asked))
        return decision.model_dump(mode="json", include=parts)

    with shops_bots.bots_serving() as bots:
        bots.says = answer
        yield shops_bots.brain(bots, bots.settings(door), native=native).agent
        assert len(bots.asked) > 20  # it was the bot that passed


AGENTS: dict[str, Callable[[NativeAgent], AbstractContextManager[Agent]]] = {
    "native": nullcontext,
    "llm": lambda native: nullcontext(with_language_model(native)),
    "botpress cloud": lambda native: with_a_bot(("cloud", "open"), native),
    "botpress v12": lambda native: with_a_bot(("v12", "open"), native),
}


@pytest.fixture(scope="module")
def native() -> NativeAgent:
    return NativeAgent(knowledge())


@pytest.fixture(scope="module", params=sorted(AGENTS))
def agent(request: pytest.FixtureRequest, native: NativeAgent) -> Iterator[Agent]:
    with AGENTS[request.param](native) as opened:
        yield opened


def decide(
    agent: Agent, text: str, *, scope: TenantScope = OURS, message: dict[str, Any] | None = None, **context: Any
) -> Decision:
    return agent.decide(
        AgentRequest(
            tenant_id=scope.tenant_id,
            channel="whatsapp",
            conversation_id=7,
            contact=Contact(id=3),
            message=AgentMessage(id=11, content=text, **(message or {})),
            context=AgentContext(**context),
        )
    )


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("¿venden mochilas verdes?", "product_query"),
        ("¿a qué hora abren mañana?", "faq_hours"),
        ("¿dónde están ubicados?", "faq_address"),
        ("¿aceptan tarjetas de crédito?", "faq_payment_methods"),
        ("¿mandan a Punta Arenas?", "faq_shipping"),
        ("¿cuál es la política de cambios?", "faq_returns"),
        ("¿me das el correo de la tienda?", "faq_contact"),
        ("¿dónde viene mi pedido?", "order_status"),
        ("se me rompió la mochila, ¿tiene garantía?", "warranty_inquiry"),
        ("quiero devolver la mochila que compré", "return_request"),
        ("hola, buenas tardes", "greeting"),
        ("muchas gracias, chao", "thanks_goodbye"),
        ("necesito hablar con una persona", "human_request"),
        ("pésima atención, estoy indignada", "complaint"),
        ("¿va a llover mañana?", "out_of_scope"),
        ("where is my order?", "order_status"),
        ("what time do you close?", "faq_hours"),
    ],
)
def test_plain_messages_are_understood_and_routed(agent: Agent, text: str, intent: Intent):
    decision = decide(agent, text)
    assert decision.intent == intent
    assert decision.route == ROUTE_OF_INTENT[intent]


def test_too_little_to_go_on_is_not_claimed_with_confidence(agent: Agent):
    assert decide(agent, "¿Cómo es eso?").confidence < 0.80


def test_a_product_question_asks_for_a_search(agent: Agent):
    decision = decide(agent, "¿tienen chaquetas azules talla L?")
    assert [action.tool for action in decision.actions] == ["shopify_search_products"]
    assert (decision.entities.size, decision.entities.color) == ("L", "azul")


@pytest.mark.parametrize(
    ("text", "context", "message"),
    [
        ("busco botas 40 hasta 50 lucas", {}, {}),
        ("sí", {"state": DialogueState(intent="product_query", offered=(OFFERED,), pending="cart_offer")}, {}),
        (
            "aquí va la boleta",
            {},
            {"type": "image_with_text", "ocr_entities": OcrEntities(invoice_number="INV-2025-002")},
        ),
    ],
)
def test_actions_fit_the_tools_own_inputs(agent: Agent, text: str, context: dict[str, Any], message: dict[str, Any]):
    decision = decide(agent, text, message=message, **context)
    assert decision.actions
    for action in decision.actions:
        INPUT_OF_TOOL[action.tool].model_validate(action.params)


def test_a_faq_is_answered_from_the_tenants_own_text_only(agent: Agent):
    assert "10:00 a 20:00" in (decide(agent, "¿qué horario tienen?").reply or "")
    assert "7:00 a 15:00" in (decide(agent, "¿qué horario tienen?", scope=THEIRS).reply or "")


def test_a_tenant_without_texts_gets_no_invented_answer(agent: Agent):
    decision = decide(agent, "¿qué horario tienen?", scope=TenantScope(tenant_id="TENANT_EMPTY"))
    assert decision.reply is None
    assert decision.rag_context == ()


def test_the_context_of_earlier_turns_is_used(agent: Agent):
    state = DialogueState(intent="product_query", entities=Entities(category="chaquetas", size="M"), offered=(OFFERED,))
    decision = decide(agent, "¿y en talla L?", state=state)
    assert decision.intent == "product_query"
    assert (decision.entities.category, decision.entities.size) == ("chaquetas", "L")


def test_deciding_twice_gives_the_same_decision(agent: Agent):
    assert decide(agent, "¿tienen gorros?") == decide(agent, "¿tienen gorros?")


@pytest.mark.parametrize(
    "text", ["", "😀" * 500, "\x00\u202e", "z" * 20_000, "{{7*7}}", "<script>alert(1)</script>", "'; DROP TABLE x; --"]
)
def test_odd_input_is_a_decision_that_answers_nothing(agent: Agent, text: str):
    decision = decide(agent, text)
    assert decision.route in {"clarify", "fallback"} or decision.confidence < 0.80
    assert decision.reply is None
