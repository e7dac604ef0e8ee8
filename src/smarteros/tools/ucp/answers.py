"""What a shop's UCP endpoint says of its products, read as a stranger's word. Field names are UCP's.

https://ucp.dev/2026-04-08/specification/catalog. Nothing of it reaches a customer as it came: texts are made plain and
lead nowhere, links are made by us from the shop's own name, amounts are whole numbers of the currency's smallest unit.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import quote

from pydantic import AfterValidator, AliasChoices, AliasPath, BaseModel, Field, ValidationError

from smarteros.kit.stated_facts import without_links
from smarteros.kit.untrusted import plain_text
from smarteros.tools.catalogue import CatalogueProduct, CatalogueVariant, known_stock
from smarteros.tools.shopify.answers import decimals_of

_LONGEST_NAME, _LONGEST_TEXT = 255, 1000
"""Characters of a title (Shopify's own limit), and of a description."""
MOST_VARIANTS = 2048
"""Of one product, in Shopify."""
_UNAVAILABLE = frozenset({"out_of_stock", "discontinued"})


def _name(text: str) -> str:
    """Return one plain line that leads nowhere."""
    return " ".join(without_links(plain_text(text, _LONGEST_NAME)).split())


Name = Annotated[str, AfterValidator(_name)]
_ShapeT = TypeVar("_ShapeT", bound=BaseModel)


class _Money(BaseModel):
    """An amount in the smallest unit of its currency: pesos are whole."""

    amount: int = Field(ge=0, le=10**15, strict=True)
    currency: str = Field(pattern=r"^[A-Z]{3}$")

    @property
    def units(self) -> Decimal:
        """The amount in units of the currency."""
        return Decimal(self.amount).scaleb(-decimals_of(self.currency))


class _Labelled(BaseModel):
    label: Name


class UcpOption(BaseModel):
    """What a product's variants differ by."""

    name: Name
    labels: list[_Labelled] = Field(validation_alias="values")


class _Selected(BaseModel):
    name: Name
    label: Name


class _Availability(BaseModel):
    """``quantity`` is left out by shops that do not tell their stock."""

    available: bool | None = None
    status: str | None = None
    quantity: int | None = Field(default=None, ge=0)

    @property
    def buyable(self) -> bool:
        """What is said of neither is no promise."""
        return self.available if self.available is not None else bool(self.status) and self.status not in _UNAVAILABLE


class _Variant(BaseModel):
    id: str = Field(pattern=r"^gid://shopify/ProductVariant/\d{1,20}$")
    price: _Money
    availability: _Availability = _Availability()
    selected: list[_Selected] = Field(
        default_factory=list[_Selected], validation_alias=AliasChoices("options", "selected_options")
    )
    tags: list[Name] = Field(default_factory=list[str])

    def in_our_terms(self) -> CatalogueVariant:
        buyable = self.availability.buyable
        return CatalogueVariant(
            id=self.id,
            price=self.price.units,
            stock=known_stock(self.availability.quantity, buyable=buyable),
            buyable=buyable,
            options={option.name: option.label for option in self.selected},
        )


class _Category(BaseModel):
    value: Name
    taxonomy: str = ""


class UcpProduct(BaseModel):
    """A product with some of its variants: what a search or a look at it shows."""

    id: str = Field(pattern=r"^gid://shopify/Product/\d{1,20}$")
    title: Name = Field(min_length=1)
    handle: str | None = Field(default=None, max_length=255)
    description: str = Field(default="", validation_alias=AliasPath("description", "plain"))
    brand: Name = ""
    categories: list[_Category] = Field(default_factory=list[_Category])
    tags: list[Name] = Field(default_factory=list[str])
    options: list[UcpOption] = Field(default_factory=list[UcpOption])
    variants: list[_Variant] = Field(min_length=1, max_length=MOST_VARIANTS)

    @property
    def whole(self) -> bool:
        """Whether no combination of its options can be left that is not among the variants."""
        combinations = 1
        for option in self.options:
            combinations *= max(len(option.labels), 1)
        return len(self.variants) >= combinations

    def in_our_terms(self, domain: str) -> CatalogueProduct | None:
        """Return it as a product of the shop of that name; None when its variants cost different currencies."""
        if len({variant.price.currency for variant in self.variants}) != 1 or not self.title:
            return None
        kinds = [category.value for category in self.categories if category.taxonomy in ("", "merchant")]
        return CatalogueProduct(
            id=self.id,
            title=self.title,
            kind=kinds[0] if kinds else "",
            vendor=self.brand,
            tags=tuple(dict.fromkeys([*self.tags, *(tag for variant in self.variants for tag in variant.tags)])),
            description=without_links(plain_text(self.description, _LONGEST_TEXT)),
            # Never the address that was told: whoever could change it would send customers to a shop of his own.
            url=f"https://{domain}/products/{quote(self.handle, safe='')}" if self.handle else f"https://{domain}",
            currency=self.variants[0].price.currency,
            varying=tuple(option.name for option in self.options if len(option.labels) > 1),
            variants=tuple(variant.in_our_terms() for variant in self.variants),
        )


class _Message(BaseModel):
    code: str = ""


class _Page(BaseModel):
    cursor: str | None = Field(default=None, max_length=2000)
    has_next_page: bool = False


class ProductsAnswer(BaseModel):
    """What ``search_catalog`` and ``lookup_catalog`` say. A product that is not as it must be is left out."""

    raw: list[Any] = Field(default_factory=list[Any], validation_alias="products", max_length=250)
    pagination: _Page = _Page()

    @property
    def products(self) -> tuple[UcpProduct, ...]:
        """The products that can be read."""
        return tuple(_readable(UcpProduct, self.raw))

    @property
    def next_page(self) -> str | None:
        """Where the next page begins; None after the last."""
        return self.pagination.cursor if self.pagination.has_next_page else None


class ProductAnswer(BaseModel):
    """What ``get_product`` says: the product, or why there is none."""

    status: Literal["success", "error"] = Field(default="success", validation_alias=AliasPath("ucp", "status"))
    product: UcpProduct | None = None
    messages: list[_Message] = Field(default_factory=list[_Message])

    @property
    def not_found(self) -> bool:
        """Whether the shop does not know the id."""
        return self.product is None and any(message.code.casefold() == "not_found" for message in self.messages)


def _readable(shape: type[_ShapeT], raw: Iterable[Any]) -> Iterable[_ShapeT]:
    for one in raw:
        try:
            yield shape.model_validate(one)
        except ValidationError:
            continue
