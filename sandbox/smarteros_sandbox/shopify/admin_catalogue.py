"""Products and variants as the Admin API shows them."""

from __future__ import annotations

from typing import Any

from smarteros_sandbox.shopify.connections import Node, connection_field, later, list_field
from smarteros_sandbox.shopify.context import Info
from smarteros_sandbox.shopify.documents import Indexed, product_document, variant_document
from smarteros_sandbox.shopify.values import (
    OPENED_AT,
    gid,
    money,
    option_nodes,
    product_url,
    selected_options,
    variant_title,
)
from smarteros_sandbox.shops.models import DemoShop, ProductSpec, VariantSpec


class AdminCatalogue:
    """All products of one shop, published or not, in the order of its catalogue."""

    def __init__(self, shop: DemoShop) -> None:
        self.products: list[Indexed] = []
        self.variants: list[Indexed] = []
        self.by_id: dict[str, Node] = {}
        for product in shop.products:
            self._add(shop, product)

    def variant_node(self, variant_id: int) -> Node | None:
        """The variant's node, if the shop has it."""
        return self.by_id.get(gid("ProductVariant", variant_id))

    def _add(self, shop: DemoShop, product: ProductSpec) -> None:
        node = product_node(shop, product)
        variants = [
            variant_node(node, product, variant, position) for position, variant in enumerate(product.variants, 1)
        ]
        node["variants"] = connection_field(lambda: variants)
        self.products.append(Indexed(node, product_document(product)))
        self.by_id[node["id"]] = node
        for spec, variant in zip(product.variants, variants, strict=True):
            self.variants.append(Indexed(variant, variant_document(product, spec)))
            self.by_id[variant["id"]] = variant


def product_node(shop: DemoShop, product: ProductSpec) -> Node:
    """A ``Product`` without its variants."""
    prices = [variant.price for variant in product.variants]
    url = product_url(shop, product)
    return {
        "__typename": "Product",
        "id": gid("Product", product.id),
        "legacyResourceId": str(product.id),
        "title": product.title,
        "handle": product.handle,
        "productType": product.product_type,
        "vendor": product.vendor,
        # Shopify keeps tags in alphabetical order.
        "tags": sorted(product.tags),
        "description": _description(product),
        "descriptionHtml": f"<p>{product.description}</p>",
        # An unpublished product is still ACTIVE: a client must look at the publication as well.
        "status": "ACTIVE",
        "createdAt": OPENED_AT,
        "updatedAt": OPENED_AT,
        "publishedAt": OPENED_AT if product.published else None,
        "onlineStoreUrl": url if product.published else None,
        "onlineStorePreviewUrl": url,
        "totalInventory": sum(variant.stock for variant in product.variants),
        "tracksInventory": True,
        "hasOnlyDefaultVariant": len(product.variants) == 1,
        "hasOutOfStockVariants": any(variant.stock <= 0 for variant in product.variants),
        "isGiftCard": False,
        "options": list_field(option_nodes(product)),
        "priceRangeV2": {"minVariantPrice": money(min(prices)), "maxVariantPrice": money(max(prices))},
        "variantsCount": {"count": len(prices), "precision": "EXACT"},
    }


def variant_node(parent: Node, product: ProductSpec, variant: VariantSpec, position: int) -> Node:
    """A ``ProductVariant``."""
    return {
        "__typename": "ProductVariant",
        "id": gid("ProductVariant", variant.id),
        "legacyResourceId": str(variant.id),
        "title": variant_title(variant),
        "displayName": f"{product.title} - {variant_title(variant)}",
        "sku": variant.sku,
        "price": str(variant.price),
        "position": position,
        "availableForSale": variant.stock > 0,
        "inventoryPolicy": "DENY",
        "inventoryQuantity": variant.stock,
        "sellableOnlineQuantity": variant.stock,
        "taxable": True,
        "createdAt": OPENED_AT,
        "updatedAt": OPENED_AT,
        "selectedOptions": selected_options(product, variant),
        "product": later(lambda: parent),
        "inventoryItem": {
            "id": gid("InventoryItem", variant.id + 10**12),
            "sku": variant.sku,
            "tracked": True,
            "requiresShipping": True,
            "createdAt": OPENED_AT,
            "updatedAt": OPENED_AT,
        },
    }


def _description(product: ProductSpec) -> Any:
    def resolve(_info: Info, **arguments: Any) -> str:
        limit = arguments.get("truncateAt")
        return product.description if limit is None else product.description[: max(limit, 0)]

    return resolve
