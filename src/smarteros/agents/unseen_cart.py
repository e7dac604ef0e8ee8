"""Lists and carts that the customer has seen and we have not.

Of a conversation told by its messages only (``rebuilt``) no product is known. That something is wanted of the list, or
done with the cart, is understood nevertheless: which products are meant, the shop's own systems must tell.
"""

from __future__ import annotations

from smarteros.agents.cart_reading import CartWords
from smarteros.agents.dialogue import agrees, chosen_places, is_ellipsis, plain_words
from smarteros.agents.entities import Extraction
from smarteros.domain.decisions import DialogueState

BEGUN = "unseen"
"""What ``DialogueState.spoken_of`` holds once something was put into a cart nobody here has seen."""

_LONGEST_LIST = 5
_CHANGES = ("only", "remove", "swap", "more", "add")


def about_unseen_cart(extraction: Extraction, state: DialogueState) -> bool:
    """Tell whether a message chooses from an unseen list or changes an unseen cart."""
    if state.offered or state.cart or state.pending != "cart_offer":
        return False
    words = CartWords(extraction, plain_words(extraction), state)
    if words.says("clear") or (words.says("show") and not words.says("delivery")) or agrees(extraction):
        return True
    if ((words.says("asks") or "?" in extraction.folded) and not words.says("add")) or words.says("searches"):
        return False
    if not is_ellipsis(extraction):
        return False
    changes = state.spoken_of == BEGUN and any(words.says(what) for what in _CHANGES)
    return changes or _chooses(words, extraction)


def _chooses(words: CartWords, extraction: Extraction) -> bool:
    """Read "la segunda", "la azul", "la más barata", "dame la de 35 lucas", "mejor 2"; "zapatillas azules" searches."""
    things = any(mention.kind == "category" for mention in extraction.mentions)
    if chosen_places(words.plain, _LONGEST_LIST) or any(words.says(what) for what in ("other", "cheapest", "dearest")):
        return not things
    if extraction.entities.size is not None and not words.says("choose"):
        return False
    return ((words.quantity is not None or words.says("this") or words.is_mere_choice()) and not things) or (
        words.says("choose") and (words.names_a_variant() or extraction.entities.amount is not None) and not things
    )
