"""The native agent: a small classifier and own grammars to understand, the tenant's own passages to answer."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass

from smarteros.agents import replies
from smarteros.agents.entities import EntityExtractor
from smarteros.agents.gazetteer import base_gazetteer
from smarteros.agents.intents import Examples, IntentModel, examples_in
from smarteros.agents.language import LanguageDetector
from smarteros.agents.memory import give_back_freed_memory
from smarteros.agents.mood import is_frustrated
from smarteros.agents.query import NO_WORDS, search_query
from smarteros.agents.understanding import Interpreter, Understanding
from smarteros.domain.decisions import ROUTE_OF_INTENT, Action, AgentRequest, Citation, Decision, Intent, Language
from smarteros.domain.knowledge import Category, Hit
from smarteros.domain.tenants import TenantScope
from smarteros.kit.clock import in_santiago
from smarteros.knowledge.protocol import KnowledgeBase

CATEGORY_OF_INTENT: dict[Intent, Category] = {
    "faq_hours": "horarios",
    "faq_address": "ubicacion",
    "faq_payment_methods": "pago",
    "faq_shipping": "envios",
    "faq_returns": "devoluciones",
    "faq_contact": "contacto",
    "warranty_inquiry": "garantia",
    "return_request": "devoluciones",
}
_PRODUCTS_PER_SEARCH = 5
_CITATIONS = 3
_SEARCH_DEPTH = 12  # what is of another matter is dropped afterwards
_SURE = 0.8
_SEARCHED = ("size", "color", "brand", "price_min", "price_max")


@dataclass(frozen=True)
class Brain:
    """What was learnt: only read once it is made, so threads may share it."""

    extractor: EntityExtractor
    languages: LanguageDetector
    interpreter: Interpreter

    @classmethod
    def trained(cls, extra_examples: Examples | None = None) -> Brain:
        """Learn the base pack and the extra examples; about a second of CPU."""
        extractor = EntityExtractor(base_gazetteer())
        brain = cls(
            extractor,
            LanguageDetector(examples_in("es"), examples_in("en")),
            Interpreter(extractor, IntentModel(extractor, extra_examples=extra_examples)),
        )
        give_back_freed_memory()
        return brain


class NativeAgent:
    """Agent that runs inside the process: no account, no model download, some milliseconds a message.

    It learns on a thread of its own from the moment it is made; only the first question waits for that.
    """

    def __init__(self, knowledge: KnowledgeBase, *, extra_examples: Examples | None = None) -> None:
        self._knowledge = knowledge
        self._brain: Future[Brain] = Future()
        threading.Thread(target=self._learn, args=(extra_examples,), name="agent-training", daemon=True).start()

    @property
    def ready(self) -> bool:
        """Whether it has learnt what it needs and can answer at once."""
        return self._brain.done() and self._brain.exception() is None

    def wait_until_ready(self) -> None:
        """Return when it has learnt; raises what went wrong."""
        self._brain.result()

    def _learn(self, extra_examples: Examples | None) -> None:
        try:
            self._brain.set_result(Brain.trained(extra_examples))
        except Exception as error:  # raised again to whoever asks; a thread that dies alone would leave them waiting
            self._brain.set_exception(error)

    def decide(self, request: AgentRequest) -> Decision:
        """Decide one turn; see ``Agent.decide``."""
        brain = self._brain.result()
        context, text = request.context, request.message.content
        state = context.state
        current: Language = state.language or ("en" if context.language.startswith("en") else "es")
        language = brain.languages.detect(text, current=current, history=context.history)
        extraction = brain.extractor.extract(
            text,
            today=in_santiago(context.now).date() if context.now is not None else None,
            about_sizes=state.entities.category is not None or bool(state.offered),
        )
        understood = brain.interpreter.understand(request, extraction)
        complains = understood.intent == "complaint" and understood.confidence >= _SURE
        hits = self._passages(request.tenant_id, understood, language)
        return Decision(
            intent=understood.intent,
            confidence=round(min(understood.confidence, 1.0), 4),
            route=ROUTE_OF_INTENT[understood.intent],
            entities=understood.entities,
            actions=_actions(understood),
            reply=_reply(understood, hits),
            reply_suggestion=_lead_in(understood, language),
            rag_context=tuple(_citation(hit) for found in hits.values() for hit in found),
            language=language,
            frustrated=is_frustrated(text, context.history, complains=complains),
            second_intent=understood.second.intent if understood.second else None,
        )

    def _passages(self, tenant_id: str, understood: Understanding, language: Language) -> dict[Intent, list[Hit]]:
        """Find passages for the intent and the second one, each with its own words; of other matters none."""
        asked: list[tuple[Intent, str]] = [(understood.intent, understood.question)]
        if understood.second is not None:
            asked.append((understood.second.intent, understood.second.extraction.folded))
        found: dict[Intent, list[Hit]] = {}
        for intent, text in asked:
            category = CATEGORY_OF_INTENT.get(intent)
            if category is not None:
                hits = self._knowledge.search(
                    TenantScope(tenant_id=tenant_id),
                    text,
                    language=language,
                    category=category,
                    limit=_SEARCH_DEPTH,
                )
                usable = [hit for hit in hits if hit.passage.category in {category, "otros"}]
                found[intent] = usable[:_CITATIONS]
        return found


def _actions(understood: Understanding) -> tuple[Action, ...]:
    if understood.lines:
        lines = [{"variant_id": line.variant_id, "quantity": line.quantity} for line in understood.lines]
        return (Action(tool="shopify_create_cart", params={"lines": lines}),)
    entities = understood.entities
    route = ROUTE_OF_INTENT[understood.intent]
    if route == "odoo_invoice_lookup" and entities.invoice_number is not None:
        return (Action(tool="odoo_find_invoice", params={"invoice_number": entities.invoice_number}),)
    if route == "shopify_sales":
        query = search_query(understood.extraction, entities)
        if query != NO_WORDS or understood.intent == "product_query":
            filters = {name: getattr(entities, name) for name in _SEARCHED if getattr(entities, name) is not None}
            params = {"query": query, **filters, "limit": _PRODUCTS_PER_SEARCH}
            return (Action(tool="shopify_search_products", params=params),)
    return ()


def _reply(understood: Understanding, hits: dict[Intent, list[Hit]]) -> str | None:
    """Answer a FAQ, and a second one in the same message, by the words of the best passage of each."""
    if ROUTE_OF_INTENT[understood.intent] != "kb_direct":
        return None
    texts = [found[0].passage.text for intent, found in hits.items() if found and _is_faq(intent)]
    return "\n\n".join(dict.fromkeys(texts)) or None


def _is_faq(intent: Intent) -> bool:
    return ROUTE_OF_INTENT[intent] == "kb_direct"


def _lead_in(understood: Understanding, language: Language) -> str | None:
    route, entities = ROUTE_OF_INTENT[understood.intent], understood.entities
    if understood.lines:
        return replies.preparing_cart(language)
    if route == "shopify_sales":
        return replies.searching(understood.extraction, entities, language)
    if route == "odoo_invoice_lookup" and entities.invoice_number is not None:
        return replies.checking_invoice(entities.invoice_number, language)
    return None


def _citation(hit: Hit) -> Citation:
    passage = hit.passage
    return Citation(document=passage.document, title=passage.title, text=passage.text, score=hit.score)
