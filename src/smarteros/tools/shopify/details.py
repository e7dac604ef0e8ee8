"""``shopify_get_product``: everything a customer may ask about one product."""

from __future__ import annotations

from dataclasses import dataclass

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tools import ProductDetail, VariantDetail
from smarteros.tools.catalogue import CatalogueProduct, variant_label
from smarteros.tools.inputs import ProductInput
from smarteros.tools.product_search import Catalogue, Remembered, expect_currency
from smarteros.tools.protocol import ToolSpec
from smarteros.tools.registry import EmbeddedTool, ToolRun
from smarteros.tools.shopify.credentials import SERVICE

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

    catalogue: Catalogue
    copy: Remembered | None = None

    def tool(self) -> EmbeddedTool[ProductInput]:
        """Offer the reading as a tool."""
        return EmbeddedTool(_SPEC, SERVICE, ProductInput, self.run, self.recall)

    def run(self, params: ProductInput, run: ToolRun) -> ProductDetail:
        """Read a product now; refused when the shop does not offer it."""
        product = self.catalogue.product(params.product_id or params.variant_id or "", run)
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
                stock=variant.told_stock,
                available=variant.buyable,
                options=variant.options,
            )
            for variant in product.variants
        ),
    )
