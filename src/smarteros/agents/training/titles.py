"""The titles of a tenant's passages as examples: owners write them as the questions they answer."""

from __future__ import annotations

from collections.abc import Callable

from smarteros.agents.clear_answers import INTENT_OF_CATEGORY
from smarteros.domain.decisions import Intent
from smarteros.domain.examples import LabelledExample
from smarteros.domain.tenants import TenantScope
from smarteros.knowledge.protocol import KnowledgeBase

_MOST_TITLES = 200
_MOST_CHARS = 200
_LEAST_WORDS = 3  # "Despacho" alone names the matter and is no question


def titles_of(knowledge: KnowledgeBase) -> Callable[[TenantScope], tuple[LabelledExample, ...]]:
    """Return a function from a tenant to the titles of its FAQ passages."""

    def titles(scope: TenantScope) -> tuple[LabelledExample, ...]:
        found: dict[str, Intent] = {}
        for passage in knowledge.passages(scope):
            intent = INTENT_OF_CATEGORY.get(passage.category)
            if intent is None:
                continue
            for title in (passage.title.strip(), *passage.also):
                if len(title.split()) >= _LEAST_WORDS and len(title) <= _MOST_CHARS:
                    found.setdefault(title, intent)
            if len(found) >= _MOST_TITLES:
                break
        return tuple(LabelledExample(text=text, intent=intent) for text, intent in list(found.items())[:_MOST_TITLES])

    return titles
