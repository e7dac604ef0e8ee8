"""The GraphQL documents and the shape of their answers. Field names are Shopify's."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from pydantic import AliasPath, BaseModel, Field

from smarteros.tools.catalogue import CatalogueProduct, CatalogueVariant

_FRAGMENTS = """
fragment ProductFields on Product { id title productType vendor tags onlineStoreUrl options { name values } }
fragment VariantFields on ProductVariant {
  id price availableForSale inventoryQuantity selectedOptions { name value }
}
"""
SEARCH_DOCUMENT = f"""
query SearchProducts($query: String!, $products: Int!, $variants: Int!, $after: String) {{
  shop {{ currencyCode }}
  products(first: $products, after: $after, query: $query, sortKey: RELEVANCE) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ ...ProductFields variants(first: $variants) {{ nodes {{ ...VariantFields }} }} }}
  }}
}}
{_FRAGMENTS}"""
VARIANTS_DOCUMENT = f"""
query ReadVariants($ids: [ID!]!) {{
  shop {{ currencyCode }}
  nodes(ids: $ids) {{ ... on ProductVariant {{ ...VariantFields product {{ ...ProductFields }} }} }}
}}
{_FRAGMENTS}"""


class _Option(BaseModel):
    name: str
    values: list[str]


class _SelectedOption(BaseModel):
    name: str
    value: str


class _Variant(BaseModel):
    """A variant. ``price`` is in units of the shop's currency; an uncounted stock is null."""

    id: str
    price: Decimal
    availableForSale: bool
    inventoryQuantity: int | None
    selectedOptions: list[_SelectedOption]

    def in_our_terms(self) -> CatalogueVariant:
        return CatalogueVariant(
            id=self.id,
            price=int(self.price.quantize(Decimal(1), ROUND_HALF_UP)),
            stock=self.inventoryQuantity or 0,
            buyable=self.availableForSale,
            options={option.name: option.value for option in self.selectedOptions},
        )


class _Product(BaseModel):
    """A product. ``onlineStoreUrl`` is null while it is not published in the online shop."""

    id: str
    title: str
    productType: str
    vendor: str
    tags: list[str]
    onlineStoreUrl: str | None
    options: list[_Option]

    def in_our_terms(self, currency: str, *variants: _Variant) -> CatalogueProduct | None:
        """Return the product in our terms, or None when customers must not see it."""
        if self.onlineStoreUrl is None:
            return None
        return CatalogueProduct(
            id=self.id,
            title=self.title,
            kind=self.productType,
            vendor=self.vendor,
            tags=tuple(self.tags),
            url=self.onlineStoreUrl,
            currency=currency,
            varying=tuple(option.name for option in self.options if len(option.values) > 1),
            variants=tuple(variant.in_our_terms() for variant in variants),
        )


class _FoundProduct(_Product):
    variants: list[_Variant] = Field(validation_alias=AliasPath("variants", "nodes"))


class SearchAnswer(BaseModel):
    """Data of SEARCH_DOCUMENT: one page."""

    currency: str = Field(validation_alias=AliasPath("shop", "currencyCode"))
    nodes: list[_FoundProduct] = Field(validation_alias=AliasPath("products", "nodes"))
    has_next_page: bool = Field(validation_alias=AliasPath("products", "pageInfo", "hasNextPage"))
    end_cursor: str | None = Field(validation_alias=AliasPath("products", "pageInfo", "endCursor"))

    def catalogue(self) -> list[CatalogueProduct]:
        """Return the published products of this page."""
        read = [node.in_our_terms(self.currency, *node.variants) for node in self.nodes]
        return [product for product in read if product is not None]


class VariantWithProduct(_Variant):
    """A variant read by its id."""

    product: _Product


class VariantsAnswer(BaseModel):
    """Data of VARIANTS_DOCUMENT; the place of an id nobody knows is null."""

    currency: str = Field(validation_alias=AliasPath("shop", "currencyCode"))
    nodes: list[VariantWithProduct | None]
