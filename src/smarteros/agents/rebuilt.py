"""The state of a dialogue of which only the customer's messages are known.

Whoever asks the agent from outside (``smos agent decide``, an orchestrator at the agent endpoint) may send earlier
messages without the state our own flow keeps. It is rebuilt by deciding them in their order. What the shop's systems
answered is not among them: no products are known to have been listed, only that a list was due.
"""

from __future__ import annotations

from smarteros.agents.options import options_of
from smarteros.agents.protocol import Agent
from smarteros.agents.unseen_cart import BEGUN
from smarteros.domain.decisions import AgentMessage, AgentRequest, Decision, DialogueState

MOST_MESSAGES = 6
"""Earlier messages that are decided; what was said before them hardly bears on an answer, and each costs a decision."""

_IN_BETWEEN = frozenset({"kb_direct", "clarify", "fallback"})  # a list and a cart outlive such questions
_BELIEVED = 0.80  # the usual threshold of the contracts
_LONGEST = 2_000


def with_rebuilt_state(agent: Agent, request: AgentRequest) -> AgentRequest:
    """Return the request with the state its history leads to; one that has a state or no history is left alone."""
    context = request.context
    if not context.history or context.state != DialogueState():
        return request
    state = DialogueState()
    first = max(0, len(context.history) - MOST_MESSAGES)
    for number in range(first, len(context.history)):
        before = context.model_copy(
            update={
                "history": context.history[:number],
                "state": state,
                "ocr_confidence": None,
                "invoice_detected": None,
            }
        )
        message = AgentMessage(id=request.message.id, content=context.history[number][:_LONGEST])
        state = state_after(state, agent.decide(request.model_copy(update={"message": message, "context": before})))
    return request.model_copy(update={"context": context.model_copy(update={"state": state})})


def state_after(state: DialogueState, decision: Decision) -> DialogueState:
    """Return what a turn leaves to the next one, as the flow would when all tools had answered."""
    doubtful = decision.confidence < _BELIEVED or decision.route == "clarify"
    options = options_of(decision.candidates) if doubtful else ()
    pending = "cart_offer" if state.pending == "cart_offer" and decision.route in _IN_BETWEEN else None
    if decision.intent in {"product_query", "cart_request"} and not doubtful:
        pending = "cart_offer"
    elif decision.route == "odoo_invoice_lookup" and not decision.actions and not doubtful:
        pending = "invoice_photo"
    return state.model_copy(
        update={
            "intent": decision.intent,
            "language": decision.language,
            "entities": decision.entities,
            "pending": pending,
            "spoken_of": BEGUN if decision.intent == "cart_request" and not doubtful else state.spoken_of,
            "clarifications": state.clarifications + 1 if doubtful else 0,
            "options": options,
        }
    )
