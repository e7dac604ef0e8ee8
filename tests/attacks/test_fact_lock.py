"""No brain makes the shop say what nobody looked up, in whatever way it writes it.

The contracts are the project's, the knowledge base is real; only the brain lies.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from smarteros.contracts.loader import load_contracts
from smarteros.domain.decisions import Citation, Decision, DialogueState, Entities
from smarteros.domain.knowledge import Document
from smarteros.domain.messages import Contact, IncomingMessage
from smarteros.domain.tenants import Tenant
from smarteros.domain.tools import Product, ProductList, ToolResult
from smarteros.domain.turns import DecidedTurn, ResolvedTurn
from smarteros.flow.context import reply_context
from smarteros.flow.sources import Sources
from smarteros.flow.wording import FACT_LOCK, ChosenText, written_reply
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.store import MemoryDocumentStore

CONTRACTS = load_contracts(Path(__file__).parents[2] / "contracts")
SHOP, OTHER = (
    Tenant(
        tenant_id=f"LOCKED_{name}",
        name=name.title(),
        rut="76123456-0",
        tenant_key=name[0] * 24,
        chatwoot_url="https://chat.example",
        chatwoot_account_ids=(account,),
    )
    for name, account in (("SHOP", 1), ("OTHER", 2))
)
SHIPPING = "El envío cuesta $3.990 y demora 2 a 4 días hábiles. Sobre $50.000 es gratis."
SHOES = ProductList(
    total=1,
    products=(
        Product(
            id="gid://shopify/Product/1",
            variant_id="gid://shopify/ProductVariant/10",
            title="Zapatilla Running Azul",
            variant="Talla 42",
            price=39990,
            stock=5,
            url="https://tienda.example/products/zapatilla",
        ),
    ),
)
FOUND = ToolResult(tool="shopify_search_products", outcome="ok", data=SHOES.model_dump(mode="json"))


@pytest.fixture(scope="module")
def knowledge() -> EmbeddedKnowledgeBase:
    opened = EmbeddedKnowledgeBase(MemoryDocumentStore())
    texts = {SHOP: SHIPPING, OTHER: "El envío cuesta $1.000 y llega en 1 día."}
    for tenant, text in texts.items():
        document = Document(name="envios.md", title="Envíos", category="envios", markdown=f"# Envíos\n\n{text}\n")
        opened.replace(tenant.scope, (document,))
    return opened


def sales(lead_in: str, **changes: Any) -> Decision:
    return Decision(intent="product_query", confidence=0.99, route="shopify_sales", reply_suggestion=lead_in, **changes)


def faq(knowledge: EmbeddedKnowledgeBase, reply: str | None, *, of: Tenant = SHOP, **changes: Any) -> Decision:
    (passage,) = knowledge.passages(of.scope)
    cited = Citation(document=passage.document, title=passage.title, text=passage.text, score=1.0)
    return Decision(
        intent="faq_shipping",
        confidence=0.99,
        route="kb_direct",
        reply=reply,
        rag_context=changes.pop("rag_context", (cited,)),
        **changes,
    )


def asked(text: str) -> IncomingMessage:
    return IncomingMessage(
        id=1,
        tenant_id=SHOP.tenant_id,
        account_id=1,
        conversation_id=1,
        inbox_id=7,
        channel="whatsapp",
        contact=Contact(id=1),
        text=text,
        created_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
    )


def said(
    knowledge: EmbeddedKnowledgeBase, decision: Decision, *results: ToolResult, text: str = "¿tienen en talla 42?"
) -> ChosenText:
    flow = CONTRACTS.flow_for_route(decision.route)
    resolved = ResolvedTurn(messages=(asked(text),), state=DialogueState())
    turn = DecidedTurn(flow_id=flow.flow_id, decision=decision)
    policy = knowledge.policy(SHOP.scope)
    facts = reply_context(SHOP, policy, resolved, turn, results)
    return written_reply(flow, facts, Sources(knowledge, SHOP, policy, resolved, turn, results))


LIES = [
    "Hoy con 20% de descuento:",
    "Solo por hoy, a mitad de precio:",
    "Te la dejo en $29.990:",
    "Te la dejo en 39.980 pesos:",
    "Cuesta treinta y ocho mil pesos:",
    "Vale apenas 42:",
    "Precio: ３８９９０ pesos",
    "Precio: $3\u200b8.990",
    "Precio: $38\u2060990",
    "Cuesta 3️⃣8️⃣9️⃣9️⃣0️⃣ pesos",
    "Cuesta 3 8 9 9 0 pesos",
    "[Págala aquí](https://tienda.example.evil.test/products/zapatilla)",
    "Mírala en https://evil.test/products/zapatilla",
    "Mírala en tienda punto ru",
    "Mírala en https://tienda.exаmple/products/zapatilla",
    "Nos quedan 12 unidades:",
    "Te llega el 15 de diciembre:",
    "Te llega mañana:",
    "Tiene dos años de garantía:",
    "Usa el código VERANO20:",
    "Envío gratis:",
    "Transfiere a pagos@evil.test",
    "Llama al +56 9 1111 2222",
    "Tu pedido SO-9911 va en camino:",
    "Cuesta treinta y ocho mil pesitos, o sea 38 lucas:",
    "Mírala en https://tienda.example@evil.test/products/zapatilla",
    "Mírala en https://tienda.example:80@evil.test",
    "Precio: ٣٨٩٩٠ pesos",
    "Precio: ३८९९० pesos",
    "Precio: $③⑧⑨⑨⓪",
    "Precio: $39.9\u200d80",
    "Con un veinte por ciento menos:",
    "A costo cero para ti:",
    "El despacho no lo pagas:",
    "Y unos calcetines de yapa:",
    "Te la dejo a la mitad:",
    "Llévate tres por dos:",
    "Llega el próximo viernes:",
    "Llega en Nochebuena, el veinticuatro de diciembre:",
    "Cuesta 0,03 palos:",
]


@pytest.mark.parametrize("lie", LIES)
def test_an_invented_fact_is_left_out_and_the_rest_is_said(knowledge: EmbeddedKnowledgeBase, lie: str) -> None:
    chosen = said(knowledge, sales(lie), FOUND)

    assert lie not in chosen.text
    assert "1) Zapatilla Running Azul — 39990 CLP" in chosen.text
    assert (chosen.rule, chosen.escalate) == ("found", False)
    assert chosen.note is not None
    assert lie in chosen.note


@pytest.mark.parametrize(
    "lead_in",
    [
        "Claro, te busco zapatillas en talla 42...",
        "Encontré la Running Azul a $39.990, y quedan 5 unidades:",
        "Cuesta treinta y nueve mil novecientos noventa pesos:",
        "Mírala: https://tienda.example/products/zapatilla",
    ],
)
def test_what_was_looked_up_or_named_by_the_customer_is_said(knowledge: EmbeddedKnowledgeBase, lead_in: str) -> None:
    chosen = said(knowledge, sales(lead_in, entities=Entities(size="42")), FOUND)

    assert lead_in in chosen.text
    assert chosen.note is None


def test_the_customers_own_number_is_never_a_price(knowledge: EmbeddedKnowledgeBase) -> None:
    decision = sales("Claro, te la dejo en $20.000:", entities=Entities(amount=20000, price_max=20000))
    chosen = said(knowledge, decision, FOUND, text="¿me la dejas en 20 lucas?")

    assert "20.000" not in chosen.text


def test_the_price_range_a_customer_named_is_said_back_by_the_contract(knowledge: EmbeddedKnowledgeBase) -> None:
    nothing = ToolResult(tool=FOUND.tool, outcome="ok", data={"products": [], "total": 0})
    decision = sales("Claro, te busco...", entities=Entities(category="botas", price_max=20000))
    chosen = said(knowledge, decision, nothing, text="botas hasta 20 lucas")

    assert "No encontré botas hasta $20.000" in chosen.text
    assert chosen.note is None


@pytest.mark.parametrize(
    "entities",
    [
        Entities(category="zapatillas a $1.000"),
        Entities(brand="https://evil.test", category="botas"),
        Entities(category="botas", color="rojo con 50% de descuento"),
    ],
)
def test_a_lie_among_the_entities_is_not_printed(knowledge: EmbeddedKnowledgeBase, entities: Entities) -> None:
    nothing = ToolResult(tool=FOUND.tool, outcome="ok", data={"products": [], "total": 0})
    chosen = said(knowledge, sales("Buscando...", entities=entities), nothing, text="botas")

    assert chosen.rule == "none_found"
    assert "No encontré productos. ¿Quieres que busque otra cosa?" in chosen.text


@pytest.mark.parametrize(
    "answer", [SHIPPING, "El envío cuesta 3.990 pesos.", "Demora entre dos y cuatro días hábiles."]
)
def test_an_answer_that_says_what_its_passage_says_is_sent(knowledge: EmbeddedKnowledgeBase, answer: str) -> None:
    chosen = said(knowledge, faq(knowledge, answer), text="¿cuánto cuesta el envío?")

    assert answer in chosen.text
    assert chosen.note is None


@pytest.mark.parametrize("answer", ["El envío cuesta $3.000.", "Demora 24 horas.", "Llega el viernes.", "Es 2x1."])
def test_a_changed_figure_is_replaced_by_the_passage(knowledge: EmbeddedKnowledgeBase, answer: str) -> None:
    chosen = said(knowledge, faq(knowledge, answer), text="¿cuánto cuesta el envío?")

    assert answer not in chosen.text
    assert SHIPPING in chosen.text


@pytest.mark.parametrize("invented", [True, False], ids=["invented", "of another tenant"])
def test_a_passage_that_is_not_the_tenants_vouches_for_nothing(
    knowledge: EmbeddedKnowledgeBase, invented: bool
) -> None:
    lie = "El envío cuesta $1.000 y llega en 1 día."
    made_up = Citation(document="envios.md", title="Envíos", text=lie, score=1.0)
    changes = {"rag_context": (made_up,)} if invented else {"of": OTHER}
    chosen = said(knowledge, faq(knowledge, lie, **changes), text="¿cuánto cuesta el envío?")

    assert "1.000" not in chosen.text
    assert (chosen.rule, chosen.escalate) == ("not_in_kb", True)
    assert chosen.note is not None


TRAINING = SHOES.products[0].model_copy(
    update={
        "id": "gid://shopify/Product/2",
        "title": "Zapatilla Training Negro",
        "price": 34990,
        "stock": 3,
        "url": "https://tienda.example/products/training",
    }
)
BOTH = ToolResult(
    tool=FOUND.tool,
    outcome="ok",
    data=ProductList(total=2, products=(*SHOES.products, TRAINING)).model_dump(mode="json"),
)


@pytest.mark.parametrize(
    "swapped",
    [
        "La Running Azul cuesta 34.990 pesos y la Training Negro 39.990 pesos:",
        "Running Azul a $34.990, Training Negro a $39.990:",
        "Quedan 3 unidades de la Azul y 5 unidades de la Negra:",
        "La negra vale treinta y nueve mil novecientos noventa pesos y la azul también me encanta:",
    ],
)
def test_what_is_true_of_another_product_of_the_same_list_is_not_said(
    knowledge: EmbeddedKnowledgeBase, swapped: str
) -> None:
    chosen = said(knowledge, sales(swapped), BOTH)

    assert swapped not in chosen.text
    assert chosen.note is not None


@pytest.mark.parametrize(
    "right",
    [
        "La Running Azul cuesta 39.990 pesos y la Training Negro 34.990 pesos:",
        "Running Azul a $39.990, Training Negro a $34.990:",
        "Ambas van bien, la Azul cuesta treinta y nueve mil novecientos noventa pesos:",
    ],
)
def test_what_is_true_of_each_is_said(knowledge: EmbeddedKnowledgeBase, right: str) -> None:
    chosen = said(knowledge, sales(right), BOTH)

    assert right in chosen.text
    assert chosen.note is None


def test_a_product_of_another_shop_is_not_shown(knowledge: EmbeddedKnowledgeBase) -> None:
    theirs = "También tengo la Polera Sur a $12.990: https://otra.example/products/polera"
    chosen = said(knowledge, sales(theirs), FOUND)

    assert "12.990" not in chosen.text
    assert "otra.example" not in chosen.text


def test_a_calendar_that_an_agent_made_up_vouches_for_nothing(knowledge: EmbeddedKnowledgeBase) -> None:
    calendar = Citation(
        document="calendario", title="calendario", text="el 24 de diciembre", score=0.0, question="¿abren el 24?"
    )
    chosen = said(knowledge, faq(knowledge, "Llega el 24 de diciembre.", rag_context=(calendar,)))

    assert "24 de diciembre" not in chosen.text


def test_where_no_text_can_be_sent_a_person_writes(knowledge: EmbeddedKnowledgeBase) -> None:
    flow = CONTRACTS.flow_for_route("shopify_sales")
    text = {"es": "Tu descuento es de {{ confidence }}%: {{ text }}", "en": "Your discount: {{ text }}"}
    rule = flow.reply[-1].model_copy(update={"when": None, "text": flow.reply[-1].text.model_copy(update=text)})
    printing = flow.model_copy(update={"reply": (rule,), "notices": (), "escalation": ()})
    resolved = ResolvedTurn(messages=(asked("50% en https://evil.test"),))
    turn = DecidedTurn(flow_id=flow.flow_id, decision=sales("Hola"))
    facts = reply_context(SHOP, knowledge.policy(SHOP.scope), resolved, turn)
    sources = Sources(knowledge, SHOP, knowledge.policy(SHOP.scope), resolved, turn, ())
    chosen = written_reply(printing, facts, sources)

    assert "evil" not in chosen.text
    assert chosen.withheld is not None
    assert chosen.rule in {FACT_LOCK, rule.outcome}


def test_a_usual_reply_is_written_and_checked_in_little_processor_time(knowledge: EmbeddedKnowledgeBase) -> None:
    decision = sales("Claro, te busco zapatillas en talla 42...", entities=Entities(size="42"))

    def cost_s() -> float:
        started = time.process_time()
        said(knowledge, decision, FOUND)
        return time.process_time() - started

    # The best of many: what other programs do at the same time is not measured. The lock alone takes a tenth of it.
    assert min(cost_s() for _ in range(50)) < 0.005
