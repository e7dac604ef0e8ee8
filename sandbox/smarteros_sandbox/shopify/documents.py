"""What the search finds of a product, a variant and an order: the documented query keys of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from smarteros_sandbox.shopify.connections import Node
from smarteros_sandbox.shopify.search import Document, parse_query, words
from smarteros_sandbox.shopify.values import OPENED_AT, variant_title
from smarteros_sandbox.shops.models import ProductSpec, VariantSpec

TITLE_WEIGHT, TYPE_WEIGHT, OTHER_WEIGHT = 4, 3, 1

SHARED_KEYS = frozenset(
    {
        *("id", "title", "product_type", "vendor", "tag", "tag_not", "sku", "barcode", "gift_card"),
        *("published_status", "created_at", "updated_at", "published_at"),
    }
)
PRODUCT_KEYS = SHARED_KEYS | {
    *("handle", "status", "price", "variants.price", "inventory_total", "out_of_stock_somewhere"),
    *("has_only_default_variant", "bundles", "is_price_reduced"),
}
VARIANT_KEYS = SHARED_KEYS | {
    *("option1", "option2", "option3", "product_id", "product_ids", "product_status"),
    *("inventory_quantity", "managed", "taxable"),
}
ORDER_KEYS = frozenset(
    {
        *("id", "name", "email", "phone", "customer_id", "sku", "tag", "status"),
        *("financial_status", "fulfillment_status", "total_price", "current_total_price"),
        *("created_at", "processed_at", "updated_at"),
    }
)


@dataclass(frozen=True)
class Indexed:
    """A node together with what the search sees of it."""

    node: Node
    document: Document


@dataclass(frozen=True)
class Found:
    """Result of a search; ``unknown_fields`` were ignored, as in Shopify."""

    nodes: list[Node]
    unknown_fields: list[str]


def find(
    index: Sequence[Indexed],
    query: str | None,
    keys: frozenset[str],
    *,
    order: Callable[[Node], object] | None = None,
) -> Found:
    """Matching nodes, by ``order`` or (None) by relevance, which without free words is the index's order."""
    parsed = parse_query(query, keys)
    scored = [(score, entry.node) for entry in index if (score := parsed.match(entry.document))]
    if order is None:
        scored.sort(key=lambda pair: -pair[0])
    else:
        scored.sort(key=lambda pair: order(pair[1]))  # pyright: ignore[reportArgumentType, reportCallIssue]
    return Found([node for _, node in scored], parsed.unknown_fields)


def product_document(product: ProductSpec) -> Document:
    """The query keys of ``products``."""
    variants = product.variants
    return Document(
        exact=_shared_exact(product, variants)
        | {
            "handle": (product.handle,),
            "status": ("ACTIVE",),
            "out_of_stock_somewhere": (_yes_no(any(v.stock <= 0 for v in variants)),),
            "has_only_default_variant": (_yes_no(len(variants) == 1),),
            "bundles": ("false",),
            "is_price_reduced": ("false",),
        },
        text={"title": product.title},
        numbers={
            "id": (Decimal(product.id),),
            "price": tuple(Decimal(v.price) for v in variants),
            "variants.price": tuple(Decimal(v.price) for v in variants),
            "inventory_total": (Decimal(sum(v.stock for v in variants)),),
        },
        default=_default_words(product, variants),
    )


def variant_document(product: ProductSpec, variant: VariantSpec) -> Document:
    """The query keys of ``productVariants``."""
    options = {f"option{n}": (value,) for n, value in enumerate(variant.options.values(), 1)}
    return Document(
        exact=_shared_exact(product, (variant,))
        | options
        | {
            "product_status": ("ACTIVE",),
            "product_ids": (str(product.id),),
            "managed": ("true",),
            "taxable": ("true",),
        },
        text={"title": variant_title(variant)},
        numbers={
            "id": (Decimal(variant.id),),
            "product_id": (Decimal(product.id),),
            "inventory_quantity": (Decimal(variant.stock),),
        },
        default=_default_words(product, (variant,)),
    )


def _shared_exact(product: ProductSpec, variants: Sequence[VariantSpec]) -> dict[str, tuple[str, ...]]:
    visible = ("published", "visible", "online_store_channel") if product.published else ()
    return {
        "product_type": (product.product_type,),
        "vendor": (product.vendor,),
        "tag": product.tags,
        "sku": tuple(variant.sku for variant in variants),
        "barcode": (),
        "gift_card": ("false",),
        "published_status": visible or ("unpublished", "unavailable", "online_store_channel"),
        "created_at": (OPENED_AT,),
        "updated_at": (OPENED_AT,),
        "published_at": (OPENED_AT,) if product.published else (),
    }


def _default_words(product: ProductSpec, variants: Sequence[VariantSpec]) -> dict[str, int]:
    weights: Counter[str] = Counter()
    sources = [(product.title, TITLE_WEIGHT), (product.product_type, TYPE_WEIGHT), (product.vendor, 1)]
    sources += [(tag, OTHER_WEIGHT) for tag in product.tags]
    for variant in variants:
        sources += [(variant.sku, OTHER_WEIGHT), (variant_title(variant), OTHER_WEIGHT)]
    for text, weight in sources:
        for word in words(text):
            weights[word] = max(weights[word], weight)
    return dict(weights)


def _yes_no(value: bool) -> str:
    return "true" if value else "false"
