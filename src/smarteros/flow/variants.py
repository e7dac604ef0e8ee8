"""Carts of which the agent knows the product, size and colour, but not yet the variant: "el negro, pero en 41"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast

from smarteros.domain.decisions import Action
from smarteros.domain.tools import Product, ProductDetail, ProductList, ToolResult, VariantDetail
from smarteros.kit.text import fold
from smarteros.tools.catalogue import COLOUR_OPTIONS

VARIANT_NOT_FOUND = "variant_not_found"
"""Error code of a cart one of whose lines names a size or colour that its product does not have for sale."""
_DETAIL_TOOL = "shopify_get_product"
_SEARCH_TOOL = "shopify_search_products"
_NUMBER = re.compile(r"\d+(?:\.\d)?$")
_RANGE = re.compile(r"(\d+(?:\.\d)?) ?[-/] ?(\d+(?:\.\d)?)\b")


def with_found_variants(action: Action, results: Iterable[ToolResult]) -> Action | None:
    """Fill in the variants of lines that name a product, a size or a colour instead, from products looked up before.

    A line ``found`` is of the only product of the search before it.

    None when one of them is not among what was found or cannot be bought.
    """
    lines = action.params.get("lines")
    looked_up = ("product_id", "found")
    if not isinstance(lines, list) or not any(
        name in line for line in cast("list[dict[str, Any]]", lines) for name in looked_up
    ):
        return action
    results = tuple(results)
    details = [ProductDetail.model_validate(r.data) for r in results if r.tool == _DETAIL_TOOL and r.data is not None]
    found: dict[str, int] = {}
    prices: dict[str, Any] = {}
    for line in cast("list[dict[str, Any]]", lines):
        product = _found(line, results) if line.get("found") else None
        variant_id = product.variant_id if product else line.get("variant_id") or _variant(line, details)
        if variant_id is None:
            return None
        found[variant_id] = found.get(variant_id, 0) + line.get("quantity", 1)
        prices[variant_id] = line.get("seen_price")
    complete = [
        {"variant_id": variant_id, "quantity": quantity, "seen_price": prices[variant_id]}
        for variant_id, quantity in found.items()
    ]
    return action.model_copy(update={"params": {**action.params, "lines": complete}})


def is_left_to_the_customer(action: Action, results: Iterable[ToolResult]) -> bool:
    """Tell whether a cart waits for the only product of a search that found none, several, or one in several sizes."""
    lines = cast("list[dict[str, Any]]", action.params.get("lines") or [])
    wanted = next((line for line in lines if line.get("found")), None)
    return wanted is not None and _found(wanted, results) is None


def _found(line: dict[str, Any], results: Iterable[ToolResult]) -> Product | None:
    """Return the only product a search found, if what is to be chosen of it was named."""
    listed = next((r.data for r in results if r.tool == _SEARCH_TOOL and r.data is not None), None)
    found = ProductList.model_validate(listed) if listed is not None else None
    if found is None or found.total != 1 or len(found.products) != 1:
        return None
    (product,) = found.products
    open_choice = any(len(values) > 1 for name, values in product.options.items() if fold(name) not in COLOUR_OPTIONS)
    return product if product.variant_id and (line.get("sized") or not open_choice) else None


def _variant(line: dict[str, Any], details: Iterable[ProductDetail]) -> str | None:
    named = [line.get("size"), line.get("color"), *line.get("values", ())]
    wanted = [fold(str(value)) for value in named if value]
    for detail in details:
        variants = detail.variants if detail.id == line.get("product_id") else ()
        before = _options_of(variants, line.get("like"))
        shown = _options_of(variants, line.get("near"))
        fitting = [variant for variant in variants if variant.available and _fits(variant.options, wanted, before)]
        if fitting:
            # What nobody named is rather as it was shown than the first there is.
            return max(fitting, key=lambda variant: len(variant.options.items() & shown.items())).variant_id
    return None


def _options_of(variants: Iterable[VariantDetail], variant_id: str | None) -> dict[str, str]:
    return next((variant.options for variant in variants if variant.variant_id == variant_id), dict[str, str]())


def _fits(options: dict[str, str], wanted: list[str], before: dict[str, str]) -> bool:
    """Tell whether options are those wanted, and for the rest those of the variant before."""
    named = [{name for name, value in options.items() if _same(word, fold(value))} for word in wanted]
    rest = options.keys() - set[str]().union(*named)
    return all(named) and all(options[name] == before.get(name, options[name]) for name in rest)


def _same(word: str, value: str) -> bool:
    """Tell whether a word names an option's value: "negra" where it is called "Negro", 41 where it is "40-45"."""
    if word == value or (len(word) > 3 and value.startswith(word[:-1])):
        return True
    between = _RANGE.match(value)
    return (
        between is not None
        and _NUMBER.match(word) is not None
        and float(between[1]) <= float(word) <= float(between[2])
    )
