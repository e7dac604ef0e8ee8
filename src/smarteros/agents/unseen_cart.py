"""Lists and carts that the customer has seen and we have not.

Of a conversation told by its messages only (``rebuilt``) no product is known. That something is wanted of the list, or
done with the cart, is understood nevertheless: which products are meant, the shop's own systems must tell.
"""

from __future__ import annotations

import re

from smarteros.agents.cart_reading import CartWords
from smarteros.agents.dialogue import agrees, chosen_places, is_ellipsis, plain_words
from smarteros.agents.entities import Extraction
from smarteros.domain.decisions import DialogueState

BEGUN = "unseen"
"""What ``DialogueState.spoken_of`` holds once something was put into a cart nobody here has seen."""

_LONGEST_LIST = 5
_IN_TWO = re.compile(r"\b(?:y|and) (?:otr[oa]s?|another)(?: one)? (?:en|de|in)\b")  # "la negra en 41 y otra en 43"
_CHANGES = ("only", "remove", "swap", "more", "add")


def about_unseen_cart(extraction: Extraction, state: DialogueState) -> bool:
    """Tell whether a message chooses from an unseen list or changes an unseen cart."""
    if state.offered or state.cart or state.pending != "cart_offer":
        return False
    words = CartWords(extraction, plain_words(extraction), state)
    if words.says("clear") or (words.says("show") and not words.says("delivery")) or agrees(extraction):
        return True
    swaps = state.spoken_of == BEGUN and words.says("swap") and words.names_a_variant()
    asks = (words.says("asks") or "?" in extraction.folded) and not (words.says("add") or swaps)
    if _IN_TWO.search(words.plain) and not asks:
        return True
    if asks or words.says("searches") or not is_ellipsis(extraction):
        return False
    return (state.spoken_of == BEGUN and _changes(words)) or _chooses(words, extraction)


def _changes(words: CartWords) -> bool:
    """Read "quítala", "mejor la negra", "ya, entonces en 41"; "y en 41" looks for others."""
    other_size = words.extraction.entities.size is not None and not words.plain.startswith(("y ", "and "))
    return any(words.says(what) for what in _CHANGES) or (other_size and not _names_things(words.extraction))


def _chooses(words: CartWords, extraction: Extraction) -> bool:
    """Read "la segunda", "la azul", "la más barata", "dame la de 35 lucas", "mejor 2"; "zapatillas azules" searches."""
    things = _names_things(extraction)
    if chosen_places(words.plain, _LONGEST_LIST) or any(words.says(what) for what in ("other", "cheapest", "dearest")):
        return not things
    if extraction.entities.size is not None and not words.says("choose"):
        return False
    return ((words.quantity is not None or words.says("this") or words.is_mere_choice()) and not things) or (
        words.says("choose") and (words.names_a_variant() or extraction.entities.amount is not None) and not things
    )


def _names_things(extraction: Extraction) -> bool:
    return any(mention.kind == "category" for mention in extraction.mentions)
