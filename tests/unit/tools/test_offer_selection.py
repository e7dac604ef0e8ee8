"""Which products are offered, and in which words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarteros.tools.catalogue import CatalogueProduct, CatalogueVariant, variant_label
from smarteros.tools.inputs import ShopSearchInput
from smarteros.tools.ranking import select
from smarteros.tools.wanted import Wanted, understand


def a_product(
    title: str = "Zapatilla Running", *variants: CatalogueVariant, varying: tuple[str, ...] = ("Talla",), tags: str = ""
) -> CatalogueProduct:
    return CatalogueProduct(
        id=f"gid://shopify/Product/{title}",
        title=title,
        kind="Zapatillas",
        vendor="Andes Run",
        tags=tuple(tags.split()),
        url="https://tienda-demo.myshopify.com/products/x",
        currency="CLP",
        varying=varying,
        variants=variants or (a_variant("42"),),
    )


def a_variant(
    size: str | None, colour: str | None = None, *, stock: int = 3, price: int = 39990, buyable: bool | None = None
) -> CatalogueVariant:
    options = {name: value for name, value in (("Talla", size), ("Color", colour)) if value is not None}
    return CatalogueVariant(
        id=f"gid://shopify/ProductVariant/{size}{colour}",
        price=price,
        stock=stock,
        buyable=stock > 0 if buyable is None else buyable,
        options=options,
    )


def offered(wanted: Wanted, *products: CatalogueProduct) -> list[tuple[str, str]]:
    return [(offer.title, offer.variant) for offer in select(products, wanted, 5).products]


def test_a_product_is_one_row_with_the_variant_that_fits() -> None:
    product = a_product("Zapatilla", a_variant("41"), a_variant("42"), a_variant("43"))
    assert offered(Wanted(size="42"), product) == [("Zapatilla", "Talla 42")]


def test_sold_out_variants_are_not_offered() -> None:
    product = a_product(
        "Zapatilla", a_variant("42", "Azul", stock=0), a_variant("42", "Rojo"), varying=("Talla", "Color")
    )
    assert offered(Wanted(size="42"), product) == [("Zapatilla", "Talla 42 / Rojo")]
    assert offered(Wanted(size="42", colour="azul"), product) == []


def test_what_lies_in_stock_comes_before_what_is_sold_on_order() -> None:
    on_order = a_product("Por encargo", a_variant("42", stock=0, buyable=True))
    assert [title for title, _ in offered(Wanted(), on_order, a_product("En bodega"))] == ["En bodega", "Por encargo"]


def test_a_stock_below_zero_is_told_as_zero() -> None:
    oversold = a_product("Por encargo", a_variant("42", stock=-2, buyable=True))
    assert select([oversold], Wanted(), 5).products[0].stock == 0


def test_the_total_counts_what_is_beyond_the_limit() -> None:
    found = select([a_product(f"Zapatilla {n}") for n in range(7)], Wanted(), 5)
    assert (len(found.products), found.total) == (5, 7)


def test_more_of_the_words_ranks_higher() -> None:
    wanted = understand(ShopSearchInput(query="zapatillas para trekking"))
    plain, trail = a_product("Zapatilla Urbana"), a_product("Zapatilla Cordillera", tags="trail")
    assert offered(wanted, plain, trail)[0][0] == "Zapatilla Cordillera"


def test_the_cheapest_comes_first_when_asked_for() -> None:
    dear, cheap = a_product("Cara", a_variant("42", price=90000)), a_product("Barata", a_variant("42", price=10000))
    assert offered(Wanted(cheapest_first=True), dear, cheap)[0][0] == "Barata"


def test_prices_outside_the_range_are_not_offered() -> None:
    product = a_product("Zapatilla", a_variant("41", price=30000), a_variant("42", price=50000))
    assert offered(Wanted(price_max=40000), product) == [("Zapatilla", "Talla 41")]
    assert offered(Wanted(price_min=40000), product) == [("Zapatilla", "Talla 42")]
    assert offered(Wanted(price_min=60000), product) == []


@pytest.mark.parametrize(
    ("size", "value", "fits"),
    [
        ("42", "42", True),
        ("42", "EU 42", True),
        ("42", "US 9 / EU 42", True),
        ("38", "35-39", True),
        ("42", "35-39", False),
        ("m", "M", True),
        ("m", "S/M", True),
        ("l", "XL", False),
        ("128", "128 GB", True),
        ("128gb", "128 GB", True),
        ("12", "128 GB", False),
        ("42.5", "42,5", True),
        ("m", "Única", True),
        ("4", "42", False),
    ],
)
def test_sizes_are_compared_as_people_write_them(size: str, value: str, fits: bool) -> None:
    assert bool(offered(Wanted(size=size), a_product("Zapatilla", a_variant(value)))) is fits


def test_without_a_colour_option_the_title_tells_the_colour() -> None:
    product = a_product("Zapatilla Azul", a_variant("42"))
    assert offered(Wanted(colour="azul"), product)
    assert not offered(Wanted(colour="rojo"), product)


def test_a_bare_number_is_a_size_or_part_of_the_name() -> None:
    wanted = understand(ShopSearchInput(query="zapatillas 42"))
    assert offered(wanted, a_product("Zapatilla", a_variant("42")))
    assert offered(wanted, a_product("Zapatilla 42 Retro", a_variant("40")))
    assert not offered(wanted, a_product("Zapatilla", a_variant("40")))


def test_a_brand_is_the_vendor_or_in_the_title() -> None:
    assert offered(Wanted(brand="andes run"), a_product())
    assert not offered(Wanted(brand="nike"), a_product())


def test_what_is_made_for_others_is_not_offered_and_what_is_made_for_anybody_is() -> None:
    wanted = understand(ShopSearchInput(query="zapatillas de mujer"))
    assert offered(wanted, a_product("Zapatilla Dama"), a_product("Zapatilla", tags="hombre")) == [
        ("Zapatilla Dama", "Talla 42")
    ]
    assert offered(wanted, a_product("Zapatilla", tags="unisex"))


def test_a_foreign_size_is_met_by_the_size_it_is_here() -> None:
    wanted = understand(ShopSearchInput(query="zapatillas us 9"))
    assert offered(wanted, a_product("Zapatilla", a_variant("41"), a_variant("42"))) == [("Zapatilla", "Talla 42")]
    assert offered(wanted, a_product("Zapatilla", a_variant("US 9"))) == [("Zapatilla", "Talla US 9")]


def test_pesos_say_nothing_about_a_shop_of_another_currency() -> None:
    dollars = a_product("Zapatilla", a_variant("42", price=60)).model_copy(update={"currency": "USD"})
    assert offered(understand(ShopSearchInput(query="zapatillas desde 40 lucas")), dollars)
    assert not offered(understand(ShopSearchInput(query="zapatillas", price_min=70)), dollars)


def test_the_cheapest_is_one_of_the_things_themselves() -> None:
    cream = a_product("Crema", a_variant("42", price=1000)).model_copy(
        update={"kind": "Accesorios", "description": "Para zapatillas"}
    )
    wanted = understand(ShopSearchInput(query="la zapatilla más barata"))
    assert [title for title, _ in offered(wanted, cream, a_product("Zapatilla"))] == ["Zapatilla", "Crema"]


def test_a_colour_is_named_only_when_it_tells_variants_apart() -> None:
    variant = a_variant("42", "Azul")
    assert variant_label(a_product("Z", variant, varying=("Talla",)), variant) == "Talla 42"
    assert variant_label(a_product("Z", variant, varying=("Talla", "Color")), variant) == "Talla 42 / Azul"
    only_colour = a_variant(None, "Negro")
    assert variant_label(a_product("Z", only_colour, varying=()), only_colour) == "Negro"
    plain = a_variant(None).model_copy(update={"options": {"Title": "Default Title"}})
    assert variant_label(a_product("Z", plain, varying=()), plain) == ""


@given(st.lists(st.tuples(st.sampled_from(["40", "41", "42"]), st.integers(-2, 3), st.integers(0, 10**6)), max_size=8))
def test_nothing_is_offered_that_cannot_be_bought(rows: list[tuple[str, int, int]]) -> None:
    variants = [a_variant(size, stock=stock, price=price) for size, stock, price in rows]
    buyable = [variant for variant in variants if variant.buyable and variant.options["Talla"] == "42"]
    found = select([a_product("Z", *variants)] if variants else [], Wanted(size="42"), 5)
    assert found.total == len(found.products) == (1 if buyable else 0)
    if buyable:
        assert found.products[0].price == min(variant.price for variant in buyable)
