"""``shopify_get_product``: everything a customer may ask about one product."""

from __future__ import annotations

from dataclasses import dataclass

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tools import ProductDetail, VariantDetail
from smarteros.tools.catalogue import CatalogueProduct, variant_label
from smarteros.tools.inputs import ProductInput
from smarteros.tools.product_search import Remembered, expect_currency
from smarteros.tools.protocol import ToolSpec
from smarteros.tools.registry import EmbeddedTool, ToolRun
from smarteros.tools.shopify.answers import VARIANTS_DOCUMENT, VariantsAnswer
from smarteros.tools.shopify.client import ShopifyClient
from smarteros.tools.shopify.credentials import SERVICE
from smarteros.tools.shopify.products import read_product

_SPEC = ToolSpec(
    name="shopify_get_product",
    title="Read a product",
    description="Read one product with all its sizes, colours, prices and stock, by its id or that of a variant.",
    read_only=True,
    input_model=ProductInput,
    output_model=ProductDetail,
)


@dataclass(frozen=True)
class ProductReader:
    """Reads products in the shop, or from the copy of its catalogue while the shop is away."""

    client: ShopifyClient
    copy: Remembered | None = None

    def tool(self) -> EmbeddedTool[ProductInput]:
        """Offer the reading as a tool."""
        return EmbeddedTool(_SPEC, SERVICE, ProductInput, self.run, self.recall)

    def run(self, params: ProductInput, run: ToolRun) -> ProductDetail:
        """Read a product now; refused when the shop does not offer it."""
        product_id = params.product_id or self._product_of(params.variant_id or "", run)
        product = self.read(product_id, run) if product_id is not None else None
        if product is None:
            raise RejectedInputError("product_unknown", "The shop does not offer this product.")
        expect_currency(self.copy.currency(run.tenant) if self.copy else None, product.currency)
        return _detail(product)

    def recall(self, params: ProductInput, run: ToolRun) -> ProductDetail | None:
        """Answer from the copy of the last 24 h."""
        as_of = self.copy.as_of(run.tenant) if self.copy is not None else None
        if self.copy is None or as_of is None:
            return None
        product = self.copy.product(params.product_id or params.variant_id or "", run.tenant)
        return None if product is None else _detail(product).model_copy(update={"as_of": as_of})

    def read(self, product_id: str, run: ToolRun) -> CatalogueProduct | None:
        """Read a product now, or None when the shop does not offer it."""
        return read_product(self.client, run.tenant, product_id, run.deadline)

    def _product_of(self, variant_id: str, run: ToolRun) -> str | None:
        answer = self.client.query(run.tenant, VARIANTS_DOCUMENT, {"ids": [variant_id]}, VariantsAnswer, run.deadline)
        return next((node.product.id for node in answer.nodes if node is not None), None)


def _detail(product: CatalogueProduct) -> ProductDetail:
    return ProductDetail(
        id=product.id,
        title=product.title,
        kind=product.kind,
        brand=product.vendor,
        url=product.url,
        currency=product.currency,
        description=product.description,
        variants=tuple(
            VariantDetail(
                variant_id=variant.id,
                variant=variant_label(product, variant),
                price=variant.price,
                stock=max(variant.stock, 0),
                available=variant.buyable,
                options=variant.options,
            )
            for variant in product.variants
        ),
    )
