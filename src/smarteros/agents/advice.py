"""Wishes for advice: "¿qué me recomiendas?", "algo parecido pero más barato", "¿qué combina con eso?"."""

from __future__ import annotations

import re
from typing import Any

from smarteros.agents.entities import Extraction
from smarteros.agents.query import NO_WORDS, search_query
from smarteros.domain.decisions import Action, DialogueState

RECOMMENDS = "shopify_recommend_products"
_PRODUCTS = 3
_MOST_WORDS = 14
_ADVICE = re.compile(
    r"\b(?:que|cual(?:es)?) (?:me|nos) (?:recomiendas?|recomiendan|sugieres?|sugieren|aconsejas?|conviene)\b"
    r"|\b(?:recomienda|recomiendame|sugiere|sugiereme|aconseja|aconsejame)(?:me|nos)? (?:algo|algun[oa]?|un[oa]?s?)\b"
    r"|\b(?:me|nos) (?:recomiendas?|recomiendan|sugieres?) (?:algo|algun[oa]?|un[oa]?s?)\b"
    r"|\b(?:alguna|otra|una) (?:recomendacion|sugerencia|alternativa)\b"
    r"|\bwhat (?:do|would) you (?:recommend|suggest)\b"
    r"|\b(?:recommend|suggest) (?:me )?(?:something|anything|one|some)\b"
    r"|\bany (?:recommendations?|suggestions?|alternatives?)\b"
)
_SIMILAR = re.compile(
    r"\b(?:algo|algun[oa]?|otr[oa]s?|uno|una|un[oa]s|modelos?) (?:mas )?(?:parecid[oa]s?|similar(?:es)?)\b"
    r"|\b(?:parecid[oa]s?|similar(?:es)?) a (?:es[aeo]s?|est[aeo]s?|la|el)\b"
    r"|\b(?:something|anything|one|any) (?:similar|like (?:that|this|it))\b|\bsimilar (?:ones?|products?)\b"
)
_TOGETHER = re.compile(
    r"\bque (?:le )?(?:combina|pega|queda bien|va bien) con\b|\balgo (?:que|para) (?:combin\w+|acompan\w+)\b"
    r"|\b(?:what )?(?:goes|go) (?:well )?with\b|\bto go with\b"
)


def advice(extraction: Extraction, state: DialogueState) -> Action | None:
    """Return the tool call of a wish for advice, or None when none is wanted."""
    text = extraction.folded
    together, similar = _TOGETHER.search(text), _SIMILAR.search(text)
    if not (together or similar or _ADVICE.search(text)) or len(text.split()) > _MOST_WORDS:
        return None
    entities = extraction.entities
    params: dict[str, Any] = {"mode": "complement" if together else "similar", "limit": _PRODUCTS}
    about = _spoken_of(state) if together or similar else None
    query = search_query(extraction, entities)
    if about is not None and not extraction.mentions:
        params["product_id"] = about
    elif extraction.mentions and query != NO_WORDS:
        params["query"] = query
    elif similar:
        return None  # nobody knows to what
    if entities.size is not None:
        params["size"] = entities.size
    if entities.price_max is not None:
        params["price_max"] = entities.price_max
    if similar and state.offered:
        params["exclude"] = [product.id for product in state.offered]
    return Action(tool=RECOMMENDS, params=params)


def _spoken_of(state: DialogueState) -> str | None:
    """Return the product "that" means: what the cart was last about, else the first of the list."""
    for item in state.cart:
        if item.variant_id == state.spoken_of:
            return item.product_id
    if state.cart:
        return state.cart[-1].product_id
    return state.offered[0].id if state.offered else None
