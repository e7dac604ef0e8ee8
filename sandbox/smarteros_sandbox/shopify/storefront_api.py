"""Root fields of the Storefront API which the stand-in can answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from smarteros_sandbox.shopify.carts import Carts
from smarteros_sandbox.shopify.connections import LARGEST_PAGE, FieldFunction, Node, connection
from smarteros_sandbox.shopify.context import Info
from smarteros_sandbox.shopify.documents import PRODUCT_KEYS, find
from smarteros_sandbox.shopify.search import fold
from smarteros_sandbox.shopify.storefront_catalogue import StorefrontCatalogue, matches_filter
from smarteros_sandbox.shopify.values import gid, shop_number
from smarteros_sandbox.shops.models import DemoShop, ProductSpec


class StorefrontApi:
    """One shop behind the Storefront API."""

    def __init__(self, shop: DemoShop) -> None:
        self.shop = shop
        self.catalogue = StorefrontCatalogue(shop)
        self.carts = Carts(shop, self.catalogue)
        self.root: dict[str, FieldFunction] = {
            "shop": self._shop,
            "products": self._products,
            "product": self._product,
            "productByHandle": self._product,
            "search": self._search,
            "node": self._node_field,
            "nodes": self._nodes_field,
            "cart": self._cart,
            "cartCreate": self._cart_create,
            "cartLinesAdd": self._change("cartLinesAdd"),
            "cartLinesUpdate": self._change("cartLinesUpdate"),
            "cartLinesRemove": self._change("cartLinesRemove"),
        }

    def _products(self, info: Info, **arguments: Any) -> Node:
        return connection(self._found(info, arguments), arguments)

    def _found(self, info: Info, arguments: dict[str, Any]) -> list[Node]:
        index = [] if info.context.empty_mirror else self.catalogue.products
        nodes = find(index, arguments.get("query"), PRODUCT_KEYS).nodes
        match arguments.get("sortKey"):
            case "PRICE":
                nodes.sort(key=lambda node: min(v.price for v in self._spec(node).variants))
            case "TITLE" | "PRODUCT_TYPE" | "VENDOR" as key:
                field = {"TITLE": "title", "PRODUCT_TYPE": "productType", "VENDOR": "vendor"}[key]
                nodes.sort(key=lambda node: fold(node[field]))
            case _:
                pass
        return nodes

    def _search(self, info: Info, **arguments: Any) -> Node:
        filters: list[dict[str, Any]] = arguments.get("productFilters") or []
        types = arguments.get("types") or ["PRODUCT"]
        nodes = self._found(info, arguments) if "PRODUCT" in types else []
        nodes = [node for node in nodes if _passes(self._spec(node), filters)]
        return connection(nodes, arguments, totalCount=len(nodes), productFilters=[])

    def _spec(self, node: Node) -> ProductSpec:
        return self.catalogue.specs[node["id"]]

    def _product(self, _info: Info, **arguments: Any) -> Node | None:
        if arguments.get("id") is not None:
            node = self.catalogue.by_id.get(arguments["id"])
            return node if node is not None and node["__typename"] == "Product" else None
        return self.catalogue.by_handle.get(arguments.get("handle") or "")

    def _node(self, wanted: str) -> Node | None:
        return self.catalogue.by_id.get(wanted) or self.carts.get(wanted)

    def _node_field(self, _info: Info, **arguments: Any) -> Node | None:
        return self._node(arguments["id"])

    def _nodes_field(self, _info: Info, **arguments: Any) -> list[Node | None]:
        return [self._node(one) for one in arguments["ids"][:LARGEST_PAGE]]

    def _cart(self, _info: Info, **arguments: Any) -> Node | None:
        return self.carts.get(arguments["id"])

    def _cart_create(self, _info: Info, **arguments: Any) -> Node:
        return self.carts.create(arguments.get("input") or {})

    def _change(self, action: str) -> FieldFunction:
        def resolve(_info: Info, **arguments: Any) -> Node:
            items: list[Any] = arguments.get("lines") or arguments.get("lineIds") or []
            return self.carts.change(arguments["cartId"], action, items)

        return resolve

    def _shop(self, _info: Info) -> Node:
        domain = self.shop.spec.store_domain
        return {
            "id": gid("Shop", shop_number(self.shop)),
            "name": self.shop.spec.name,
            "moneyFormat": "${{amount_no_decimals_with_comma_separator}}",
            "primaryDomain": {"host": domain, "url": f"https://{domain}", "sslEnabled": True},
            "shipsToCountries": ["CL"],
        }


def _passes(product: ProductSpec, filters: Iterable[dict[str, Any]]) -> bool:
    """Filters of one kind are alternatives, different kinds must all hold (Shopify's documented rule)."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for one in filters:
        option = one.get("variantOption")
        kind = f"option:{fold(option['name'])}" if option else ",".join(sorted(one))
        kinds.setdefault(kind, []).append(one)
    return all(any(matches_filter(product, one) for one in group) for group in kinds.values())
