"""Questions about a product that was just shown: "¿en qué colores viene?", "¿es impermeable?", "¿cuántas quedan?".

What the shop itself says of the product answers them, or a person does; a search would show other products.
"""

from __future__ import annotations

import re

from smarteros.agents.cart_items import meant_among
from smarteros.agents.cart_reading import CartWords
from smarteros.agents.dialogue import plain_words
from smarteros.agents.entities import Extraction
from smarteros.domain.decisions import Action, DialogueState

LOOKS_UP = "shopify_get_product"
_MOST_WORDS = 9
_LEAD = r"^(?:(?:y|pero|oye|ok|ya|una consulta|disculpa|oiga|sorry|and|but|so) )*"
_IT = r"(?:(?:est?[aeo]s?|es[aeo]s?|l[oa]s?|el|la|it|this|that|these|those|they) )?"
_ABOUT_IT = re.compile(
    rf"{_LEAD}{_IT}(?:es|son|trae|traen|incluye|incluyen|viene|vienen|sirven?|aguantan?|soportan?|pesan?|miden?|duran?"
    r"|se puede|se pueden)\b(?! posible)"
    r"|\b(?:de|en|con|a) que (?:color(?:es)?|tallas?|material(?:es)?|medidas?|tamanos?|numeros?|tela|marca)\b"
    rf"|{_LEAD}(?:que|cuales?) (?:\w+ ){{0,2}}(?:es|son|hay|quedan?|traen?|tienen?|vienen?|usa|lleva)$"
    r"|\bcual(?:es)? (?:es|son|seria|serian) (?:la|el|las|los|sus?) (?:tallas?|medidas?|tamanos?|material|color)\b"
    rf"|{_LEAD}de cuant[oa]s?\b"
    r"|\bcuant[oa]s? (?:\w+ ){0,4}(?:tienen?|traen?|pesan?|miden?|aguantan?|duran?|soportan?|quedan?)\b"
    rf"|{_LEAD}(?:a )?cuanto (?:cuestan?|valen?|salen?|estan?)(?: (?:est?[aeo]s?|es[aeo]s?|cada un[oa]))?$"
    rf"|{_LEAD}(?:is|are|does|do|will|can) (?:it|they|these|those|this|that)\b"
    rf"|{_LEAD}what (?:colou?rs?|sizes?|materials?|is it|are they)\b"
    rf"|{_LEAD}how (?:big|heavy|long|tall|wide|many (?:are|do)|much (?:is|are|does) (?:it|th\w+))\b"
)
_PIECES_LEFT = re.compile(
    rf"{_LEAD}(?:como )?cuant[oa]s (?:\w+ )?quedan\b|{_LEAD}how many (?:\w+ )?(?:are|do you have) left\b"
)
_INCLUDES = re.compile(rf"{_LEAD}{_IT}(?:trae|traen|incluyen?|vienen? con|does it (?:come|include)|is it)\b")


def about_shown_product(extraction: Extraction, state: DialogueState) -> Action | None:
    """Return the look-up of the product a message asks about; None when it asks for something else, or of several."""
    plain = plain_words(extraction)
    if len(plain.split()) > _MOST_WORDS or not _ABOUT_IT.search(plain):
        return None
    words = CartWords(extraction, plain, state)
    another = any(mention.kind == "category" for mention in extraction.mentions) and not _INCLUDES.search(plain)
    if words.says("delivery") or words.names_a_variant() or (another and not _named(words)):
        return None
    product_id = _meant(words)
    return None if product_id is None else Action(tool=LOOKS_UP, params={"product_id": product_id})


def asks_for_stock(extraction: Extraction) -> bool:
    """Tell whether a message asks how many pieces are left, which no text of the shop can answer."""
    return bool(_PIECES_LEFT.search(plain_words(extraction)))


def _named(words: CartWords) -> bool:
    return bool(meant_among(words.extraction, words.plain, words.offered, size=False))


def _meant(words: CartWords) -> str | None:
    """Return the product of "it": what was put into the cart last, else the only one shown, else the one named."""
    focus = words.focus()
    if focus is not None and words.state.pending != "cart_offer":
        return focus.product_id
    meant = words.offered if len(words.offered) == 1 else words.chosen()
    return meant[0].product_id if len(meant) == 1 else None
