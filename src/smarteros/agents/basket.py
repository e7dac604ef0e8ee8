"""The cart in a conversation: "el segundo", "agrega otro", "mejor el azul", "quítalo", "¿cuánto es en total?".

Nothing is put into a cart that the customer did not name or say yes to; of what he may mean more than one of, he is
asked. Which words ask for what is data (``data/cart_words.yml``).
"""

from __future__ import annotations

from dataclasses import dataclass

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
    several,
    token_words,
    values_named,
    words_of_item,
)
from smarteros.agents.cart_lines import PREPARES, CartLines, CartTalk
from smarteros.agents.cart_reading import CartWords, cart_pattern
from smarteros.agents.dialogue import agrees, chosen_places, plain_words
from smarteros.agents.entities import Extraction
from smarteros.domain.carts import CartAct, CartItem, CartWish
from smarteros.domain.decisions import Action, DialogueState

_MOST_WORDS = 14


def cart_talk(extraction: Extraction, state: DialogueState) -> CartTalk | None:
    """Read a message as being about the cart, or None when it is not, or not for sure."""
    plain = plain_words(extraction)
    if not plain or len(plain.split()) > _MOST_WORDS or not (state.offered or state.cart):
        return None
    reading = _Reading(extraction, plain, state)
    return reading.asking(_answered(extraction, plain, state) or reading.talk())


def bought(extraction: Extraction, state: DialogueState) -> CartTalk | None:
    """Read a message that surely wants to buy: what it describes, else the only product, else ask which."""
    reading = _Reading(extraction, plain_words(extraction), state)
    if reading.says("show"):
        return reading.talk()
    return reading.asking(reading.added() or reading.gone_on_with() or reading.bought_unnamed())


def added_if_found(extraction: Extraction, state: DialogueState) -> Action | None:
    """Return the cart to prepare when the search for "agrega un bombín" finds one thing only; None for other words.

    The customer has said that he wants it; of several things, or of one whose size he did not name, he is shown them.
    """
    words = CartWords(extraction, plain_words(extraction), state)
    if not words.says("adds") or "?" in extraction.folded:
        return None
    kept = [Line(item).params() for item in state.cart]
    sized = extraction.entities.size is not None
    found = {"found": True, "sized": sized, "quantity": words.quantity or 1}
    return Action(tool=PREPARES, params={"lines": [*kept, found], "partial": True})


def _answered(extraction: Extraction, plain: str, state: DialogueState) -> CartTalk | None:
    """Read the answer to "¿cuál prefieres: … o …?"."""
    asked = state.asked
    if asked is None:
        return None
    reading = _Reading(extraction, plain, state)
    if asked.missing is not None:
        return reading.told_apart(asked)
    places = chosen_places(plain, len(asked.between))
    meant = at_places(asked.between, places) if places else meant_among(extraction, plain, asked.between)
    if len(meant) != 1:
        return None
    quantity = extraction.entities.quantity or asked.quantity
    return reading.done(asked.act, meant[0], quantity)


@dataclass(frozen=True)
class _Reading(CartLines):
    """What a message does to the cart."""

    def asking(self, talk: CartTalk | None) -> CartTalk | None:
        """Ask for the size before something is added of which nobody has named one."""
        if talk is None or talk.wish.act != "add":
            return talk
        there = {item.variant_id for item in self.state.cart}
        new = [line.item for line in talk.lines if line.item.variant_id not in there and not line.to_be_found]
        missing = {item.variant_id: self.undetermined(item) for item in new}
        option = next(filter(None, missing.values()), None)
        if option is None:
            return talk
        between = tuple(item for item in new if missing[item.variant_id] == option)
        return CartTalk(CartWish(act="add", quantity=between[0].quantity, between=between, missing=option))

    def told_apart(self, asked: CartWish) -> CartTalk | None:
        """Read the answer to "¿en qué talla?"; None when it names no value, or another thing."""
        if len(asked.between) == 1 and (parted := self.by_values(asked.between[0])) is not None:
            return parted
        kept, last = self._kept(), asked.between[0]
        for item in asked.between:
            line = self.variant(item)
            if not (line.to_be_found or values_named(self.extraction, item)):
                return None
            kept, last = self._plus(kept, line, self.extraction.entities.quantity or asked.quantity), item
        return CartTalk(CartWish(act=asked.act, quantity=asked.quantity, spoken_of=last.variant_id), kept)

    def by_values(self, item: CartItem) -> CartTalk | None:
        """Read several values of one option: "la 38 y la 37", "2 crema y 6 azules", each with the number before it."""
        several_of = [found for found in places_of_values(self.extraction, item).values() if len(found) > 1]
        if len(several_of) != 1:
            return None
        again = not self.says("adds")  # "2 crema y 6 azules" of what is in the cart already says it all anew
        kept = tuple(line for line in self._kept() if not (again and line.item.product_id == item.product_id))
        apart = {value for _, value in several_of[0]}
        shared = tuple(value for value in values_named(self.extraction, item) if value not in apart)
        for place, value in several_of[0]:
            count = count_before(self.extraction.folded[:place]) or 1
            kept = (*kept, Line(item.model_copy(update={"quantity": count}), values=(value, *shared)))
        return CartTalk(CartWish(act="add", spoken_of=item.variant_id), kept)

    def talk(self) -> CartTalk | None:
        if self.says("clear") and (self.state.cart or self.says("cart")):
            return CartTalk(CartWish(act="clear"))
        if self.state.cart and self.says("settle"):
            return CartTalk(CartWish(act="show"), self._kept())
        if self.says("show") and not self.says("delivery"):
            # Before there is a cart, a link or a total is asked for as part of buying: the words around it tell.
            known = self.state.cart or self.says("cart") or self.says("own")
            return CartTalk(CartWish(act="show"), self._kept()) if known else self._bought_by_link()
        if self.says("remove_it") and not self.state.cart:
            return CartTalk(CartWish(act="clear"))
        if agrees(self.extraction):
            return self._agreed()
        return self._changed() or self._bought() or self._confirmed()

    def _confirmed(self) -> CartTalk | None:
        """Read "sí, ese" of what was put into the cart a moment ago."""
        just_now = self.state.cart and self.state.intent == "cart_request" and self.state.pending is None
        return CartTalk(CartWish(act="show"), self._kept()) if just_now and self.says("this") else None

    def _changed(self) -> CartTalk | None:
        """Read what is to be otherwise with what is in the cart."""
        asks = self.says("asks") and not self.says("add")
        if not self.state.cart or asks:
            return None
        if self.says("only"):
            return self._left_alone()
        if self.says("remove"):
            return self._removed()
        if self.says("swap"):
            return self._exchanged() or self._swapped()
        return self._more() if self.says("more") else self._counted_otherwise()

    def _counted_otherwise(self) -> CartTalk | None:
        """Read "dos pares en 41" of what was put into the cart a moment ago."""
        focus = self.focus()
        bare = self.is_bare_variant() and self.state.pending != "cart_offer"
        return self._in_place_of(focus, focus) if focus is not None and bare else None

    def _bought(self) -> CartTalk | None:
        if (self.says("asks") or self.says("searches")) and not self.says("add"):
            return None
        if self.state.cart and self.says("remove"):
            return None
        if self.only_counts() and (self.state.cart or self.offered):
            return self._counted()
        if self.state.pending == "cart_offer" and (self.says("this") or self.is_bare_variant()):
            return self.bought_unnamed()
        if self.says("choose") or self.is_mere_choice():
            return self.added()
        offers = self.state.pending == "cart_offer" and "?" not in self.extraction.folded
        return self._parted(meant_among(self.extraction, self.plain, self.offered, size=False)) if offers else None

    def _parted(self, meant: tuple[CartItem, ...]) -> CartTalk | None:
        """Read "la negra en 41 y otra en 43" of one product, the one meant or the only one of the list."""
        alone = meant if len(meant) == 1 else self.offered if len(self.offered) == 1 else ()
        return self.by_values(alone[0]) if alone else None

    def _bought_by_link(self) -> CartTalk | None:
        """Read "la primera, mándame el link", and "link de pago" after a list."""
        if self.state.pending == "cart_offer" and self.says("pay"):
            return self.bought_unnamed()
        return self.added() if self.places() else None

    def added(self) -> CartTalk | None:
        """Put what the message chooses into the cart, ask which of several, or None when it chooses nothing."""
        by_colours = self._by_colours()
        if by_colours is not None:
            return by_colours
        places = self.places()
        meant = places if places is not None else meant_among(self.extraction, self.plain, self.offered, size=False)
        if (parted := self._parted(meant)) is not None:
            return parted
        if not meant:
            return None
        if several(meant) and places is None:
            # "Quiero zapatillas talla 43" looks for others; of those of the list it says too little.
            another = any(self.variant(item).to_be_found for item in meant)
            return None if another else CartTalk(CartWish(act="add", quantity=self.quantity, between=meant))
        swaps = self.corrects_a_guess(meant)
        kept = () if swaps else self._kept()
        for item in meant:
            kept = self._plus(kept, self.variant(item), self.quantity)
        wish = CartWish(act="swap" if swaps else "add", quantity=self.quantity, spoken_of=meant[-1].variant_id)
        return CartTalk(wish, kept)

    def _by_colours(self) -> CartTalk | None:
        """Read "2 azules y 1 negra": each colour with the number before it."""
        colours = [mention for mention in self.extraction.mentions if mention.kind == "color"]
        kept, last = self._kept(), None
        for mention in colours if len(colours) > 1 else ():
            fitting = [item for item in self.offered if has_colour(mention.value, words_of_item(item))]
            if len(fitting) != 1:
                return None if several(self.offered) or not self.offered else self.by_values(self.offered[0])
            kept = self._plus(kept, Line(fitting[0]), count_before(self.uncounted[: mention.start]))
            last = fitting[0]
        return None if last is None else CartTalk(CartWish(act="add", spoken_of=last.variant_id), kept)

    def _left_alone(self) -> CartTalk | None:
        """Read "deja solo la azul"."""
        meant = {item.variant_id for item in meant_among(self.extraction, self.plain, self.state.cart)}
        lines = tuple(line for line in self._kept() if line.item.variant_id in meant)
        return CartTalk(CartWish(act="remove", spoken_of=lines[0].item.variant_id), lines) if lines else None

    def gone_on_with(self) -> CartTalk | None:
        """Read a wish to buy that names nothing as one for the cart that is there already."""
        named = self.names_something() or self.names_a_variant() or self.quantity is not None
        offers = self.state.pending == "cart_offer"  # "ya lo llevo" of a new list, or of what is in the cart
        more = named or (not self.says("this") and self.says("choose")) or (self.says("this") and offers)
        return CartTalk(CartWish(act="show"), self._kept()) if self.state.cart and not more else None

    def bought_unnamed(self) -> CartTalk | None:
        """Buy the only product of the list; of several ask which; None where a place the list lacks is named."""
        if len(self.offered) == 1 and (parted := self.by_values(self.offered[0])) is not None:
            return parted
        if not self.offered or self.names_another() or chosen_places(self.plain, len(self.offered)) == ():
            return None
        if several(self.offered):
            return CartTalk(CartWish(act="add", quantity=self.quantity, between=self.offered))
        return self.done("add", self.offered[0], self.quantity)

    def done(self, act: CartAct, item: CartItem, quantity: int | None) -> CartTalk | None:
        """Do with one item what is wanted."""
        others = tuple(line for line in self._kept() if line.item.variant_id != item.variant_id)
        if act == "remove":
            left = item.quantity - quantity if quantity is not None else 0
            kept = self._with_quantity(item, left) if left > 0 else others
            return CartTalk(CartWish(act="remove", spoken_of=item.variant_id if left > 0 else None), kept)
        if act == "count":
            return CartTalk(CartWish(act="count", spoken_of=item.variant_id), self._with_quantity(item, quantity or 1))
        if act == "swap":
            return self._in_place_of(self.focus(), item)
        lines = self._plus(self._kept(), self.variant(item), quantity)
        return CartTalk(CartWish(act=act, quantity=quantity, spoken_of=item.variant_id), lines)

    def _agreed(self) -> CartTalk | None:
        if self.state.pending != "cart_offer" or not self.offered:
            return None
        first = self.offered[0]
        guessed = several(self.offered) and not self.state.cart
        lines = self._plus(self._kept(), Line(first), self.quantity or self.state.wanted.quantity)
        return CartTalk(CartWish(act="add", guessed=guessed, spoken_of=first.variant_id), lines)

    def _removed(self) -> CartTalk | None:
        cart = self.state.cart
        places = chosen_places(self.plain, len(cart))
        meant = at_places(cart, places) if places else meant_among(self.extraction, self.plain, cart, refused=True)
        if not meant:
            focus = self.focus()
            if several(cart) and (focus is None or self.names_something()):
                return None if self.names_something() else self._ask("remove", cart)
            meant = (focus or cart[0],)
        if several(meant) and not places:
            return self._ask("remove", meant)
        if len(meant) == 1:
            fewer = cart_pattern("fewer").search(self.plain)
            return self.done("remove", meant[0], count_in(fewer["count"]) if fewer else self.quantity)
        gone = {item.variant_id for item in meant}
        lines = tuple(line for line in self._kept() if line.item.variant_id not in gone)
        return CartTalk(CartWish(act="remove"), lines)

    def _exchanged(self) -> CartTalk | None:
        """Read "cambia el negro por el azul"."""
        exchange = cart_pattern("exchange").search(self.plain)
        if exchange is None:
            return None
        sized = self._exchanged_values(exchange["old"], exchange["new"])
        if sized is not None:
            return sized
        given = meant_among(self.extraction, exchange["old"], self.state.cart, refused=True)
        taken = meant_among(self.extraction, exchange["new"], self.offered, size=False, refused=True)
        if len(given) != 1 or len(taken) != 1:
            return None
        others = tuple(line for line in self._kept() if line.item.variant_id != given[0].variant_id)
        lines = self._plus(others, Line(taken[0]), self.quantity or given[0].quantity)
        return CartTalk(CartWish(act="swap", spoken_of=taken[0].variant_id), lines)

    def _exchanged_values(self, old: str, new: str) -> CartTalk | None:
        """Read "cambia las del 36 por 37": one thing of the cart in another size or colour."""
        gone, wanted = frozenset(token_words(old)), frozenset(token_words(new))
        given = [
            (item, tuple(value for values in item.options.values() for value in values if is_said(value, wanted)))
            for item in self.state.cart
            if any(is_of(item, v) and is_said(v, gone) for values in item.options.values() for v in values)
        ]
        if len(given) != 1 or not given[0][1]:
            return None
        item, values = given[0]
        line = Line(item, values=values, like=item.variant_id)
        kept = tuple(line if there.item.variant_id == item.variant_id else there for there in self._kept())
        return CartTalk(CartWish(act="swap", spoken_of=item.variant_id), kept)

    def _swapped(self) -> CartTalk | None:
        """Read "mejor el azul", "cámbialo por el negro", "mejor en 43", "mejor 2"."""
        if self.only_counts():
            return self._counted()
        old = self.given_up() or self.focus()
        candidates = tuple(item for item in self.offered if old is None or item.product_id != old.product_id)
        places = self.places()
        meant = places if places is not None else meant_among(self.extraction, self.plain, candidates, size=False)
        if not meant and old is not None and self.names_a_variant():
            return self._in_place_of(old, old)
        if not meant:
            return None
        if several(meant):
            return self._ask("swap", meant)
        if old is None:
            return self._ask("swap", self.state.cart) if several(self.state.cart) else None
        return self._in_place_of(old, meant[0])

    def _more(self) -> CartTalk | None:
        chosen = self.chosen()
        if chosen and chosen[0] not in self.in_cart():
            return None  # something else, besides
        focus = chosen[0] if len(chosen) == 1 else self.focus()
        if focus is None:
            return self._ask("add", self.state.cart)
        return self.done("add", focus.model_copy(update={"quantity": 1}), self.quantity or 1)

    def _counted(self) -> CartTalk | None:
        """Read a bare number of pieces: of what is in the cart, else of the only or first thing offered."""
        if not self.state.cart:
            return self.done("add", self.offered[0], self.quantity) if self.offered else None
        focus = self.focus()
        act: CartAct = "add" if self.says("adds") else "count"
        if focus is None:
            return self._ask(act, self.state.cart)
        return self.done(act, focus.model_copy(update={"quantity": 1}) if act == "add" else focus, self.quantity)
