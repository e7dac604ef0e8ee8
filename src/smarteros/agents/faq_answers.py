"""Answers out of the tenant's own passages: which passage, which of its words, and opening hours worked out as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from smarteros.agents.clear_answers import INTENT_OF_CATEGORY, ClearAnswer
from smarteros.agents.entities import Extraction
from smarteros.agents.intents import IntentModel, IntentScores
from smarteros.agents.understanding import Understanding
from smarteros.domain.decisions import ROUTE_OF_INTENT, Citation, Intent, Language
from smarteros.domain.knowledge import Category, Hit
from smarteros.domain.tenants import TenantScope
from smarteros.kit.clock import in_santiago
from smarteros.knowledge.answers import answer_in
from smarteros.knowledge.opening_hours import HoursAnswer
from smarteros.knowledge.protocol import KnowledgeBase

CATEGORY_OF_INTENT: dict[Intent, Category] = {
    **{intent: category for category, intent in INTENT_OF_CATEGORY.items()},
    "warranty_inquiry": "garantia",
    "return_request": "devoluciones",
}
# "¿Dónde viene mi pedido?" has a passage about shipping ("¿Cómo sigo mi pedido?").
_WANTED_BY: dict[Intent, Category] = {**CATEGORY_OF_INTENT, "order_status": "envios"}
_CITATIONS = 3
_SEARCH_DEPTH = 12  # what is of another matter is dropped afterwards
_CLEARLY_BETTER = 1.5  # standard deviations: then the passage is right and the intent too coarse
_CALENDAR = "calendario"


@dataclass(frozen=True)
class FaqAnswers:
    """What was found for each intent of a message: the passages, and the answer in their words."""

    hits: dict[Intent, list[Hit]] = field(default_factory=dict[Intent, list[Hit]])
    texts: dict[Intent, str] = field(default_factory=dict[Intent, str])
    citations: tuple[Citation, ...] = ()


def category_priors(scores: IntentScores, surely: Mapping[Intent, float] | None = None) -> dict[Category, float]:
    """Return the probability that a message wants each category; ``surely`` is what the dialogue knows besides."""
    priors: dict[Category, float] = {}
    for intent, probability in scores.probabilities.items():
        category = _WANTED_BY.get(intent, "otros")
        priors[category] = priors.get(category, 0.0) + probability
    for known, confidence in surely.items() if surely else ():
        category = _WANTED_BY.get(known)
        if category is not None:
            priors[category] = max(priors.get(category, 0.0), min(confidence, 1.0))
    return priors


def find_answers(
    knowledge: KnowledgeBase,
    tenant_id: str,
    understood: Understanding,
    model: IntentModel,
    *,
    language: Language,
    now: datetime | None,
    clear: ClearAnswer | None = None,
) -> FaqAnswers:
    """Find passages for the intent and the second one, each with its own words; of other matters none.

    ``now`` is when the customer wrote; without it nothing is said of today or tomorrow. ``clear`` is what was found
    for the intent already.
    """
    scope = TenantScope(tenant_id=tenant_id)
    asked: list[tuple[Intent, float, str, Extraction]] = [
        (understood.intent, understood.confidence, understood.question, understood.extraction)
    ]
    for wish in understood.further:
        asked.append((wish.intent, wish.scores.confidence, wish.extraction.folded, wish.extraction))
    found = FaqAnswers()
    citations: list[Citation] = []
    for intent, confidence, text, extraction in asked:
        category = CATEGORY_OF_INTENT.get(intent)
        if category is None:
            continue
        if clear is not None and intent == clear.intent:
            found.hits[intent] = list(clear.hits)
        else:
            hits = knowledge.search(
                scope,
                # As it was said: the encoders have read it so already, and accents tell them something.
                extraction.said if text == extraction.folded else text,
                language=language,
                category=category,
                limit=_SEARCH_DEPTH,
                priors=category_priors(model.scores(extraction), {intent: confidence}),
                today=in_santiago(now).date() if now is not None else None,
            )
            found.hits[intent] = usable(hits, category)[:_CITATIONS]
        hours = None
        if intent == "faq_hours" and now is not None:
            hours = knowledge.answer_about_hours(scope, text, now=now, language=language)
        if hours is not None:
            citations += _of_hours(hours, text)
            found.texts[intent] = hours.text
        elif found.hits[intent]:
            found.texts[intent] = answer_in(found.hits[intent][0].passage.text, text, language)
        citations += [_citation(hit) for hit in found.hits[intent]]
    once = {(citation.document, citation.title, citation.text): citation for citation in reversed(citations)}
    return FaqAnswers(found.hits, found.texts, tuple(reversed(once.values())))


def is_faq(intent: Intent) -> bool:
    """Tell whether an intent is answered straight from the knowledge base."""
    return ROUTE_OF_INTENT[intent] == "kb_direct"


def usable(hits: tuple[Hit, ...], category: Category) -> list[Hit]:
    """Keep passages of the matter; one of another matter only when it is clearly nearer than all of them."""
    own = [hit for hit in hits if hit.passage.category in {category, "otros"}]
    if own and own[0] is not hits[0] and hits[0].score - own[0].score >= _CLEARLY_BETTER:
        return [hits[0], *own]
    return own


def _of_hours(hours: HoursAnswer, question: str) -> list[Citation]:
    """Cite the passages the hours are from, and the calendar for the days that no passage names."""
    cited = [Citation(document=p.document, title=p.title, text=p.text, score=0.0) for p in hours.passages]
    cited.append(Citation(document=_CALENDAR, title=_CALENDAR, text=hours.calendar, score=0.0, question=question))
    return cited


def _citation(hit: Hit) -> Citation:
    passage = hit.passage
    return Citation(document=passage.document, title=passage.title, text=passage.text, score=hit.score)
