"""Carts of which the agent knows the product, size and colour, but not yet the variant: "el negro, pero en 41"."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from smarteros.domain.decisions import Action
from smarteros.domain.tools import ProductDetail, ToolResult
from smarteros.kit.text import fold

VARIANT_NOT_FOUND = "variant_not_found"
"""Error code of a cart one of whose lines names a size or colour that its product does not have for sale."""
_DETAIL_TOOL = "shopify_get_product"


def with_found_variants(action: Action, results: Iterable[ToolResult]) -> Action | None:
    """Fill in the variants of lines that name a product, a size or a colour instead, from products looked up before.

    None when one of them is not among what was found or cannot be bought.
    """
    lines = action.params.get("lines")
    if not isinstance(lines, list) or not any("product_id" in line for line in cast("list[dict[str, Any]]", lines)):
        return action
    details = [ProductDetail.model_validate(r.data) for r in results if r.tool == _DETAIL_TOOL and r.data is not None]
    found: dict[str, int] = {}
    prices: dict[str, Any] = {}
    for line in cast("list[dict[str, Any]]", lines):
        variant_id = line.get("variant_id") or _variant(line, details)
        if variant_id is None:
            return None
        found[variant_id] = found.get(variant_id, 0) + line.get("quantity", 1)
        prices[variant_id] = line.get("seen_price")
    complete = [
        {"variant_id": variant_id, "quantity": quantity, "seen_price": prices[variant_id]}
        for variant_id, quantity in found.items()
    ]
    return action.model_copy(update={"params": {**action.params, "lines": complete}})


def _variant(line: dict[str, Any], details: Iterable[ProductDetail]) -> str | None:
    wanted = [fold(str(line[name])) for name in ("size", "color") if line.get(name)]
    for detail in details:
        variants = detail.variants if detail.id == line.get("product_id") else ()
        before = next(
            (variant.options for variant in variants if variant.variant_id == line.get("like")), dict[str, str]()
        )
        for variant in variants:
            if variant.available and _fits(variant.options, wanted, before):
                return variant.variant_id
    return None


def _fits(options: dict[str, str], wanted: list[str], before: dict[str, str]) -> bool:
    """Tell whether options are those wanted, and for the rest those of the variant before."""
    named = [{name for name, value in options.items() if _same(word, fold(value))} for word in wanted]
    rest = options.keys() - set[str]().union(*named)
    return all(named) and all(options[name] == before.get(name, options[name]) for name in rest)


def _same(word: str, value: str) -> bool:
    """Tell whether a word names an option's value: "negra" where it is called "Negro"."""
    return word == value or (len(word) > 3 and value.startswith(word[:-1]))
