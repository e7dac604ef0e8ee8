"""A small shop of our own and a way to talk to the agent in one line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml

from smarteros.agents.native import NativeAgent
from smarteros.domain.decisions import (
    AgentContext,
    AgentMessage,
    AgentRequest,
    Decision,
    DialogueState,
    Entities,
    Intent,
    Language,
)
from smarteros.domain.messages import Contact
from smarteros.domain.tenants import TenantScope
from smarteros.domain.tools import Product
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.markdown import parse_markdown
from smarteros.knowledge.store import MemoryDocumentStore

DATA = Path(__file__).parent / "data"
SCOPE = TenantScope(tenant_id="TENANT_BICICLETAS")
TEXTS = {
    "horas.md": """---
category: horarios
---
# Horas
## ¿Cuándo está abierta la tienda?
Abrimos así:
- Martes a Sábado: 11:00 a 19:30
- Domingos y Lunes: Cerrado
## ¿Abren los festivos?
Los festivos no abrimos.
""",
    "hours.md": """---
category: horarios
language: en
---
# Hours
## When is the shop open?
Tuesday to Saturday from 11:00 to 19:30.
""",
    "lugar.md": """---
category: ubicacion
---
# Lugar
## ¿Dónde está la tienda?
Estamos en Irarrázaval 2020, Ñuñoa.
""",
    "pagos.md": """---
category: pago
---
# Pagos
## ¿Cómo se puede pagar?
Con débito, crédito y transferencia.
""",
    "despachos.md": """---
category: envios
---
# Despachos
## ¿Cuánto cuesta el despacho?
El despacho cuesta $4.500 a todo Chile.
## ¿Cuánto demora?
Demora 4 días hábiles.
""",
    "garantia.md": """---
category: garantia
warranty_days: 120
---
# Garantía
## ¿Cuánto dura la garantía?
La garantía dura 120 días.
""",
}
RED = Product(
    id="gid://shopify/Product/1",
    variant_id="gid://shopify/ProductVariant/10",
    title="Casco Urbano Rojo",
    variant="Talla M",
    price=29990,
    stock=3,
    url="https://shop.test/1",
)
BLACK = Product(
    id="gid://shopify/Product/2",
    variant_id="gid://shopify/ProductVariant/20",
    title="Casco Ruta Negro",
    variant="M / Negro",
    price=49990,
    stock=1,
    url="https://shop.test/2",
)
AFTER_A_LIST = DialogueState(
    flow_id="e2e_shopify_sales",
    intent="product_query",
    language="es",
    entities=Entities(category="zapatillas", size="42"),
    offered=(RED, BLACK),
    pending="cart_offer",
)


def small_knowledge_base() -> EmbeddedKnowledgeBase:
    """Return a knowledge base that holds the small shop's texts."""
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore())
    knowledge.replace(SCOPE, tuple(parse_markdown(name, text) for name, text in TEXTS.items()))
    return knowledge


@dataclass(frozen=True)
class Talk:
    """Asks an agent."""

    agent: NativeAgent
    _heard: dict[str, Decision] = field(default_factory=dict[str, Decision])

    def hear(self, text: str) -> Decision:
        """What becomes of a conversation's first message. The same one is decided once, however many tests ask."""
        if text not in self._heard:
            self._heard[text] = self.ask(text)
        return self._heard[text]

    def ask(
        self, text: str, *, state: DialogueState | None = None, message: dict[str, Any] | None = None, **context: Any
    ) -> Decision:
        """Send one message; keyword arguments are fields of the context."""
        return self.agent.decide(
            AgentRequest(
                tenant_id=SCOPE.tenant_id,
                channel="whatsapp",
                conversation_id=1,
                contact=Contact(id=1),
                message=AgentMessage(id=1, content=text, **(message or {})),
                context=AgentContext(state=state or DialogueState(), **context),
            )
        )


@dataclass(frozen=True)
class Labelled:
    """A held-out message with the intent a person gave it."""

    text: str
    language: Language
    intent: Intent


def held_out(name: str) -> Iterator[Labelled]:
    """Read one set of held-out messages."""
    raw = yaml.safe_load((DATA / f"{name}.yml").read_text("utf-8"))
    for intent, lines in cast(dict[Intent, list[str]], raw).items():
        for line in lines:
            language, text = line.split(" | ", 1)
            yield Labelled(text, cast(Language, language.strip()), intent)


HELD_OUT_SETS = ("held_out", "held_out_second", "held_out_third", "held_out_fourth")
