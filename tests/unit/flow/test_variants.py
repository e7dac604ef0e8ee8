"""Which variant is put into a cart when the customer names only what is to be otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from smarteros.domain.decisions import Action
from smarteros.domain.tools import ToolResult
from smarteros.flow.variants import is_left_to_the_customer, with_found_variants

JACKET = {
    "id": "jacket",
    "title": "Chaqueta Mezclilla",
    "kind": "Chaqueta",
    "brand": "",
    "currency": "CLP",
    "description": "",
    "url": "https://shop.test/jacket",
    "variants": [
        {"variant_id": f"{color}-{size}", "variant": f"{size} / {color}", "price": 39990, "stock": 3,
         "available": (color, size) != ("Blanco", "L"), "options": {"Talla": size, "Color": color}}
        for color in ("Azul", "Negro", "Blanco")
        for size in ("M", "L")
    ],
}  # fmt: skip


def found(**line: Any) -> str | None:
    """The variant a line of the jacket ends with; None when there is none to buy."""
    action = Action(tool="shopify_create_cart", params={"lines": [{"product_id": "jacket", "quantity": 1, **line}]})
    complete = with_found_variants(action, [ToolResult(tool="shopify_get_product", outcome="ok", data=JACKET)])
    return None if complete is None else complete.params["lines"][0]["variant_id"]


@pytest.mark.parametrize(
    ("line", "variant_id"),
    [
        ({"color": "negra", "like": "Azul-L"}, "Negro-L"),
        ({"color": "negra", "like": "Azul-M"}, "Negro-M"),
        ({"size": "m", "like": "Negro-L"}, "Negro-M"),
        ({"size": "M", "color": "negro", "like": "Azul-L"}, "Negro-M"),
        ({"color": "negra"}, "Negro-M"),
    ],
)
def test_what_is_not_said_anew_stays_as_it_was(line: dict[str, str], variant_id: str) -> None:
    assert found(**line) == variant_id


def test_nobody_is_given_another_size_because_his_own_is_sold_out() -> None:
    assert found(color="blanca", like="Azul-L") is None


PUMP = {
    "id": "pump", "variant_id": "pump-1", "title": "Bombín", "variant": "", "price": 18990, "stock": 4,
    "url": "https://shop.test/pump",
}  # fmt: skip
SHOE = {**PUMP, "id": "shoe", "variant_id": "shoe-40", "options": {"Talla": ["40", "41"]}}


@pytest.mark.parametrize(
    ("products", "sized", "added"),
    [
        ([PUMP], False, ["pump-1"]),
        ([SHOE], True, ["shoe-40"]),
        ([SHOE], False, None),
        ([PUMP, SHOE], False, None),
        ([], False, None),
    ],
)
def test_what_is_to_be_added_must_be_the_only_thing_found(
    products: list[dict[str, Any]], sized: bool, added: list[str] | None
) -> None:
    line = {"found": True, "sized": sized, "quantity": 2}
    action = Action(tool="shopify_create_cart", params={"lines": [{"variant_id": "lamp-1", "quantity": 1}, line]})
    listed = {"products": products, "total": len(products)}
    results = [ToolResult(tool="shopify_search_products", outcome="ok", data=listed)]
    assert is_left_to_the_customer(action, results) == (added is None)
    complete = with_found_variants(action, results)
    variants = [row["variant_id"] for row in complete.params["lines"]] if complete is not None else None
    assert variants == (None if added is None else ["lamp-1", *added])
