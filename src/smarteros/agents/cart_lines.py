"""The lines of a cart: what is in it, what comes to it, and in whose place."""

from __future__ import annotations

from dataclasses import dataclass, replace

from smarteros.agents.cart_items import Line, is_of
from smarteros.agents.cart_reading import CartWords
from smarteros.domain.carts import CartAct, CartItem, CartWish
from smarteros.domain.decisions import Action

_MOST_PIECES = 99
_FINDS = "shopify_get_product"
PREPARES = "shopify_create_cart"


@dataclass(frozen=True)
class CartTalk:
    """What a message does to the cart; ``lines`` is the whole cart afterwards."""

    wish: CartWish
    lines: tuple[Line, ...] = ()

    def actions(self) -> tuple[Action, ...]:
        """Return the tools to call: variants are found first, then everything is read again."""
        if not self.lines or self.wish.between:
            return ()
        found = dict.fromkeys(line.item.product_id for line in self.lines if line.to_be_found)
        looked_up = (Action(tool=_FINDS, params={"product_id": product_id}) for product_id in found)
        params = {"lines": [line.params() for line in self.lines], "partial": True}
        return (*looked_up, Action(tool=PREPARES, params=params))


@dataclass(frozen=True)
class CartLines(CartWords):
    """The cart as a message finds it, and how it is changed."""

    def _in_place_of(self, old: CartItem | None, new: CartItem) -> CartTalk:
        quantity = self.quantity or (old.quantity if old is not None else 1)
        line = self.variant(new.model_copy(update={"quantity": quantity}))
        if old is not None and old.product_id != new.product_id and not line.to_be_found:
            # "Mejor la otra": of the size that was chosen, where it comes in it.
            values = (value for choices in new.options.values() for value in choices)
            line = replace(line, values=tuple(value for value in values if is_of(old, value) and not is_of(new, value)))
        if line.to_be_found and old is not None and old.product_id == new.product_id:
            line = replace(line, like=old.variant_id)  # "mejor la negra": of the size that was chosen
        kept = tuple(line for line in self._kept() if old is None or line.item.variant_id != old.variant_id)
        wish = CartWish(act="swap", quantity=self.quantity, spoken_of=new.variant_id)
        return CartTalk(wish, self._plus(kept, line, quantity))

    def _ask(self, act: CartAct, between: tuple[CartItem, ...]) -> CartTalk:
        return CartTalk(CartWish(act=act, quantity=self.quantity, between=between))

    def _kept(self) -> tuple[Line, ...]:
        return tuple(Line(item) for item in self.state.cart)

    def _plus(self, lines: tuple[Line, ...], new: Line, quantity: int | None) -> tuple[Line, ...]:
        """Add pieces to the line of the same variant, or a line."""
        for place, line in enumerate(lines):
            if line.item.variant_id == new.item.variant_id and not new.to_be_found:
                more = quantity or (1 if self.says("more") or self.says("add") else 0)
                total = line.item.quantity + more if self.says("more") or self.says("add") else quantity
                counted = min(total or line.item.quantity, _MOST_PIECES)
                changed = replace(line, item=line.item.model_copy(update={"quantity": counted}))
                return (*lines[:place], changed, *lines[place + 1 :])
        return (*lines, replace(new, item=new.item.model_copy(update={"quantity": quantity or 1})))

    def _with_quantity(self, item: CartItem, quantity: int) -> tuple[Line, ...]:
        return tuple(
            replace(line, item=line.item.model_copy(update={"quantity": min(quantity, _MOST_PIECES)}))
            if line.item.variant_id == item.variant_id
            else line
            for line in self._kept()
        )
