"""What a shop sells is asked for by its own words, whatever trade the classifier learnt."""

from __future__ import annotations

import pytest

from smarteros.agents.entities import EntityExtractor
from smarteros.agents.gazetteer import base_gazetteer
from smarteros.agents.goods import Goods
from smarteros.agents.product_questions import about_shown_product
from smarteros.domain.catalogue import CatalogueTitle
from smarteros.domain.decisions import DialogueState
from smarteros.domain.tools import Product
from smarteros.kit.text import fold

SOLD = (
    CatalogueTitle(title="Baquetas 5A Par", kind="Percusión", tags=("palillos", "nogal")),
    CatalogueTitle(title="Flauta Dulce Soprano", kind="Vientos", tags=("colegio",)),
    CatalogueTitle(title="Luz Delantera USB", kind="Luces", tags=("bicicleta",)),
    CatalogueTitle(title="Crema de Cuero", kind="Accesorios", tags=("cuidado", "trabajo")),
)


@pytest.fixture
def goods() -> Goods:
    learnt = Goods()
    for title in SOLD:
        learnt.learn(title)
    return learnt


@pytest.mark.parametrize(
    "text", ["baquetas", "necesito 5 flautas pal colegio", "luces para la bicicleta", "drumsticks?", "una crema porfa"]
)
def test_what_is_sold_is_asked_for(text: str, goods: Goods) -> None:
    assert goods.are_asked_for(fold(text))


@pytest.mark.parametrize(
    "text",
    [
        "¿quién ganó el partido de ayer?",
        "busco trabajo",
        "cuéntame un chiste",
        "con la flauta de mi abuelo toqué ayer una canción preciosa",
        "",
    ],
)
def test_what_is_not_sold_is_not(text: str, goods: Goods) -> None:
    assert not goods.are_asked_for(fold(text))


def test_a_thing_of_the_shop_is_no_colour_when_it_is_named_first(goods: Goods) -> None:
    extractor = EntityExtractor(base_gazetteer(), goods)
    assert extractor.extract("la crema café").entities.color == "café"
    assert extractor.extract("calza 38", about_sizes=True).entities.size == "38"


SEAT = Product(
    id="gid://shopify/Product/1", variant_id="gid://shopify/ProductVariant/1", title="Silla Porta Bebé", variant="",
    price=64990, stock=2, url="https://shop.test/1",
)  # fmt: skip
SHOWN = DialogueState(intent="product_query", offered=(SEAT,), pending="cart_offer")


@pytest.mark.parametrize(
    "text",
    [
        "¿cuántos kilos aguanta?",
        "¿en qué colores viene?",
        "¿es impermeable?",
        "viene armada?",
        "cuánto vale?",
        "is it heavy?",
    ],
)
def test_a_question_about_what_was_shown_looks_it_up(text: str) -> None:
    asked = about_shown_product(EntityExtractor(base_gazetteer()).extract(text), SHOWN)
    assert asked is not None
    assert (asked.tool, asked.params) == ("shopify_get_product", {"product_id": SEAT.id})


@pytest.mark.parametrize("text", ["¿tienen zapatillas?", "¿cuánto sale el envío?", "la quiero", "¿es en azul?", "hola"])
def test_other_words_ask_nothing_about_it(text: str) -> None:
    assert about_shown_product(EntityExtractor(base_gazetteer()).extract(text), SHOWN) is None
