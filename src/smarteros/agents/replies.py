"""Lead-ins: what is said before the facts. They repeat the customer's own words and state nothing else."""

from __future__ import annotations

from smarteros.agents.entities import Extraction
from smarteros.domain.decisions import Entities, Language

_SEARCHING = {"es": "Claro, te busco {thing}...", "en": "Sure, let me look for {thing}..."}
_ANYTHING = {"es": "opciones", "en": "options"}
_SIZED = {"es": " en talla {size}", "en": " in size {size}"}
_COLOURED = {"es": " de color {color}", "en": " in {color}"}
_CART = {"es": "¡Buena elección! Te preparo el carrito...", "en": "Great choice! Let me prepare your cart..."}
_ADVICE = {"es": "Te podrían gustar estas opciones:", "en": "You might like these options:"}
_INVOICE = {"es": "Déjame revisar la factura {number}...", "en": "Let me check invoice {number}..."}


def searching(extraction: Extraction, entities: Entities, language: Language) -> str:
    """Announce a search: "Claro, te busco zapatillas en talla 42..."."""
    thing = _thing(extraction, entities, language)
    if entities.color is not None:
        thing += _COLOURED[language].format(color=_said(extraction, "color", entities.color, language))
    if entities.size is not None:
        thing += _SIZED[language].format(size=entities.size)
    return _SEARCHING[language].format(thing=thing)


def preparing_cart(language: Language) -> str:
    """Announce a cart."""
    return _CART[language]


def recommending(language: Language) -> str:
    """Announce a recommendation."""
    return _ADVICE[language]


def checking_invoice(number: str, language: Language) -> str:
    """Announce the look-up of an invoice."""
    return _INVOICE[language].format(number=number)


def _thing(extraction: Extraction, entities: Entities, language: Language) -> str:
    if entities.category is None:
        return _ANYTHING[language]
    return _said(extraction, "category", entities.category, language)


def _said(extraction: Extraction, kind: str, canonical: str, language: Language) -> str:
    """Name an entity in Spanish by its usual word, in English by the word the customer used."""
    if language == "en":
        for mention in extraction.mentions:
            if mention.kind == kind:
                return mention.word
    return canonical
