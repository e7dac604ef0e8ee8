"""What the words of one message say of a list and a cart: how many, which ones, whether something else is named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

from smarteros.agents.cart_items import Line, at_places, count_before, count_in, has_colour, meant_among, words_of_item
from smarteros.agents.dialogue import chosen_places
from smarteros.agents.entities import REFUSED, Extraction
from smarteros.agents.spelling import base_speller
from smarteros.agents.wordlists import read_data
from smarteros.domain.carts import CartItem
from smarteros.domain.decisions import DialogueState
from smarteros.kit.text import fold

_MOST_WORDS_OF_CHOICE = 6
_COUNTABLE = frozenset({"color", "category"})
_ARTICLES = ("el ", "la ", "los ", "las ", "the ")


@dataclass(frozen=True)
class CartWords:
    """One message over the state it was written in; ``plain`` are its words without signs."""

    extraction: Extraction
    plain: str
    state: DialogueState

    @property
    def quantity(self) -> int | None:
        """Pieces asked for: "3 de la azul" says it too."""
        found = cart_pattern("counted").search(self.plain) or cart_pattern("just").search(self.plain)
        return (
            self.extraction.entities.quantity or (count_in(found["count"]) if found else None) or self._counted_thing()
        )

    def _counted_thing(self) -> int | None:
        """Return the number before what is named: "dos azules", "agrega dos zapatillas"; "una azul" is no number."""
        named = (mention.start for mention in self.extraction.mentions if mention.kind in _COUNTABLE)
        counts = [count_before(self.extraction.folded[:start]) for start in named]
        return next((count for count in counts if count is not None and count > 1), None)

    @property
    def offered(self) -> tuple[CartItem, ...]:
        """The products of the last list that can be bought."""
        return tuple(CartItem.of(product) for product in self.state.offered if product.variant_id)

    def says(self, what: str) -> bool:
        """Tell whether words of this kind occur; the kinds are those of ``data/cart_words.yml``."""
        return cart_pattern(what).search(self.plain) is not None

    def in_cart(self) -> tuple[CartItem, ...]:
        """Return what is in the cart as single pieces, the way offered things are."""
        return tuple(item.model_copy(update={"quantity": 1}) for item in self.state.cart)

    def focus(self) -> CartItem | None:
        """Return what "it" means: the only thing in the cart, or the one spoken of last."""
        cart = self.state.cart
        if len(cart) == 1:
            return cart[0]
        return next((item for item in cart if item.variant_id == self.state.spoken_of), None)

    def given_up(self) -> CartItem | None:
        """Return what the message wants no more: "en vez del negro el azul"."""
        meant = meant_among(self.extraction, self.plain, self.state.cart, refused=True)
        refused = any(span.kind == REFUSED for span in self.extraction.spans)
        return meant[0] if refused and len(meant) == 1 else None

    def variant(self, item: CartItem) -> Line:
        """Return the line of an item; in another size or colour than the item's, it has to be found."""
        entities, words = self.extraction.entities, words_of_item(item)
        size = entities.size if entities.size is not None and fold(entities.size) not in words else None
        other = entities.color is not None and not has_colour(entities.color, words)
        return Line(item, size, entities.color if other else None)

    def places(self) -> tuple[CartItem, ...] | None:
        """Return what of the list is named by its place or its price's rank; None when nothing is."""
        places = chosen_places(self.plain, len(self.offered))
        if places is None:  # "la sejunda"
            places = chosen_places(base_speller().all_corrected(self.plain), len(self.offered))
        if places is None and self.offered and (self.says("cheapest") or self.says("dearest")):
            pick = min if self.says("cheapest") else max
            return (pick(self.offered, key=lambda item: item.price),)
        if places is None and self.says("other") and len(self.offered) == 2:
            taken = {item.variant_id for item in self.state.cart} or {self.offered[0].variant_id}
            return tuple(item for item in self.offered if item.variant_id not in taken) or None
        return None if places is None else at_places(self.offered, places)

    def chosen(self) -> tuple[CartItem, ...]:
        """Return what of the list is named by place, else by its words."""
        places = self.places()
        return places if places is not None else meant_among(self.extraction, self.plain, self.offered, size=False)

    def corrects_a_guess(self, meant: Sequence[CartItem]) -> bool:
        """Tell whether a choice replaces what was taken for a bare yes."""
        adds = self.says("add") or self.says("also")
        return self.state.guessed and not adds and len(self.state.cart) == 1 and len(meant) == 1

    def only_counts(self) -> bool:
        """Tell whether the message is a number of pieces and little else."""
        named = self.extraction.mentions or self.extraction.entities.size or self.places() is not None
        return self.quantity is not None and not named and not self.says("more") and len(self.plain.split()) <= 6

    def is_bare_variant(self) -> bool:
        """Tell whether the message is a number of pieces in another size, and no thing: "dos pares en 41"."""
        return (
            self.quantity is not None
            and self.extraction.entities.size is not None
            and not self.extraction.mentions
            and self.places() is None
            and len(self.plain.split()) <= _MOST_WORDS_OF_CHOICE
        )

    def is_mere_choice(self) -> bool:
        """Tell whether the message is little more than a place or an attribute: "el segundo", "la azul"."""
        asks = "?" in self.extraction.folded or self.plain.startswith(("y ", "and "))
        if len(self.plain.split()) > _MOST_WORDS_OF_CHOICE or asks or self.says("corrects"):
            return False
        named = any(mention.kind == "color" for mention in self.extraction.mentions)
        return self.places() is not None or named or self.plain.startswith(_ARTICLES)

    def names_a_variant(self) -> bool:
        """Tell whether a size or colour is named."""
        return self.extraction.entities.size is not None or self.extraction.entities.color is not None

    def names_something(self) -> bool:
        """Tell whether any thing, colour or brand is named."""
        return bool(self.extraction.mentions)

    def names_another(self) -> bool:
        """Tell whether something is named that is not on the list."""
        entities = self.extraction.entities
        named = entities.category or entities.color or entities.size
        return named is not None and not meant_among(self.extraction, self.plain, self.offered)


def cart_pattern(what: str) -> re.Pattern[str]:
    """Return the pattern of one kind of words about a cart; see ``data/cart_words.yml``."""
    return _patterns()[what]


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    raw = cast("dict[str, list[str]]", read_data("cart_words.yml"))
    return {name: re.compile(rf"\b(?:{'|'.join(words)})\b") for name, words in raw.items()}
