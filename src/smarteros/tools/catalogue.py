"""A shop's products, whatever the shop system, and the choice of what to offer among them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from smarteros.domain.model import Model
from smarteros.domain.tools import Product, ProductList
from smarteros.kit.text import fold
from smarteros.tools.vocabulary import colour_of, resemblance, words_of
from smarteros.tools.wanted import Wanted, normal_size

_COLOUR_OPTIONS = frozenset({"color", "colour", "colores", "tono"})
_SIZE_OPTIONS = frozenset({"talla", "size", "talle", "numero"})
_ONE_SIZE = frozenset({"unica", "tallaunica", "u", "onesize", "estandar"})
_RANGE = re.compile(r"^(\d+(?:\.\d)?)[-/](\d+(?:\.\d)?)$")
_NO_OPTION = "Default Title"  # Shopify's name for the only variant of a product without options


class CatalogueVariant(Model):
    """One sellable variant. ``stock`` is 0 when the shop does not count it; ``buyable`` is the shop's word."""

    id: str
    price: int
    stock: int
    buyable: bool
    options: dict[str, str]


class CatalogueProduct(Model):
    """One published product with its variants. ``varying`` names the options that tell its variants apart."""

    id: str
    title: str
    kind: str = ""
    vendor: str = ""
    tags: tuple[str, ...] = ()
    url: str
    currency: str
    varying: tuple[str, ...] = ()
    variants: tuple[CatalogueVariant, ...] = ()

    @property
    def words(self) -> frozenset[str]:
        """The folded words under which the product may be asked for."""
        return frozenset(words_of(fold(" ".join((self.title, self.kind, self.vendor, *self.tags)))))


def select(products: Iterable[CatalogueProduct], wanted: Wanted, limit: int) -> ProductList:
    """Choose what to offer: one buyable variant per product, what lies in stock first.

    What cannot be bought is never offered. Among equals the order of the shop's search stays.
    """
    offers = [(product, variant) for product in products if (variant := best_variant(product, wanted))]

    def rank(offer: tuple[CatalogueProduct, CatalogueVariant]) -> tuple[bool, int, int]:
        product, variant = offer
        matched = sum(resemblance(term, product.words) for term in wanted.terms)
        return (variant.stock <= 0, -matched, variant.price if wanted.cheapest_first else 0)

    offers.sort(key=rank)
    return ProductList(
        products=tuple(as_offer(product, variant) for product, variant in offers[:limit]), total=len(offers)
    )


def best_variant(product: CatalogueProduct, wanted: Wanted) -> CatalogueVariant | None:
    """Return the buyable variant that fits, one in stock and then the cheapest first; None when none fits."""
    if wanted.brand and wanted.brand not in fold(f"{product.vendor} {product.title}"):
        return None
    fitting = [variant for variant in product.variants if variant.buyable and _fits(product, variant, wanted)]
    return min(fitting, key=lambda variant: (variant.stock <= 0, variant.price), default=None)


def is_about(product: CatalogueProduct, wanted: Wanted) -> bool:
    """Tell whether a product remembered from another search is the thing that is wanted now."""
    return all(resemblance(term, product.words) for term in wanted.terms[:1])


def as_offer(product: CatalogueProduct, variant: CatalogueVariant) -> Product:
    """Return the row that is told to the customer."""
    return Product(
        id=product.id,
        variant_id=variant.id,
        title=product.title,
        variant=variant_label(product, variant),
        price=variant.price,
        currency=product.currency,
        stock=max(variant.stock, 0),
        url=product.url,
    )


def variant_label(product: CatalogueProduct, variant: CatalogueVariant) -> str:
    """Name a variant: ``Talla 42``, and ``Talla 42 / Azul`` when the product also comes in other colours."""
    named = {name: value for name, value in variant.options.items() if value != _NO_OPTION}
    telling = {name: value for name, value in named.items() if name in product.varying or fold(name) in _SIZE_OPTIONS}
    return " / ".join(_option_label(name, value) for name, value in (telling or named).items())


def _option_label(name: str, value: str) -> str:
    is_bare_size = fold(name) in _SIZE_OPTIONS and fold(name) not in fold(value)
    return f"{name} {value}" if is_bare_size else value


def _fits(product: CatalogueProduct, variant: CatalogueVariant, wanted: Wanted) -> bool:
    return (
        (wanted.price_min is None or variant.price >= wanted.price_min)
        and (wanted.price_max is None or variant.price <= wanted.price_max)
        and (wanted.size is None or any(_size_fits(wanted.size, value) for value in _sizes(variant)))
        and (wanted.colour is None or _colour_fits(product, variant, wanted.colour))
        and all(_has_number(product, variant, number) for number in wanted.numbers)
    )


def _sizes(variant: CatalogueVariant) -> list[str]:
    """All values that are not colours: sizes have many names (Talla, Almacenamiento, Potencia...)."""
    return [value for name, value in variant.options.items() if fold(name) not in _COLOUR_OPTIONS]


def _size_fits(size: str, value: str) -> bool:
    offered = normal_size(value)
    if offered == size or offered in _ONE_SIZE or size in {normal_size(part) for part in value.split("/")}:
        return True
    if not re.fullmatch(r"\d+(?:\.\d)?", size):
        return False
    if between := _RANGE.match(offered):
        return float(between[1]) <= float(size) <= float(between[2])
    return re.fullmatch(rf"{re.escape(size)}[a-z]+", offered) is not None


def _colour_fits(product: CatalogueProduct, variant: CatalogueVariant, colour: str) -> bool:
    """Compare with the variant's colour, or with the product's words when it has no such option."""
    values = [value for name, value in variant.options.items() if fold(name) in _COLOUR_OPTIONS]
    words = words_of(" ".join(values)) if values else product.words
    return any((colour_of(word) or fold(word)) == colour for word in words)


def _has_number(product: CatalogueProduct, variant: CatalogueVariant, number: str) -> bool:
    return number in product.words or any(_size_fits(normal_size(number), value) for value in _sizes(variant))
