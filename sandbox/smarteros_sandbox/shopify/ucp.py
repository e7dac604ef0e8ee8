"""A shop's UCP endpoint, ``POST /api/ucp/mcp``: the catalogue tools by MCP, for anybody's agent.

As the specification has it (https://ucp.dev/2026-04-08/specification/catalog/mcp) and at its stingiest, where it leaves
a choice: a search shows three variants of a product, a lookup one, ``get_product`` those of the selected options; stock
figures are never told; a search that nothing fits shows something else, as search engines do.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from typing import Any

from smarteros_sandbox.shopify.documents import PRODUCT_KEYS, find
from smarteros_sandbox.shopify.search import fold, words
from smarteros_sandbox.shopify.storefront_catalogue import StorefrontCatalogue
from smarteros_sandbox.shopify.values import CURRENCY, gid, option_values, product_url, variant_title
from smarteros_sandbox.shops.models import DemoShop, ProductSpec, VariantSpec
from smarteros_sandbox.shops.untyped import as_list, as_object

VERSION = "2026-04-08"
MOST_SHOWN, MOST_PRODUCTS, MOST_IDS = 3, 50, 10
_PAGE = 10
_PROFILE = re.compile(r"https://[^\s/]+/\S+")
_FEW = 4
"""Products that a search shows which nothing fits."""

Json = dict[str, Any]


class UcpCatalogue:
    """One shop's catalogue behind the three tools. ``currency`` is what all prices are told in."""

    def __init__(self, shop: DemoShop, catalogue: StorefrontCatalogue) -> None:
        self._shop = shop
        self._catalogue = catalogue

    def answer(self, request: Any, *, currency: str = CURRENCY, empty: bool = False) -> Json:
        """Answer one JSON-RPC request; never raises. ``empty`` is a search index that is being built anew."""
        message = as_object(request) or {}
        number = message.get("id")
        params = as_object(message.get("params")) or {}
        if message.get("jsonrpc") != "2.0" or not isinstance(message.get("method"), str):
            return _error(number, -32600, "Invalid Request")
        if message["method"] != "tools/call":
            return _error(number, -32601, "Method not found")
        arguments = as_object(params.get("arguments")) or {}
        profile = as_object((as_object(arguments.get("meta")) or {}).get("ucp-agent")) or {}
        if not isinstance(profile.get("profile"), str) or not _PROFILE.fullmatch(profile["profile"]):
            data = {"code": "invalid_profile_url", "content": "Missing profile uri"}
            return _error(number, -32001, "UCP discovery failed", data)
        catalog = as_object(arguments.get("catalog")) or {}
        tools = {"search_catalog": self._search, "lookup_catalog": self._lookup, "get_product": self._product}
        tool = tools.get(str(params.get("name")))
        said = tool(catalog, empty) if tool is not None else None
        if said is None:
            return _error(number, -32602, "Invalid params")
        content = _priced({"ucp": _envelope(said), **said}, currency)
        return {
            "jsonrpc": "2.0",
            "id": number,
            "result": {"structuredContent": content, "content": [], "isError": False},
        }

    def _search(self, asked: Json, empty: bool) -> Json | None:
        query, filters = asked.get("query"), as_object(asked.get("filters")) or {}
        if not (isinstance(query, str) and query.strip()) and not filters:
            return None
        specs = [] if empty else self._ranked(query if isinstance(query, str) else "")
        if filters.get("available") is True:
            specs = [spec for spec in specs if any(variant.stock > 0 for variant in spec.variants)]
        page = as_object(asked.get("pagination")) or {}
        wished = page.get("limit")
        limit = min(max(wished if isinstance(wished, int) else _PAGE, 1), MOST_PRODUCTS)
        first = _place(page.get("cursor"))
        shown = specs[first : first + limit]
        more = first + limit < len(specs)
        cursor = urlsafe_b64encode(str(first + limit).encode()).decode()
        products = [self._shown(spec, _available_first(spec.variants)[:MOST_SHOWN]) for spec in shown]
        return {
            "products": products,
            "pagination": {"has_next_page": more, **({"cursor": cursor} if more else {}), "total_count": len(specs)},
        }

    def _ranked(self, query: str) -> list[ProductSpec]:
        """Products that have all words; else those that have any; else some others."""
        index, specs = self._catalogue.products, self._catalogue.specs
        free = words(query)
        for text in (" ".join(free), " OR ".join(free)):
            if found := find(index, text, PRODUCT_KEYS).nodes:
                return [specs[node["id"]] for node in found]
        return [specs[entry.node["id"]] for entry in index[:_FEW]]

    def _lookup(self, asked: Json, _empty: bool) -> Json | None:
        ids = list(dict.fromkeys(map(str, as_list(asked.get("ids")) or [])))
        if not 0 < len(ids) <= MOST_IDS:
            return None
        found: dict[int, Json] = {}
        missing: list[Json] = []
        for wanted in ids:
            spec, variant = self._by_id(wanted)
            if spec is None:
                missing.append({"type": "info", "code": "not_found", "content": wanted})
                continue
            chosen = variant or _available_first(spec.variants)[0]
            product = found.setdefault(spec.id, self._shown(spec, ()))
            match = {"id": wanted, "match": "exact" if variant is not None else "featured"}
            product["variants"].append({**_variant(chosen), "inputs": [match]})
        return {"products": list(found.values()), **({"messages": missing} if missing else {})}

    def _product(self, asked: Json, _empty: bool) -> Json | None:
        if not isinstance(asked.get("id"), str):
            return None
        spec, variant = self._by_id(asked["id"])
        if spec is None:
            missing = {"type": "error", "code": "not_found", "content": asked["id"], "severity": "unrecoverable"}
            return {"messages": [missing]}
        featured = variant or _available_first(spec.variants)[0]
        selected = dict(featured.options) if variant is not None else _relaxed(spec, asked.get("selected"))
        if not selected:
            selected = dict(featured.options)
        fitting = [each for each in spec.variants if _has(each, selected)]
        ordered = sorted(fitting, key=lambda each: each.id != featured.id)
        product = self._shown(spec, ordered)
        return {"product": {**product, "selected": [{"name": n, "label": v} for n, v in selected.items()]}}

    def _by_id(self, wanted: str) -> tuple[ProductSpec | None, VariantSpec | None]:
        node = self._catalogue.by_id.get(wanted)
        if node is None:
            return None, None
        if node["__typename"] == "Product":
            return self._catalogue.specs[wanted], None
        number = int(wanted.rsplit("/", 1)[1])
        spec = next(each for each in self._catalogue.specs.values() if any(v.id == number for v in each.variants))
        return spec, next(variant for variant in spec.variants if variant.id == number)

    def _shown(self, spec: ProductSpec, variants: Iterable[VariantSpec]) -> Json:
        prices = [variant.price for variant in spec.variants]
        return {
            "id": gid("Product", spec.id),
            "handle": spec.handle,
            "title": spec.title,
            "brand": spec.vendor,
            "description": {"plain": spec.description},
            "url": product_url(self._shop, spec),
            "categories": [{"value": spec.product_type, "taxonomy": "merchant"}],
            "tags": list(spec.tags),
            "price_range": {"min": _money(min(prices)), "max": _money(max(prices))},
            "options": [
                {"name": name, "values": [{"label": value} for value in values]}
                for name, values in option_values(spec).items()
                if name != "Title"
            ],
            "variants": [_variant(variant) for variant in variants],
        }


def _variant(variant: VariantSpec) -> Json:
    available = variant.stock > 0
    return {
        "id": gid("ProductVariant", variant.id),
        "sku": variant.sku,
        "title": variant_title(variant),
        "description": {"plain": ""},
        "price": _money(variant.price),
        "availability": {"available": available, "status": "in_stock" if available else "out_of_stock"},
        "options": [{"name": name, "label": value} for name, value in variant.options.items()],
    }


def _money(pesos: int) -> Json:
    return {"amount": pesos, "currency": CURRENCY}


def _priced(value: Any, currency: str) -> Any:
    """The same answer in another currency, when the shop is told to sell in one."""
    if (fields := as_object(value)) is not None:
        return {key: currency if key == "currency" else _priced(part, currency) for key, part in fields.items()}
    parts = as_list(value)
    return value if parts is None else [_priced(part, currency) for part in parts]


def _available_first(variants: Sequence[VariantSpec]) -> list[VariantSpec]:
    return sorted(variants, key=lambda variant: variant.stock <= 0)


def _has(variant: VariantSpec, selected: Json) -> bool:
    return all(fold(variant.options.get(name, "")) == fold(value) for name, value in selected.items())


def _relaxed(spec: ProductSpec, selected: Any) -> Json:
    """The selections that some variant has together; the last of them are given up first."""
    chosen: Json = {}
    for each in as_list(selected) or []:
        option = as_object(each) or {}
        more = {**chosen, str(option.get("name")): str(option.get("label"))}
        if any(_has(variant, more) for variant in spec.variants):
            chosen = more
    return chosen


def _place(cursor: Any) -> int:
    try:
        return int(urlsafe_b64decode(str(cursor or "MA==")))
    except ValueError:
        return 0


def _envelope(said: Json) -> Json:
    capability = "search" if "pagination" in said else "lookup"
    failed = "products" not in said and "product" not in said
    return {
        "version": VERSION,
        "capabilities": {f"dev.ucp.shopping.catalog.{capability}": [{"version": VERSION}]},
        **({"status": "error"} if failed else {}),
    }


def _error(number: Any, code: int, text: str, data: Any = None) -> Json:
    error = {"code": code, "message": text, **({} if data is None else {"data": data})}
    return {"jsonrpc": "2.0", "id": number, "error": error}
