"""Root fields of the Admin API which the stand-in can answer."""

from __future__ import annotations

from typing import Any

from smarteros_sandbox.shopify.admin_catalogue import AdminCatalogue
from smarteros_sandbox.shopify.bulk import BulkOperations
from smarteros_sandbox.shopify.connections import LARGEST_PAGE, FieldFunction, Node, bad_request, connection
from smarteros_sandbox.shopify.context import Info
from smarteros_sandbox.shopify.documents import ORDER_KEYS, PRODUCT_KEYS, VARIANT_KEYS, Found, Indexed, find
from smarteros_sandbox.shopify.draft_orders import DraftOrders
from smarteros_sandbox.shopify.orders import order_index
from smarteros_sandbox.shopify.search import fold
from smarteros_sandbox.shopify.subscriptions import WebhookSubscriptions
from smarteros_sandbox.shopify.values import CURRENCY, OPENED_AT, SCOPES, gid, shop_number
from smarteros_sandbox.shops.models import DemoShop

# None sorts by relevance.
PRODUCT_ORDERS: dict[str, str | None] = {
    "TITLE": "title",
    "PRODUCT_TYPE": "productType",
    "VENDOR": "vendor",
    "INVENTORY_TOTAL": "totalInventory",
    "RELEVANCE": None,
}
VARIANT_ORDERS: dict[str, str | None] = {
    "TITLE": "title",
    "NAME": "displayName",
    "FULL_TITLE": "displayName",
    "SKU": "sku",
    "INVENTORY_QUANTITY": "inventoryQuantity",
    "POSITION": "position",
    "RELEVANCE": None,
}
ORDER_ORDERS: dict[str, str | None] = {"ORDER_NUMBER": "number", "CREATED_AT": "createdAt", "RELEVANCE": None}


class AdminApi:
    """One shop behind the Admin API."""

    def __init__(self, shop: DemoShop) -> None:
        self.shop = shop
        self.catalogue = AdminCatalogue(shop)
        self.orders = order_index(shop, self.catalogue)
        self.drafts = DraftOrders(shop, self.catalogue)
        self._orders_by_id = {entry.node["id"]: entry.node for entry in self.orders}
        by_handle = {entry.node["handle"]: entry.node for entry in self.catalogue.products}
        self._by_handle: dict[str, Node] = by_handle
        self.root: dict[str, FieldFunction] = {
            "shop": self._shop,
            "currentAppInstallation": self._app_installation,
            "products": self._products,
            "productsCount": self._products_count,
            "product": self._of_kind("Product"),
            "productByHandle": self._product_by_handle,
            "productByIdentifier": self._product_by_identifier,
            "productVariants": self._variants,
            "productVariant": self._of_kind("ProductVariant"),
            "orders": self._orders,
            "order": self._of_kind("Order"),
            "draftOrder": self._of_kind("DraftOrder"),
            "node": self._node_field,
            "nodes": self._nodes_field,
            "draftOrderCreate": self._draft_order_create,
        }
        self.bulk = BulkOperations(self.root)
        self.subscriptions = WebhookSubscriptions()
        self.root |= {**self.bulk.fields(), **self.subscriptions.fields()}

    def _products(self, info: Info, **arguments: Any) -> Node:
        return _search(info, self.catalogue.products, arguments, PRODUCT_KEYS, PRODUCT_ORDERS)

    def _variants(self, info: Info, **arguments: Any) -> Node:
        return _search(info, self.catalogue.variants, arguments, VARIANT_KEYS, VARIANT_ORDERS)

    def _orders(self, info: Info, **arguments: Any) -> Node:
        return _search(info, self.orders, arguments, ORDER_KEYS, ORDER_ORDERS)

    def _products_count(self, info: Info, **arguments: Any) -> Node:
        index = [] if info.context.empty_mirror else self.catalogue.products
        found = find(index, arguments.get("query"), PRODUCT_KEYS)
        return {"count": len(found.nodes), "precision": "EXACT"}

    def _of_kind(self, kind: str) -> FieldFunction:
        prefix = gid(kind, "")

        def resolve(_info: Info, **arguments: Any) -> Node | None:
            wanted = arguments["id"]
            if not wanted.startswith(prefix):
                raise bad_request(f"Invalid global id '{wanted[:100]}'")
            return self._node(wanted)

        return resolve

    def _node(self, wanted: str) -> Node | None:
        for source in (self.catalogue.by_id, self._orders_by_id, self.drafts.by_id, self.subscriptions.by_id):
            if wanted in source:
                return source[wanted]
        return None

    def _node_field(self, _info: Info, **arguments: Any) -> Node | None:
        return self._node(arguments["id"])

    def _nodes_field(self, _info: Info, **arguments: Any) -> list[Node | None]:
        return [self._node(one) for one in arguments["ids"][:LARGEST_PAGE]]

    def _draft_order_create(self, _info: Info, **arguments: Any) -> Node:
        return self.drafts.create(arguments["input"])

    def _product_by_handle(self, _info: Info, **arguments: Any) -> Node | None:
        return self._by_handle.get(arguments["handle"])

    def _product_by_identifier(self, _info: Info, **arguments: Any) -> Node | None:
        wanted = arguments["identifier"]
        if wanted.get("handle") is not None:
            return self._by_handle.get(wanted["handle"])
        return self._node(str(wanted.get("id")))

    def _app_installation(self, _info: Info) -> Node:
        scopes = [{"handle": handle, "description": handle.replace("_", " ")} for handle in SCOPES.split(",")]
        return {"id": gid("AppInstallation", shop_number(self.shop)), "accessScopes": scopes}

    def _shop(self, info: Info) -> Node:
        domain = self.shop.spec.store_domain
        return {
            "id": gid("Shop", shop_number(self.shop)),
            "name": self.shop.spec.name,
            "currencyCode": info.context.currency,
            "myshopifyDomain": domain,
            "url": f"https://{domain}",
            "primaryDomain": {"id": gid("Domain", 1), "host": domain, "url": f"https://{domain}", "sslEnabled": True},
            "ianaTimezone": "America/Santiago",
            "timezoneAbbreviation": "-03",
            "timezoneOffset": "-0300",
            "timezoneOffsetMinutes": -180,
            "taxesIncluded": True,
            "weightUnit": "KILOGRAMS",
            "unitSystem": "METRIC_SYSTEM",
            "createdAt": OPENED_AT,
            "updatedAt": OPENED_AT,
            "enabledPresentmentCurrencies": [CURRENCY],
            "orderNumberFormatPrefix": "#",
        }


def _search(
    info: Info,
    index: list[Indexed],
    arguments: dict[str, Any],
    keys: frozenset[str],
    orders: dict[str, str | None],
) -> Node:
    """A search connection; fields the search does not know are ignored and reported as warnings."""
    key = orders.get(arguments.get("sortKey") or "", "")
    order = None if key is None else _order_by(key)
    found: Found = find([] if info.context.empty_mirror else index, arguments.get("query"), keys, order=order)
    info.context.warn(info.path.as_list(), arguments.get("query"), found.unknown_fields)
    return connection(found.nodes, arguments, unpaged=info.context.unpaged)


def _order_by(key: str) -> Any:
    def order(node: Node) -> Any:
        value = node.get(key) if key else 0
        return fold(value) if isinstance(value, str) else value

    return order
