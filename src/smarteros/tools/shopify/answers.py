"""The GraphQL documents and the shape of their answers. Field names are Shopify's."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from pydantic import AliasPath, BaseModel, Field

from smarteros.tools.catalogue import CatalogueProduct, CatalogueVariant, known_stock

_PRODUCT = "id title productType vendor tags description(truncateAt: 1000) onlineStoreUrl options { name values }"
_VARIANT = "id price availableForSale inventoryQuantity selectedOptions { name value }"
_FRAGMENTS = f"""
fragment ProductFields on Product {{ {_PRODUCT} }}
fragment VariantFields on ProductVariant {{ {_VARIANT} }}
"""
PUBLISHED = "status:active AND published_status:published"
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
PRODUCTS_DOCUMENT = f"""
query ReadProducts($ids: [ID!]!, $variants: Int!, $after: String) {{
  shop {{ currencyCode }}
  nodes(ids: $ids) {{
    ... on Product {{
      ...ProductFields
      variants(first: $variants, after: $after) {{
        pageInfo {{ hasNextPage endCursor }}
        nodes {{ ...VariantFields }}
      }}
    }}
  }}
}}
{_FRAGMENTS}"""
PAGES_DOCUMENT = f"""
query ReadCatalogue($first: Int!, $variants: Int!, $after: String, $query: String) {{
  shop {{ currencyCode }}
  products(first: $first, after: $after, query: $query, sortKey: ID) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{
      ...ProductFields
      variants(first: $variants) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ ...VariantFields }} }}
    }}
  }}
}}
{_FRAGMENTS}"""
BULK_QUERY = f"""
{{ products(query: "{PUBLISHED}") {{ edges {{ node {{
  {_PRODUCT} variants {{ edges {{ node {{ {_VARIANT} }} }} }}
}} }} }} }}
"""
"""What a bulk operation is to run: all of a catalogue, without pages. Its connections must be written with edges."""
_NO_DECIMALS = frozenset({"CLP", "JPY", "KRW", "PYG", "VND", "ISK", "UGX", "RWF", "XAF", "XOF", "XPF", "KMF", "GNF"})
"""Currencies without decimals, as ISO 4217 has them."""


def amount(price: Decimal, currency: str) -> Decimal:
    """Return an amount with the decimals its currency has: pesos are whole."""
    return price.quantize(Decimal(1).scaleb(-decimals_of(currency)), ROUND_HALF_UP)


def decimals_of(currency: str) -> int:
    """Return how many decimals a currency has."""
    return 0 if currency in _NO_DECIMALS else 2


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

    def in_our_terms(self, currency: str) -> CatalogueVariant:
        return CatalogueVariant(
            id=self.id,
            price=amount(self.price, currency),
            stock=known_stock(self.inventoryQuantity, buyable=self.availableForSale),
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
    description: str = ""
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
            description=self.description,
            url=self.onlineStoreUrl,
            currency=currency,
            varying=tuple(option.name for option in self.options if len(option.values) > 1),
            variants=tuple(variant.in_our_terms(currency) for variant in variants),
        )


class _FoundProduct(_Product):
    """A product with a page of its variants; whether there are more is told where the document asks for it."""

    variants: list[_Variant] = Field(validation_alias=AliasPath("variants", "nodes"))
    more_variants: bool = Field(default=False, validation_alias=AliasPath("variants", "pageInfo", "hasNextPage"))
    variants_end: str | None = Field(default=None, validation_alias=AliasPath("variants", "pageInfo", "endCursor"))


class SearchAnswer(BaseModel):
    """Data of SEARCH_DOCUMENT and PAGES_DOCUMENT: one page."""

    currency: str = Field(validation_alias=AliasPath("shop", "currencyCode"))
    nodes: list[_FoundProduct] = Field(validation_alias=AliasPath("products", "nodes"))
    has_next_page: bool = Field(validation_alias=AliasPath("products", "pageInfo", "hasNextPage"))
    end_cursor: str | None = Field(validation_alias=AliasPath("products", "pageInfo", "endCursor"))

    def catalogue(self) -> list[CatalogueProduct]:
        """Return the published products of this page."""
        return _published(self.nodes, self.currency)


def _published(nodes: Iterable[_FoundProduct | None], currency: str) -> list[CatalogueProduct]:
    """Return the published ones of these products."""
    read = [node.in_our_terms(currency, *node.variants) for node in nodes if node is not None]
    return [product for product in read if product is not None]


class ProductsAnswer(BaseModel):
    """Data of PRODUCTS_DOCUMENT; the place of an id nobody knows is null, that of another thing is empty."""

    currency: str = Field(validation_alias=AliasPath("shop", "currencyCode"))
    nodes: list[_FoundProduct | None]

    def catalogue(self) -> list[CatalogueProduct]:
        """Return the published products among them."""
        return _published(self.nodes, self.currency)

    @property
    def next_variants(self) -> str | None:
        """Where the only product's next page of variants begins; None after the last."""
        return next((node.variants_end for node in self.nodes if node is not None and node.more_variants), None)


class VariantWithProduct(_Variant):
    """A variant read by its id."""

    product: _Product


class VariantsAnswer(BaseModel):
    """Data of VARIANTS_DOCUMENT; the place of an id nobody knows is null."""

    currency: str = Field(validation_alias=AliasPath("shop", "currencyCode"))
    nodes: list[VariantWithProduct | None]


class BulkProduct(_Product):
    """A product's line in the file of a bulk operation."""


class BulkVariant(_Variant):
    """A variant's line in that file; ``parent`` is its product's id."""

    parent: str = Field(validation_alias="__parentId")
