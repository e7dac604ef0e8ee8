"""What messages do to the cart, turn after turn: nothing is bought that was not named, and doubt is asked about.

Only the grammar of the dialogue is at work here, so no agent is trained.
"""

from __future__ import annotations

import pytest

from smarteros.agents.basket import CartTalk, Line, bought, cart_talk
from smarteros.agents.entities import EntityExtractor
from smarteros.agents.gazetteer import base_gazetteer
from smarteros.domain.carts import CartItem, CartWish
from smarteros.domain.decisions import DialogueState
from smarteros.domain.tools import Product

EXTRACTOR = EntityExtractor(base_gazetteer())


def product(number: int, title: str, variant: str, price: int) -> Product:
    return Product(
        id=f"gid://shopify/Product/{number}",
        variant_id=f"gid://shopify/ProductVariant/{number}0",
        title=title,
        variant=variant,
        price=price,
        stock=5,
        url=f"https://shop.test/{number}",
    )


BLUE = product(1, "Zapatilla Running Azul", "Talla 42", 39990)
BLACK = product(2, "Zapatilla Training Negro", "Talla 42", 34990)
WHITE = product(3, "Zapatilla Urbana Lastarria", "Talla 38 / Blanco", 44990)
SOCKS = product(4, "Calcetines Pack 3", "Blanco", 7990).model_copy(update={"options": {"Color": ("Blanco", "Negro")}})
BOOTS = product(5, "Bota de Lluvia Chiloé", "Talla 36 / Amarillo", 32990).model_copy(
    update={"options": {"Talla": ("36", "37", "38"), "Color": ("Amarillo", "Verde")}}
)
VIOLIN = product(6, "Violín Estudio Ciprés", "4/4", 94990).model_copy(
    update={"options": {"Tamaño": ("4/4", "3/4", "1/2")}}
)
LISTED = DialogueState(intent="product_query", offered=(BLUE, BLACK), pending="cart_offer")


def item(of: Product, quantity: int = 1) -> CartItem:
    return CartItem.of(of, quantity)


def with_cart(*items: CartItem, **changes: object) -> DialogueState:
    cart = {"intent": "cart_request", "pending": None, "cart": items, "spoken_of": items[-1].variant_id}
    return LISTED.model_copy(update={**cart, **changes})


def heard(text: str, state: DialogueState) -> CartTalk | None:
    return cart_talk(EXTRACTOR.extract(text, about_sizes=True), state)


def cart_after(text: str, state: DialogueState) -> list[tuple[str, int]]:
    talk = heard(text, state)
    assert talk is not None, text
    assert not talk.wish.between, talk.wish
    return [(line.item.title.split()[-1], line.item.quantity) for line in talk.lines]


@pytest.mark.parametrize(
    ("text", "cart"),
    [
        ("el segundo", [("Negro", 1)]),
        ("me llevo la negra", [("Negro", 1)]),
        ("quiero 2 azules y 1 negra", [("Azul", 2), ("Negro", 1)]),
        ("la más barata", [("Negro", 1)]),
        ("no quiero la azul, quiero la negra", [("Negro", 1)]),
        ("quiero la de running", [("Azul", 1)]),
        ("dame dos pares del negro", [("Negro", 2)]),
        ("las dos", [("Azul", 1), ("Negro", 1)]),
        ("¿me agregas la azul?", [("Azul", 1)]),
        ("I'll take the black one", [("Negro", 1)]),
        ("the second one please", [("Negro", 1)]),
    ],
)
def test_what_a_message_names_of_the_list_is_put_into_the_cart(text: str, cart: list[tuple[str, int]]) -> None:
    assert cart_after(text, LISTED) == cart


@pytest.mark.parametrize(
    ("text", "cart"),
    [
        ("agrega otro", [("Azul", 2)]),
        ("uno más porfa", [("Azul", 2)]),
        ("add another one", [("Azul", 2)]),
        ("agrega también la negra", [("Azul", 1), ("Negro", 1)]),
        ("quiero el segundo también", [("Azul", 1), ("Negro", 1)]),
        ("mejor el negro", [("Negro", 1)]),
        ("cámbialo por el negro", [("Negro", 1)]),
        ("cambia el azul por el negro", [("Negro", 1)]),
        ("I'd rather have the black one", [("Negro", 1)]),
        ("mejor 3", [("Azul", 3)]),
        ("que sean dos pares", [("Azul", 2)]),
        ("make it 3", [("Azul", 3)]),
        ("quítalo", []),
        ("remove it", []),
        ("vacía el carrito", []),
        ("ya no lo quiero", []),
        ("¿cuánto es en total?", [("Azul", 1)]),
        ("mándame el link", [("Azul", 1)]),
        ("qué llevo en el carrito", [("Azul", 1)]),
        ("send me the link", [("Azul", 1)]),
    ],
)
def test_a_cart_is_changed_shown_and_emptied(text: str, cart: list[tuple[str, int]]) -> None:
    assert cart_after(text, with_cart(item(BLUE))) == cart


@pytest.mark.parametrize(
    ("text", "cart"),
    [
        ("saca el negro", [("Azul", 1)]),
        ("quita el primero", [("Negro", 2)]),
        ("quítalo", [("Azul", 1)]),
        ("quita uno", [("Azul", 1), ("Negro", 1)]),
        ("agrega otro", [("Azul", 1), ("Negro", 3)]),
        ("empty the cart", []),
        ("deja solo la azul", [("Azul", 1)]),
        ("remove the blue one", [("Negro", 2)]),
        ("que sean 3 de la azul", [("Azul", 3), ("Negro", 2)]),
        ("un par más de la azul", [("Azul", 2), ("Negro", 2)]),
        ("solo una de la negra", [("Azul", 1), ("Negro", 1)]),
    ],
)
def test_of_several_things_the_one_named_or_spoken_of_last_is_meant(text: str, cart: list[tuple[str, int]]) -> None:
    assert cart_after(text, with_cart(item(BLUE), item(BLACK, 2))) == cart


def test_a_yes_takes_the_first_of_the_list_and_says_that_it_was_a_guess() -> None:
    talk = heard("sí, dale", LISTED)
    assert talk is not None
    assert ([line.item for line in talk.lines], talk.wish.guessed) == ([item(BLUE)], True)


def test_what_was_guessed_is_replaced_by_what_is_then_named() -> None:
    assert cart_after("el negro", with_cart(item(BLUE), guessed=True)) == [("Negro", 1)]
    assert cart_after("el negro", with_cart(item(BLUE))) == [("Azul", 1), ("Negro", 1)]


@pytest.mark.parametrize(("text", "act"), [("quiero la zapatilla", "add"), ("agrega una zapatilla", "add")])
def test_what_fits_several_things_is_asked(text: str, act: str) -> None:
    talk = heard(text, LISTED)
    assert talk is not None
    assert (talk.wish.act, talk.wish.between, talk.actions()) == (act, (item(BLUE), item(BLACK)), ())


def test_the_answer_to_the_question_is_done_with_the_number_asked_before() -> None:
    asked = LISTED.model_copy(
        update={"asked": CartWish(act="add", quantity=2, between=(item(BLUE), item(BLACK))), "pending": None}
    )
    assert cart_after("la negra", asked) == [("Negro", 2)]


def test_quitting_one_of_several_without_a_word_which_is_asked() -> None:
    talk = heard("quítalo", with_cart(item(BLUE), item(BLACK), spoken_of=None))
    assert talk is not None
    assert (talk.wish.act, len(talk.wish.between)) == ("remove", 2)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("dos pares del negro en 41", Line(item(BLACK, 2), size="41")),
        ("quiero la azul talla 43", Line(item(BLUE), size="43")),
    ],
)
def test_another_size_of_something_listed_is_looked_up_first(text: str, line: Line) -> None:
    talk = heard(text, LISTED)
    assert talk is not None
    assert talk.lines == (line,)
    assert [action.tool for action in talk.actions()] == ["shopify_get_product", "shopify_create_cart"]


def test_another_size_of_what_is_in_the_cart_takes_its_place() -> None:
    talk = heard("mejor en 43", with_cart(item(BLUE, 2)))
    assert talk is not None
    assert talk.lines == (Line(item(BLUE, 2), size="43", like=BLUE.variant_id),)


def test_prices_told_go_with_the_lines_so_that_a_change_can_be_told() -> None:
    talk = heard("¿cuánto es en total?", with_cart(item(BLUE, 2)))
    assert talk is not None
    (action,) = talk.actions()
    assert action.params["lines"] == [{"variant_id": BLUE.variant_id, "quantity": 2, "seen_price": "39990"}]


@pytest.mark.parametrize(
    "text",
    [
        "¿y envío?",
        "¿hacen despacho a Temuco?",
        "¿cuánto es el total del envío?",
        "¿cuál es el horario?",
        "¿tienen en verde?",
        "Busco zapatillas talla 42",
        "quiero zapatillas talla 43",
        "necesito zapatillas rojas",
        "quiero hablar con una persona",
        "¿cómo puedo pagar?",
        "quiero devolver unas zapatillas que compré el mes pasado porque se despegaron enteras al primer uso",
    ],
)
def test_other_matters_are_none_of_the_carts(text: str) -> None:
    assert heard(text, with_cart(item(BLUE))) is None


def test_without_a_list_and_a_cart_nothing_is_about_a_cart() -> None:
    assert heard("sí, dale", DialogueState()) is None


def test_a_wish_to_buy_that_names_nothing_buys_the_only_product_and_asks_of_several() -> None:
    words = EXTRACTOR.extract("quiero comprar")
    only = bought(words, LISTED.model_copy(update={"offered": (BLUE,)}))
    several = bought(words, LISTED)
    assert only is not None
    assert several is not None
    assert [line.item for line in only.lines] == [item(BLUE)]
    assert (several.lines, several.wish.between) == ((), (item(BLUE), item(BLACK)))


def test_a_place_the_list_does_not_have_buys_nothing() -> None:
    words = EXTRACTOR.extract("quiero la cuarta")
    assert heard("quiero la cuarta", LISTED) is None
    assert bought(words, LISTED) is None


def test_a_cart_of_an_earlier_version_is_forgotten() -> None:
    assert DialogueState.model_validate({"cart": ["gid://shopify/ProductVariant/10"]}).cart == ()


@pytest.mark.parametrize(
    "text", ["agrégala", "sí la quiero", "sabes qué, sí la quiero", "sí, ese también", "link de pago porfa", "add it"]
)
def test_it_is_the_only_product_of_the_list(text: str) -> None:
    assert cart_after(text, LISTED.model_copy(update={"offered": (BLACK,)})) == [("Negro", 1)]


@pytest.mark.parametrize("text", ["¿total?", "¿cuánto es?", "¿cuánto es ahora?", "dale, link", "link porfa", "link"])
def test_a_word_is_enough_to_ask_for_the_total_or_the_link(text: str) -> None:
    talk = heard(text, with_cart(item(BLUE)))
    assert talk is not None
    assert talk.wish.act == "show"


@pytest.mark.parametrize("text", ["quítala", "¿cuánto llevo?", "what's my total?"])
def test_a_cart_that_is_not_there_is_empty(text: str) -> None:
    assert cart_after(text, LISTED) == []


@pytest.mark.parametrize("text", ["dos pares en 41", "mejor dos pares en 41"])
def test_pieces_in_another_size_are_of_what_was_just_put_into_the_cart(text: str) -> None:
    talk = heard(text, with_cart(item(WHITE)))
    assert talk is not None
    ((line,), wish) = (talk.lines, talk.wish)
    assert (wish.act, line.item.title, line.item.quantity, line.size) == ("swap", WHITE.title, 2, "41")


def test_a_number_is_enough_to_change_how_many() -> None:
    assert cart_after("actually make it two", with_cart(item(BLUE))) == [("Azul", 2)]


def test_a_yes_takes_as_many_as_were_asked_for() -> None:
    asked = EXTRACTOR.extract("quiero dos pares de la Training Negro en 42", about_sizes=True).entities
    assert cart_after("sí", LISTED.model_copy(update={"offered": (BLACK,), "searched": asked})) == [("Negro", 2)]


def test_i_take_it_is_said_of_the_cart_when_no_list_was_shown_since() -> None:
    talk = bought(EXTRACTOR.extract("ya lo llevo", about_sizes=True), with_cart(item(BLUE)))
    assert talk is not None
    assert talk.wish.act == "show"


def shown(*products: Product, **changes: object) -> DialogueState:
    """The state after these products were listed to somebody who named no size."""
    return LISTED.model_copy(update={"offered": products, **changes})


@pytest.mark.parametrize("text", ["sí", "me llevo esa", "esa me gusta", "la quiero"])
def test_a_size_that_nobody_named_is_asked_for(text: str) -> None:
    talk = heard(text, shown(BOOTS))
    assert talk is not None
    assert (talk.wish.missing, talk.wish.between, talk.actions()) == ("Talla", (item(BOOTS),), ())


@pytest.mark.parametrize(("text", "values"), [("la 37", ("37",)), ("37 verde porfa", ("37", "Verde"))])
def test_the_size_that_was_asked_for_is_put_into_the_cart(text: str, values: tuple[str, ...]) -> None:
    wish = CartWish(act="add", quantity=2, between=(item(BOOTS),), missing="Talla")
    talk = heard(text, shown(BOOTS, asked=wish, pending=None))
    assert talk is not None
    ((line,), first) = (talk.lines, talk.actions()[0])
    assert (line.item.title, line.item.quantity, line.values) == (BOOTS.title, 2, values)
    assert first.tool == "shopify_get_product"


def test_a_size_named_in_the_search_is_not_asked_for_again() -> None:
    searched = EXTRACTOR.extract("botas de lluvia talla 36").entities
    assert cart_after("me llevo esa", shown(BOOTS, searched=searched)) == [("Chiloé", 1)]


def test_a_colour_that_is_not_the_one_shown_is_looked_up() -> None:
    talk = heard("dame 2 packs negros", shown(SOCKS))
    assert talk is not None
    assert [(line.item.quantity, line.values) for line in talk.lines] == [(2, ("Negro",))]


def test_sizes_are_no_numbers_of_pieces() -> None:
    assert cart_after("talla 36 amarilla", shown(BOOTS)) == [("Chiloé", 1)]


def test_several_values_of_one_thing_are_several_lines() -> None:
    talk = heard("agrega dos 36 y una 38", shown(BOOTS))
    assert talk is not None
    assert [(line.item.quantity, line.values) for line in talk.lines] == [(2, ("36",)), (1, ("38",))]


def test_a_fraction_is_no_place_in_the_list() -> None:
    talk = heard("la 3/4", shown(VIOLIN))
    assert talk is not None
    assert [line.values for line in talk.lines] == [("3/4",)]


def test_one_size_in_the_cart_is_exchanged_for_another() -> None:
    small, large = item(BOOTS, 2), item(BOOTS).model_copy(update={"variant_id": "x", "variant": "Talla 38 / Amarillo"})
    talk = heard("cambia las del 36 por 37", with_cart(small, large))
    assert talk is not None
    assert [(line.item.quantity, line.values) for line in talk.lines] == [(2, ("37",)), (1, ())]


def test_what_is_named_besides_is_not_taken_for_what_is_on_the_list() -> None:
    assert heard("agrega una calza talla 38", shown(BOOTS)) is None


@pytest.mark.parametrize(
    ("text", "pieces"), [("ponle 2", 2), ("agrega 2", 3), ("una nomás", 1), ("mejor que sean 3", 3)]
)
def test_pieces_are_added_or_counted_anew(text: str, pieces: int) -> None:
    assert cart_after(text, with_cart(item(BLUE))) == [("Azul", pieces)]


@pytest.mark.parametrize(
    "text", ["pagar", "ya pago", "¿cuánto sale todo?", "cuanto suman", "¿cuánto me sale?", "ok pay"]
)
def test_who_wants_to_pay_or_to_know_what_all_costs_is_shown_the_cart(text: str) -> None:
    talk = heard(text, with_cart(item(BLUE)))
    assert talk is not None
    assert talk.wish.act == "show"
