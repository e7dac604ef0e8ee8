"""A shop's products, whatever the shop system: which variant of one fits what is wanted, and how it is called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from smarteros.domain.model import Model
from smarteros.domain.tools import Amount, Product
from smarteros.kit.text import fold
from smarteros.tools.vocabulary import colour_of, gender_of, in_usual_words, size_names, words_of
from smarteros.tools.wanted import CAPACITY, Wanted, normal_size

COLOUR_OPTIONS = frozenset({"color", "colour", "colores", "tono"})
_SIZE_OPTIONS = frozenset({"talla", "size", "talle", "numero"})
ONE_SIZE = frozenset({"unica", "tallaunica", "u", "onesize", "estandar"})
SIZE_RANGE = re.compile(r"^(\d+(?:\.\d)?)[-/](\d+(?:\.\d)?)(?:meses|anos|m|a)?$")
"""``35-38``, and the ages of small children: ``3-6 meses``."""
_THOUSANDS = re.compile(r"(?<=\d)\.(?=\d{3}(?!\d))")
_MOST_VALUES = 60  # told of one option
_NO_OPTION = "Default Title"  # Shopify's name for the only variant of a product without options


class CatalogueVariant(Model):
    """One sellable variant. ``buyable`` is the shop's word; ``stock`` is None when it can be bought, uncounted."""

    id: str
    price: Amount
    stock: int | None
    buyable: bool
    options: dict[str, str]

    @property
    def in_stock(self) -> bool:
        """Whether it can be had at once: what is sold without being counted can."""
        return self.buyable and (self.stock is None or self.stock > 0)

    @property
    def told_stock(self) -> int | None:
        """The stock as customers hear it: what was sold beyond it is not below zero."""
        return None if self.stock is None else max(self.stock, 0)


def _named_by(name: str) -> frozenset[str]:
    plain = fold(name)
    return frozenset((*words_of(plain), *words_of(in_usual_words(plain))))


def known_stock(counted: int | None, *, buyable: bool) -> int | None:
    """Return the stock of a variant of which the shop ``counted`` so many, or tells no number (None)."""
    return 0 if counted is None and not buyable else counted


class CatalogueProduct(Model):
    """One published product with its variants. ``varying`` names the options that tell its variants apart."""

    id: str
    title: str
    kind: str = ""
    vendor: str = ""
    tags: tuple[str, ...] = ()
    description: str = ""
    url: str
    currency: str
    varying: tuple[str, ...] = ()
    variants: tuple[CatalogueVariant, ...] = ()

    @cached_property
    def title_words(self) -> frozenset[str]:
        """The folded words of its title, and those customers more often say for them."""
        return _named_by(self.title)

    @cached_property
    def head(self) -> frozenset[str]:
        """The folded first word of its title, which in Spanish says what it is."""
        return frozenset(words_of(fold(self.title))[:1])

    @cached_property
    def name_words(self) -> frozenset[str]:
        """The folded words of its title and kind."""
        return self.title_words | _named_by(self.kind)

    @cached_property
    def mark_words(self) -> frozenset[str]:
        """The folded words of its maker and tags."""
        return frozenset(words_of(fold(" ".join((self.vendor, *self.tags)))))

    @cached_property
    def text_words(self) -> frozenset[str]:
        """The folded words of its description; numbers without their dots (20.000 mAh)."""
        return frozenset(words_of(_THOUSANDS.sub("", fold(self.description))))

    @cached_property
    def capacities(self) -> tuple[str, ...]:
        """What its title says of its size, as sizes are compared (``16gb``); none when its variants differ in one."""
        if any(CAPACITY.search(fold(value)) for variant in self.variants for value in variant.options.values()):
            return ()
        return tuple(normal_size(found[0]) for found in CAPACITY.finditer(in_usual_words(fold(self.title))))

    @property
    def words(self) -> frozenset[str]:
        """The folded words under which the product may be asked for."""
        return self.name_words | self.mark_words

    @cached_property
    def genders(self) -> frozenset[str]:
        """For whom it is made; empty when for anybody."""
        return frozenset(gender for word in self.words if (gender := gender_of(word)))


def best_variant(product: CatalogueProduct, wanted: Wanted) -> CatalogueVariant | None:
    """Return the buyable variant that fits: in stock, of the best size, the cheapest first; None when none fits."""
    if wanted.brand and wanted.brand not in fold(f"{product.vendor} {product.title}"):
        return None
    if wanted.gender and product.genders and wanted.gender not in product.genders:
        return None
    fitting = [
        (not variant.in_stock, size, variant.price, variant)
        for variant in product.variants
        if variant.buyable and (size := _fit(product, variant, wanted)) is not None
    ]
    return min(fitting, key=lambda found: found[:3])[3] if fitting else None


def fitting_label(product: CatalogueProduct, option: str, labels: Sequence[str], wanted: Wanted) -> str | None:
    """Return the value of an option that fits what is wanted, the best one; None when none does or any would."""
    variants = {
        label: CatalogueVariant(id="", price=0, stock=None, buyable=True, options={option: label}) for label in labels
    }
    if fold(option) in COLOUR_OPTIONS:
        colour = wanted.colour
        fits = (label for label in labels if colour is not None and _colour_fits(product, variants[label], colour))
        return next(fits, None)
    sizes = (*wanted.sizes, *map(normal_size, wanted.numbers))
    return next((label for size in sizes for label in labels if _size_fits(size, label)), None)


def as_offer(product: CatalogueProduct, variant: CatalogueVariant) -> Product:
    """Return the row that is told to the customer."""
    return Product(
        id=product.id,
        variant_id=variant.id,
        title=product.title,
        variant=variant_label(product, variant),
        price=variant.price,
        currency=product.currency,
        stock=variant.told_stock,
        url=product.url,
        options=_choices(product),
    )


def _choices(product: CatalogueProduct) -> dict[str, tuple[str, ...]]:
    """Return the values of each option that tells variants apart, as far as one of them can be bought.

    Of a product read with one variant only, as for a cart, nobody knows in what else it comes.
    """
    if len(product.variants) < 2:
        return {}
    sold = [variant.options for variant in product.variants if variant.in_stock]
    values = {
        name: tuple(dict.fromkeys(options[name] for options in sold if name in options)) for name in product.varying
    }
    return {name: offered[:_MOST_VALUES] for name, offered in values.items() if offered}


def variant_label(product: CatalogueProduct, variant: CatalogueVariant) -> str:
    """Name a variant: ``Talla 42``, and ``Talla 42 / Azul`` when the product also comes in other colours."""
    named = {name: value for name, value in variant.options.items() if value != _NO_OPTION}
    telling = {name: value for name, value in named.items() if name in product.varying or fold(name) in _SIZE_OPTIONS}
    return " / ".join(_option_label(name, value) for name, value in (telling or named).items())


def _option_label(name: str, value: str) -> str:
    is_bare_size = fold(name) in _SIZE_OPTIONS and fold(name) not in fold(value)
    return f"{name} {value}" if is_bare_size else value


def _fit(product: CatalogueProduct, variant: CatalogueVariant, wanted: Wanted) -> int | None:
    """Tell which of the wanted sizes a variant is (0 the best one, or none wanted); None when it does not fit."""
    fits = (
        _price_fits(variant.price, product.currency, wanted)
        and (wanted.colour is None or _colour_fits(product, variant, wanted.colour))
        and all(_has_number(product, variant, number) for number in wanted.numbers)
    )
    if not fits:
        return None
    offered = [*sizes_of(variant), *product.capacities]
    near = (at for at, size in enumerate(wanted.sizes) if any(_size_fits(size, value) for value in offered))
    return next(near, None if wanted.sizes else 0)


def _price_fits(price: Amount, currency: str, wanted: Wanted) -> bool:
    """Compare with the wanted prices; pesos say nothing about a shop that sells in another currency."""
    if wanted.pesos and currency != "CLP":
        return True
    return (wanted.price_min is None or price >= wanted.price_min) and (
        wanted.price_max is None or price <= wanted.price_max
    )


def sizes_of(variant: CatalogueVariant) -> list[str]:
    """Return all values that are not colours: sizes have many names (Talla, Almacenamiento, Potencia...)."""
    return [value for name, value in variant.options.items() if fold(name) not in COLOUR_OPTIONS]


def _size_fits(size: str, value: str) -> bool:
    offered = normal_size(value)
    if offered in size_names(size) or offered in ONE_SIZE or size in {normal_size(part) for part in value.split("/")}:
        return True
    if not re.fullmatch(r"\d+(?:\.\d)?", size):
        return False
    if between := SIZE_RANGE.match(offered):
        return float(between[1]) <= float(size) <= float(between[2])
    return re.fullmatch(rf"{re.escape(size)}[a-z]+", offered) is not None


def _colour_fits(product: CatalogueProduct, variant: CatalogueVariant, colour: str) -> bool:
    """Compare with the variant's colour, or with the product's words when it has no such option."""
    values = [value for name, value in variant.options.items() if fold(name) in COLOUR_OPTIONS]
    words = words_of(" ".join(values)) if values else product.words
    return any((colour_of(word) or fold(word)) == colour for word in words)


def _has_number(product: CatalogueProduct, variant: CatalogueVariant, number: str) -> bool:
    return number in product.words | product.text_words or any(
        _size_fits(normal_size(number), value) for value in sizes_of(variant)
    )
