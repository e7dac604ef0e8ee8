"""What the words of one message say of a list and a cart: how many, which ones, whether something else is named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

from smarteros.agents.cart_items import (
    Line,
    at_places,
    count_before,
    count_in,
    has_colour,
    is_of,
    is_said,
    meant_among,
    places_of_values,
    token_words,
    values_named,
    words_of_item,
)
from smarteros.agents.dialogue import chosen_places
from smarteros.agents.entities import REFUSED, Extraction
from smarteros.agents.spelling import base_speller
from smarteros.agents.wordlists import read_data
from smarteros.domain.carts import CartItem
from smarteros.domain.decisions import DialogueState
from smarteros.kit.text import fold
from smarteros.tools.catalogue import COLOUR_OPTIONS

_MOST_WORDS_OF_CHOICE = 6
_COUNTABLE = frozenset({"color", "category"})
_FRACTION = re.compile(r"\d/\d")
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
        counts = [count_before(self.uncounted[:start]) for start in named]
        return next((count for count in counts if count is not None and count > 1), None)

    @property
    def uncounted(self) -> str:
        """The folded message without its sizes and prices, which are no numbers of pieces: "talla 36 amarilla"."""
        text = self.extraction.folded
        for span in self.extraction.spans:
            if span.kind in ("size", "price"):
                text = text[: span.start] + "|" * (span.end - span.start) + text[span.end :]
        return text

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
        named = (*values_named(self.extraction, item), *self._searched_values(item))
        if size is None and not other and all(is_of(item, value) for value in named):
            return Line(item)
        return Line(item, size, entities.color if other else None, values=named)

    def _searched_values(self, item: CartItem) -> tuple[str, ...]:
        """Return the values the search named of the options of which this message names none: "en sunburst"."""
        open_options = [values for name, values in item.options.items() if not self._names_of(item, name)]
        said = ([value for value in values if is_said(value, self._words_before)] for values in open_options)
        return tuple(found[0] for found in said if len(found) == 1)

    def _names_of(self, item: CartItem, option: str) -> bool:
        """Tell whether the message names a value of an option; a size is one of whatever is no colour."""
        is_colour = fold(option) in COLOUR_OPTIONS
        entity = self.extraction.entities.color if is_colour else self.extraction.entities.size
        return entity is not None or bool(places_of_values(self.extraction, item).get(option))

    def undetermined(self, item: CartItem) -> str | None:
        """Return the option of an item that nobody has chosen and no yes can choose: the size of a shoe.

        A colour that was not named is that of the variant shown: the cart tells it, and it can be changed.
        """
        if self.extraction.entities.size is not None or self.state.wanted.size is not None:
            return None
        if any(item.product_id == there.product_id for there in self.state.cart):
            return None
        before, said = self._words_before, values_named(self.extraction, item)
        for name, values in item.options.items():
            open_choice = len(values) > 1 and fold(name) not in COLOUR_OPTIONS
            known = any(value in said or is_said(value, before) for value in values)
            if open_choice and not known:
                return name
        return None

    @property
    def _words_before(self) -> frozenset[str]:
        return frozenset(token_words(self.state.searched_words))

    def places(self) -> tuple[CartItem, ...] | None:
        """Return what of the list is named by its place or its price's rank; None when nothing is."""
        if _FRACTION.search(self.extraction.folded):  # "la 3/4" is no third
            return None
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
        asks = "?" in self.extraction.folded or self.plain.startswith(("y ", "and ", "en ", "in "))
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
