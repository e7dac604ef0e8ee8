"""The bots behind the stand-in: what they are opened with, and what they say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smarteros_sandbox.shops.models import DemoShop
from smarteros_sandbox.shops.untyped import as_object

Json = dict[str, Any]
# What a bot makes of the agent contract's request: the contract's answer, or just words.
Answers = Callable[[Json], Json | str]
_GREETS = re.compile(r"\b(hola|buen[oa]s|hello|hi)\b", re.IGNORECASE)
_WANTS_A_PERSON = re.compile(r"\b(persona|humano|ejecutiv[oa]|person|agent)\b", re.IGNORECASE)
_NO_WORD_OF_A_PRODUCT = frozenset({"tienen", "tienes", "hay", "quiero", "busco", "necesito", "venden", "una", "para"})


@dataclass(frozen=True)
class SandboxBot:
    """One bot. ``bot_id`` is its webhook id and its id in v12.

    ``key`` is the encryption key of its users' keys and v12's bearer token. Without one users are made by the stand-in,
    and v12 is open to anybody.
    """

    tenant_id: str
    bot_id: str
    key: str | None
    answers: Answers


def shop_bot(shop: DemoShop) -> SandboxBot:
    """The bot of a shop, opened with a key of its own."""
    name = shop.spec.tenant_id.lower().replace("_", "-")
    return SandboxBot(shop.spec.tenant_id, f"bot-{name}", f"sandbox-key-of-the-bot-of-{name}", simple_answer)


def simple_answer(asked: Json) -> Json:
    """Greet, hand over, and look everything else up in the shop by the words of the message."""
    said = str((as_object(asked.get("message")) or {}).get("content", ""))
    if _WANTS_A_PERSON.search(said):
        return {"intent": "human_request", "confidence": 0.97, "route": "human_handoff", "entities": {}, "actions": []}
    words = [word for word in re.findall(r"\d+|\w{3,}", said.lower()) if word not in _NO_WORD_OF_A_PRODUCT]
    if _GREETS.search(said) and len(words) < 3:
        return {"intent": "greeting", "confidence": 0.95, "route": "smalltalk", "entities": {}, "actions": []}
    if not words:
        return {"intent": "ambiguous", "confidence": 0.3, "route": "clarify", "entities": {}, "actions": []}
    query = " ".join(words[:6])
    search = {"type": "CALL_MCP", "tool": "shopify_search_products", "params": {"query": query, "limit": 5}}
    return {
        "intent": "product_query",
        "confidence": 0.9,
        "route": "shopify_sales",
        "entities": {},
        "actions": [search],
        "reply_suggestion": "Déjame buscarlo en la tienda:",
    }


def as_text(answer: Json | str) -> str:
    """An answer as the text of a message."""
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
