"""The words to search a catalogue with: a message without its courtesies, verbs and figures."""

from __future__ import annotations

import re

from smarteros.agents.entities import REFUSED, Extraction
from smarteros.agents.normalise import words_of
from smarteros.agents.wordlists import word_list
from smarteros.domain.decisions import Entities
from smarteros.tools.vocabulary import colour_of

_CARRIERS = word_list("carriers_es") | word_list("carriers_en")
_FIGURES = frozenset(
    {"size", "price", "quantity", "order_number", "invoice_number", "phone", "email", "rut", "date", REFUSED}
)
_WORD = re.compile(r"[a-z0-9][a-z0-9+'-]*")
_MOST_WORDS = 8
_SIZE_WORDS = re.compile(r"\btalla .*$")
NO_WORDS = "productos"


def search_query(extraction: Extraction, entities: Entities, earlier: str = "") -> str:
    """Write the search: the thing and what describes it in the customer's order, then "talla X".

    ``entities`` may hold what earlier messages named; of those the category and colour are searched too. ``earlier``
    is the search this one goes on with: "¿y en 43?" of the "running azul".
    """
    words = _described(extraction)
    named = {mention.kind for mention in extraction.mentions}
    if earlier:
        replaced = "color" in named
        kept = [word for word in _SIZE_WORDS.sub("", earlier).split() if not (replaced and colour_of(word))]
        words = list(dict.fromkeys([*(word for word in kept if word != NO_WORDS), *words]))[: 2 * _MOST_WORDS]
    elif entities.category and "category" not in named:
        words.insert(0, entities.category)
    for kind, value in (("brand", entities.brand), ("gender", entities.gender), ("color", entities.color)):
        if value and kind not in named:
            words.append(value)
    words = list(dict.fromkeys(words))
    if entities.size:
        words += ["talla", entities.size]
    return " ".join(words) if words else NO_WORDS


def _described(extraction: Extraction) -> list[str]:
    text = extraction.folded
    for span in extraction.spans:
        if span.kind in _FIGURES:
            text = text[: span.start] + "|" * (span.end - span.start) + text[span.end :]
    words: list[str] = []
    at = 0
    for mention in extraction.mentions:
        words += _content(text[at : mention.start])
        words.append(mention.value if mention.kind != "category" else mention.word)
        at = mention.end
    words += _content(text[at:])
    return list(dict.fromkeys(words))[:_MOST_WORDS]


def _content(text: str) -> list[str]:
    kept: list[str] = []
    for word in _WORD.findall(text):
        meant = words_of(word)
        if not any(part in _CARRIERS for part in meant) and word not in _CARRIERS and len(word) > 1:
            kept.append(word)
    return kept
