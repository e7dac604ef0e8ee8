"""Reading one product with all its variants, however many pages of them there are (Shopify allows 2,048)."""

from __future__ import annotations

from typing import Any

from smarteros.domain.tenants import Tenant
from smarteros.tools.catalogue import CatalogueProduct, CatalogueVariant
from smarteros.tools.deadline import Deadline
from smarteros.tools.shopify.answers import PRODUCTS_DOCUMENT, ProductsAnswer
from smarteros.tools.shopify.client import ShopifyClient

FIRST_VARIANTS, MORE_VARIANTS = 60, 250
"""On the first page and on each after it. A variant costs two points of the shop's bucket, asked for or not: the first
page suffices for almost all products and is affordable in the middle of a conversation; one query may cost 1,000."""


def read_product(client: ShopifyClient, tenant: Tenant, product_id: str, deadline: Deadline) -> CatalogueProduct | None:
    """Read a product now; None when the shop does not offer it (any more). Raises what the shop's faults are."""
    variables: dict[str, Any] = {"ids": [product_id], "variants": FIRST_VARIANTS}
    variants: list[CatalogueVariant] = []
    while True:
        answer = client.query(tenant, PRODUCTS_DOCUMENT, variables, ProductsAnswer, deadline)
        page = next(iter(answer.catalogue()), None)
        if page is None:
            return None
        variants += page.variants
        cursor = answer.next_variants
        if cursor is None:
            return page.model_copy(update={"variants": tuple(variants)})
        variables = {**variables, "variants": MORE_VARIANTS, "after": cursor}
