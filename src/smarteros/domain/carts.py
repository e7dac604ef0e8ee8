"""The customer's cart as a conversation remembers it, and what he wants done with it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from smarteros.domain.model import Model
from smarteros.domain.tools import Amount, Product


class CartItem(Model):
    """Some pieces of one variant; ``price`` is of one piece, as the customer was told last."""

    product_id: str
    variant_id: str
    title: str
    variant: str
    price: Amount
    currency: str = "CLP"
    quantity: int = 1
    options: dict[str, tuple[str, ...]] = Field(
        default_factory=dict[str, tuple[str, ...]], description="What the product can be bought in, by option"
    )

    @classmethod
    def of(cls, product: Product, quantity: int = 1) -> CartItem:
        """Return pieces of a variant that was looked up."""
        return cls(
            product_id=product.id,
            variant_id=product.variant_id,
            title=product.title,
            variant=product.variant,
            price=product.price,
            currency=product.currency,
            quantity=quantity,
            options=product.options,
        )


CartAct = Literal[
    "add",      # pieces more, or a first cart
    "swap",     # another product or size in the place of the one spoken of
    "count",    # another number of the same
    "remove",
    "show",     # what is in it, its total, its link
    "clear",
]  # fmt: skip


CartProblem = Literal[
    "sold_out",           # none of what was wanted can be had any more
    "no_such_variant",    # the product is not sold in that size or colour
]  # fmt: skip


class CartWish(Model):
    """What the customer wants done with his cart.

    ``between`` are the items of which he has to say which one he means; nothing is done before. ``guessed``: he said
    yes to a list of several, and the first of it was taken. ``spoken_of`` is the variant that "quítalo" will mean.
    ``missing`` is the option of ``between`` that nobody has named yet: he is asked for it.
    """

    act: CartAct
    quantity: int | None = Field(default=None, description="Pieces asked for, when the message names a number")
    between: tuple[CartItem, ...] = ()
    missing: str | None = None
    guessed: bool = False
    spoken_of: str | None = None
