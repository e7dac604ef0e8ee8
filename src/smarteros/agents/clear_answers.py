"""Questions whose intent is in doubt, but to which the tenant has a passage that clearly is the answer.

Shops write about what no intent names: keys they copy, tools they rent, points, whether a dog may come in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from smarteros.agents.intents import IntentScores
from smarteros.agents.understanding import Understanding
from smarteros.domain.decisions import ROUTE_OF_INTENT, Intent, Language
from smarteros.domain.knowledge import Category, Hit
from smarteros.domain.tenants import TenantScope
from smarteros.kit.clock import in_santiago
from smarteros.knowledge.protocol import KnowledgeBase

INTENT_OF_CATEGORY: dict[Category, Intent] = {
    "horarios": "faq_hours",
    "ubicacion": "faq_address",
    "pago": "faq_payment_methods",
    "envios": "faq_shipping",
    "devoluciones": "faq_returns",
    "contacto": "faq_contact",
}
_SURE = 0.8
# Measured over five shops, 159 messages to each that no shop should answer: at most 2 of them are answered here, and
# none of 76 injections and lines of nonsense. A hardware store's 60 questions: 43 answered rightly, 2 wrongly (28 and 2
# without). At 0.8 one shop answers 3, and 45 rightly.
_CLEAR = 0.85
_SAYS_TOO_LITTLE = 0.5  # probability of "ambiguous" from which a message names nothing to look for
_WANTS_A_PERSON = 0.5
_LEAST_STRANGE, _MOST_STRANGE = -1.0, 1.25  # log odds; its weight, 1, was learnt with those of ``knowledge.sureness``
_CERTAIN = 1e-3


@dataclass(frozen=True)
class ClearAnswer:
    """The passage, the FAQ intent it answers, and how sure it is that it does."""

    hits: tuple[Hit, ...]
    intent: Intent
    confidence: float


def clear_answer(
    knowledge: KnowledgeBase,
    scope: TenantScope,
    understood: Understanding,
    scores: IntentScores,
    *,
    language: Language,
    now: datetime | None,
) -> ClearAnswer | None:
    """Return the answer to a question whose intent is in doubt; None when the intent is not, or no passage is clear.

    ``scores`` are those of the message by itself.
    """
    if not _in_doubt(understood) or scores.probabilities["ambiguous"] >= _SAYS_TOO_LITTLE:
        return None
    hits = knowledge.search(
        scope,
        understood.extraction.said or understood.extraction.folded,
        language=language,
        limit=3,
        today=in_santiago(now).date() if now is not None else None,
    )
    if not hits:
        return None
    confidence = 1 / (1 + math.exp(_strangeness(scores) - hits[0].log_odds))
    if confidence < _CLEAR:
        return None
    return ClearAnswer(hits, _intent(hits[0], scores), confidence)


def _in_doubt(understood: Understanding) -> bool:
    if understood.action is not None or understood.cart is not None:
        return False
    for_a_person = ROUTE_OF_INTENT[understood.intent] == "human_handoff"
    return understood.confidence < (_WANTS_A_PERSON if for_a_person else _SURE)


def _strangeness(scores: IntentScores) -> float:
    """Return the log odds that the message is none of a shop's matters."""
    strange = scores.probabilities["ambiguous"] + scores.probabilities["out_of_scope"]
    odds = math.log((strange + _CERTAIN) / (1 - strange + _CERTAIN))
    return min(max(odds, _LEAST_STRANGE), _MOST_STRANGE)


def _intent(hit: Hit, scores: IntentScores) -> Intent:
    """Return the FAQ intent of the passage's category, else the one most like the question."""
    faqs = INTENT_OF_CATEGORY.values()
    return INTENT_OF_CATEGORY.get(hit.passage.category) or max(faqs, key=lambda faq: scores.probabilities[faq])
