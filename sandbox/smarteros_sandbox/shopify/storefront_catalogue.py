"""Products and variants as the Storefront API shows them: published ones only."""

from __future__ import annotations

from typing import Any

from smarteros_sandbox.shopify.connections import Node, connection_field, later, list_field
from smarteros_sandbox.shopify.context import Info
from smarteros_sandbox.shopify.documents import Indexed, product_document
from smarteros_sandbox.shopify.search import fold
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


class StorefrontCatalogue:
    """What a visitor of the online shop can see."""

    def __init__(self, shop: DemoShop) -> None:
        self.products: list[Indexed] = []
        self.by_id: dict[str, Node] = {}
        self.by_handle: dict[str, Node] = {}
        self.specs: dict[str, ProductSpec] = {}
        self.variant_specs: dict[int, VariantSpec] = {}
        for product in shop.products:
            if product.published:
                self._add(shop, product)

    def variant_node(self, variant_id: int) -> Node | None:
        """The variant's node, if it is on sale in this shop."""
        return self.by_id.get(gid("ProductVariant", variant_id))

    def _add(self, shop: DemoShop, product: ProductSpec) -> None:
        node = _product_node(shop, product)
        variants = [_variant_node(node, product, variant) for variant in product.variants]
        node["variants"] = connection_field(lambda: variants)
        node["variantBySelectedOptions"] = _by_options(variants)
        available = [variant for variant in variants if variant["availableForSale"]]
        node["selectedOrFirstAvailableVariant"] = later(lambda: (available or variants)[0])
        self.products.append(Indexed(node, product_document(product)))
        self.specs[node["id"]] = product
        self.by_handle[product.handle] = node
        for spec, one in zip((None, *product.variants), (node, *variants), strict=True):
            self.by_id[one["id"]] = one
            if spec is not None:
                self.variant_specs[spec.id] = spec


def matches_filter(product: ProductSpec, wanted: dict[str, Any]) -> bool:
    """One ``ProductFilter``: each of its keys must hold."""
    option = wanted.get("variantOption")
    variants = [variant for variant in product.variants if option is None or _has_option(variant, option)]
    if not variants:
        return False
    if wanted.get("available") is not None and wanted["available"] != any(v.stock > 0 for v in variants):
        return False
    price = wanted.get("price")
    if price is not None and not any(_in_range(variant.price, price) for variant in variants):
        return False
    for key, have in (
        ("productType", [product.product_type]),
        ("productVendor", [product.vendor]),
        ("tag", product.tags),
    ):
        value = wanted.get(key)
        if value is not None and fold(value) not in map(fold, have):
            return False
    return True


def _has_option(variant: VariantSpec, option: dict[str, Any]) -> bool:
    name, value = fold(option["name"]), fold(option["value"])
    return any(fold(key) == name and fold(have) == value for key, have in variant.options.items())


def _in_range(price: int, limits: dict[str, Any]) -> bool:
    low, high = limits.get("min"), limits.get("max")
    return (low is None or price >= low) and (high is None or price <= high)


def _product_node(shop: DemoShop, product: ProductSpec) -> Node:
    prices = [variant.price for variant in product.variants]
    return {
        "__typename": "Product",
        "id": gid("Product", product.id),
        "title": product.title,
        "handle": product.handle,
        "productType": product.product_type,
        "vendor": product.vendor,
        "tags": sorted(product.tags),
        "description": later(lambda: product.description),
        "descriptionHtml": f"<p>{product.description}</p>",
        "createdAt": OPENED_AT,
        "updatedAt": OPENED_AT,
        "publishedAt": OPENED_AT,
        "onlineStoreUrl": product_url(shop, product),
        "availableForSale": any(variant.stock > 0 for variant in product.variants),
        "totalInventory": sum(variant.stock for variant in product.variants),
        "isGiftCard": False,
        "options": list_field(option_nodes(product)),
        "priceRange": {"minVariantPrice": money(min(prices)), "maxVariantPrice": money(max(prices))},
        "compareAtPriceRange": {"minVariantPrice": money(0), "maxVariantPrice": money(0)},
        "variantsCount": {"count": len(prices), "precision": "EXACT"},
    }


def _variant_node(parent: Node, product: ProductSpec, variant: VariantSpec) -> Node:
    return {
        "__typename": "ProductVariant",
        "id": gid("ProductVariant", variant.id),
        "title": variant_title(variant),
        "sku": variant.sku,
        "price": money(variant.price),
        "availableForSale": variant.stock > 0,
        "currentlyNotInStock": variant.stock <= 0,
        "quantityAvailable": variant.stock,
        "requiresShipping": True,
        "taxable": True,
        "selectedOptions": selected_options(product, variant),
        "product": later(lambda: parent),
    }


def _by_options(variants: list[Node]) -> Any:
    def resolve(_info: Info, **arguments: Any) -> Node | None:
        wanted = {(fold(one["name"]), fold(one["value"])) for one in arguments["selectedOptions"]}
        for variant in variants:
            have = {(fold(one["name"]), fold(one["value"])) for one in variant["selectedOptions"]}
            if wanted <= have:
                return variant
        return None

    return resolve
