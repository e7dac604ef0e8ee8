"""The agent contract as a bot is asked by it, and what of its answer becomes part of a decision.

The bot decides intent, route, entities, tools and words. Not asked are messages that only we can understand, and
those that go to a person whatever anybody says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError

from smarteros.agents.botpress.protocol import PROVIDER, BotQuestion
from smarteros.agents.disclosure import DiscardedError, own_size, redactor_of, restored, shown, shown_earlier, words_of
from smarteros.agents.llm.protocol import LlmCall
from smarteros.contracts.checks import ROUTE_OF_TOOL
from smarteros.contracts.loader import ContractSet
from smarteros.domain.decisions import ROUTE_OF_INTENT, AgentMessage, AgentRequest, Decision
from smarteros.domain.messages import Contact
from smarteros.kit.redaction import Redactor
from smarteros.kit.text import strip_controls

_LONGEST_TEXT, _MOST_ITEMS, _DEEPEST, _LARGEST_NUMBER = 4_000, 20, 6, 10**12
# Entities that tell of things for sale; the others are about persons, their papers and where they live.
_TOLD = frozenset({"category", "size", "color", "brand", "model", "gender", "quantity", "price_min", "price_max"})
# A bot may always ask back, give up or call a person.
_ANY_INTENT = frozenset({"clarify", "fallback", "human_handoff"})


@dataclass(frozen=True)
class Asked:
    """A question to a bot, what hid the personal data in it, and the customer's own words."""

    question: BotQuestion
    redactor: Redactor
    words: str

    @property
    def hash(self) -> str:
        """SHA-256 of everything that is sent, apart from which bot it is sent to."""
        return hashlib.sha256(json.dumps(self.question.contract, sort_keys=True).encode()).hexdigest()


def asked_of(request: AgentRequest, decision: Decision, contracts: ContractSet) -> Asked | None:
    """Return what the bot is asked, or None for what the embedded brain decides itself.

    That are photos and empty messages, angry customers and those who surely want a person, carts, the choice between
    what we offered, and answers to what we asked about an invoice or a return.
    """
    if request.message.type != "text" or decision.frustrated or decision.cart is not None:
        return None
    threshold = contracts.flow_for_intent(decision.intent).agent.thresholds.of(decision.intent)
    if decision.route == "human_handoff" and decision.confidence >= threshold:
        return None
    state = request.context.state
    if state.options or (decision.actions and state.pending not in (None, "cart_offer")):
        return None
    redactor = redactor_of(request)
    text = shown(redactor, request.message.content)
    if not text:
        return None
    user = hashlib.sha256(f"{request.tenant_id}:{request.conversation_id}".encode()).hexdigest()[:32]
    contract = _request_json(request, redactor, text)
    return Asked(BotQuestion(user=f"smos-{user}", text=text, contract=contract), redactor, words_of(request))


def greeting_of(tenant_id: str) -> BotQuestion:
    """Return a greeting as the bot is asked it, of nobody in no conversation."""
    request = AgentRequest(
        tenant_id=tenant_id,
        channel="webwidget",
        conversation_id=0,
        contact=Contact(id=0),
        message=AgentMessage(id=0, content="hola"),
    )
    return BotQuestion("smos-doctor", "hola", _request_json(request, redactor_of(request), "hola"))


def call_of(calls: Iterable[LlmCall], asked: Asked) -> LlmCall | None:
    """Return the bot's recorded answer to this very question, or that there was none; None when it was not asked."""
    return next((call for call in calls if call.provider == PROVIDER and call.request_hash == asked.hash), None)


def read_answer(output: dict[str, Any]) -> Decision:
    """Return the answer if it is one of the contract, to the letter, and bounded; personal data is still hidden.

    DiscardedError ``malformed`` for anything else. A route must be the intent's, a tool's that is asked for, or one on
    which nothing is stated.
    """
    try:
        clean = _mapped(output, strip_controls)
        answer = Decision.model_validate_json(json.dumps(clean), strict=True)
    except (ValidationError, ValueError, RecursionError) as error:
        raise DiscardedError("malformed") from error
    routes = {ROUTE_OF_INTENT[answer.intent], *(ROUTE_OF_TOOL.get(action.tool) for action in answer.actions)}
    if None in routes or answer.route not in routes | _ANY_INTENT:
        raise DiscardedError("malformed")
    return answer


def applied(asked: Asked, decision: Decision, answer: Decision) -> Decision:
    """Return the embedded brain's decision with the bot's in its place.

    Language, anger and the probable intents stay those we found, and the passages we found stand beside those the bot
    cites: the fact lock lets pass what either of them says, if the tenant's knowledge base holds it. DiscardedError
    ``placeholder`` when the bot uses hidden data it was not shown.
    """
    said = answer.model_dump(
        mode="json", include={"intent", "confidence", "route", "entities", "actions", "reply", "reply_suggestion"}
    )
    whole = _mapped(said, lambda text: restored(asked.redactor, text))
    agreed = answer.intent == decision.intent
    entities = whole["entities"]
    entities["size"] = own_size(entities["size"], asked.words, (decision.entities.size,))
    kept = {
        "language": decision.language,
        "frustrated": decision.frustrated,
        "candidates": decision.candidates,
        "foreign": decision.foreign,
        "second_intent": decision.second_intent if agreed else None,
        "second_reply": decision.second_reply if agreed else None,
        "rag_context": (*decision.rag_context, *answer.rag_context),
    }
    return Decision.model_validate({**whole, **kept})


@dataclass(frozen=True)
class Judged:
    """What became of an answer (a word for the metrics), the decision that follows, and what is kept of the answer."""

    outcome: str
    decision: Decision
    kept: dict[str, Any] | None = None


def judged(asked: Asked, decision: Decision, output: dict[str, Any]) -> Judged:
    """Judge what a bot answered; an answer of the contract is kept with personal data still hidden."""
    kept = None
    try:
        answer = read_answer(output)
        kept = answer.model_dump(mode="json")
        return Judged("used", applied(asked, decision, answer), kept)
    except DiscardedError as discarded:
        return Judged(f"discarded_{discarded.reason}", decision, kept)


def _request_json(request: AgentRequest, redactor: Redactor, text: str) -> dict[str, Any]:
    """Write the request of the contract; what it says of the customer is his number in the shop's own Chatwoot."""
    context, state = request.context, request.context.state
    entities = state.entities.model_dump(include=set(_TOLD), exclude_none=True)
    return {
        "tenant_id": request.tenant_id,
        "channel": request.channel,
        "conversation_id": request.conversation_id,
        "contact": {"id": request.contact.id, "name": None, "phone": None, "email": None},
        "message": {"id": request.message.id, "type": "text", "content": text, "attachments": []},
        "context": {
            "language": context.language,
            "shopify_connected": context.shopify_connected,
            "shopify_store_domain": context.shopify_store_domain,
            "history": shown_earlier(redactor, request),
            "state": {
                "intent": state.intent,
                "language": state.language,
                "entities": {
                    name: shown(redactor, value) if isinstance(value, str) else value
                    for name, value in entities.items()
                },
                "pending": state.pending,
            },
        },
    }


def _mapped(value: Any, change: Callable[[str], str], depth: int = 0) -> Any:
    """Return JSON with every text changed; ValueError when it is deeper, longer or larger than any answer is."""
    if isinstance(value, str):
        if len(value) > _LONGEST_TEXT:
            raise ValueError("too long")
        return change(value)
    if isinstance(value, (int, float)):
        if not -_LARGEST_NUMBER <= value <= _LARGEST_NUMBER:
            raise ValueError("too large")
        return value
    if isinstance(value, (dict, list)) and (depth > _DEEPEST or len(cast("list[Any]", value)) > _MOST_ITEMS):
        raise ValueError("too much")
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {strip_controls(name[:_LONGEST_TEXT]): _mapped(item, change, depth + 1) for name, item in fields.items()}
    if isinstance(value, list):
        return [_mapped(item, change, depth + 1) for item in cast("list[Any]", value)]
    return value
