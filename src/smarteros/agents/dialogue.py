"""What a message means because of what was said before: "sí", "el segundo", "¿y en 43?", a bare invoice number."""

from __future__ import annotations

import re
from dataclasses import dataclass

from smarteros.agents.entities import Extraction
from smarteros.agents.normalise import words_of
from smarteros.agents.wordlists import word_list
from smarteros.domain.decisions import DialogueState, Entities, Intent
from smarteros.domain.tools import Product
from smarteros.kit.text import fold

_AGREEING = word_list("agreeing")
_AGREEMENT = word_list("agreement")
_NO = re.compile(
    r"^(?:no|nop|nope|nah|ño|na)(?: (?:gracias|por ahora|po|thanks|thank you|por el momento|todavia|aun|not now|now|"
    r"quiero|estoy bien|muchas|asi|esta bien|mas|nada|eso|es|todo|solo|miraba|cotizaba|estaba|cotizando|mirando))*$"
    r"|^(?:not now|no thank you|maybe later|otro dia|mas rato|lo voy a pensar|despues|en otra ocasion)\b"
)
_ORDINALS = (
    re.compile(r"\b(?:primer[oa]?|first|(?:opcion|numero|option|number|el|la) (?:1|uno|one))\b|^1$"),
    re.compile(r"\b(?:segund[oa]|second|(?:opcion|numero|option|number|el|la) (?:2|dos|two))\b|^2$"),
    re.compile(r"\b(?:tercer[oa]?|third|(?:opcion|numero|option|number|el|la) (?:3|tres|three))\b|^3$"),
    re.compile(r"\b(?:cuart[oa]|fourth|(?:opcion|numero|option|number|el|la) (?:4|cuatro|four))\b|^4$"),
    re.compile(r"\b(?:quint[oa]|fifth|(?:opcion|numero|option|number|el|la) (?:5|cinco|five))\b|^5$"),
)
_LAST = re.compile(r"\b(?:el|la|the) (?:ultim[oa]|last)\b")
_ALL = re.compile(r"\b(?:los dos|las dos|ambos|ambas|both|all of them|los tres|las tres|todos|todas)\b")
_CHOOSING = re.compile(
    r"\b(?:quiero|llevo|quedo con|prefiero|elijo|dame|deme|el|la|los|las|ese|esa|mejor|the|i'll take|i want|give me|"
    r"agrega(?:me)?|compro|comprar|reserva(?:me)?)\b"
)
_CORRECTING = re.compile(r"^(?:no|nop|pero|y|and|what about|how about|actually|perdon|digo|sorry)\b")
_ASKING = re.compile(r"\?|\b(?:tienen?|tiene|hay|queda|quedan|do you|is there|are there|cuanto|cual|que tal)\b")
_REFERENCE = re.compile(
    r"^[^a-z0-9]*(?:es |la |el |mi |numero |nro |pedido |orden |boleta |n° ?|folio |it's |is |order |number )*"
    r"[#:]* ?([a-z]{0,4}[-/ ]?\d[\d/-]{1,19})[^a-z0-9]*$"
)
_OTHER = re.compile(r"\b(?:la|el|lo|los|las|the) otr[oa]s?\b|\bother one\b")
_THIS_ONE = re.compile(
    r"^(?:quiero |me llevo |dame |si )?(?:es[ae]|est[ae]|lo|la|that one|this one|it)(?: quiero| llevo| mism[oa])?$"
)
_CHEAPER = re.compile(
    r"\b(?:mas (?:barat[oa]s?|economic[oa]s?|car[oa]s?|grandes?|chic[oa]s?|liger[oa]s?)|cheaper|bigger|smaller|"
    r"otr[oa]s? (?:modelos?|colou?r(?:es)?|marcas?|tallas?|opcion(?:es)?)|other (?:models?|colou?rs?|brands?|sizes?))\b"
)
_MOST_WORDS_OF_ELLIPSIS = 7
_MOST_WORDS_OF_DETAIL = 6
_ABOUT_A_DOCUMENT: frozenset[Intent] = frozenset({"warranty_inquiry", "return_request"})
_WAITING_FOR_DETAILS: frozenset[Intent] = frozenset({"human_request", "complaint", "order_status", *_ABOUT_A_DOCUMENT})
_DETAILS = ("rut", "phone", "email")
_SEARCHED: frozenset[Intent] = frozenset({"product_query", "cart_request"})
_REFINES = ("category", "size", "color", "brand", "gender", "price_min", "price_max", "model")


@dataclass(frozen=True)
class CartLine:
    """A product of the last list and how many of it."""

    variant_id: str
    quantity: int


@dataclass(frozen=True)
class Understood:
    """What the dialogue alone makes of a message."""

    intent: Intent
    lines: tuple[CartLine, ...] = ()
    invoice_number: str | None = None
    order_number: str | None = None


def from_pending(extraction: Extraction, state: DialogueState) -> Understood | None:
    """Read a message as the answer to what the bot asked last, or None when it is not one."""
    return _from_offer(extraction, state) or _from_detail(extraction, state)


def _from_offer(extraction: Extraction, state: DialogueState) -> Understood | None:
    """Read a yes, a no or a choice after products were offered, and a changed choice after the cart was made."""
    plain = _plain(extraction)
    if state.pending == "cart_offer":
        if _NO.match(plain):
            return Understood("thanks_goodbye")
        lines = _changed_quantity(extraction, state) or cart_lines(extraction, state)
        if lines or _is_yes(plain) or _THIS_ONE.match(plain):
            return Understood("cart_request", lines or _lines(state.offered[:1], extraction))
        # The list itself may be unknown here (a conversation told by its messages only); that one of it is wanted
        # is understood nevertheless.
        chooses = _chooses_by_place(plain) or (extraction.entities.quantity is not None and not extraction.mentions)
        if not state.offered and chooses and is_ellipsis(extraction) and not _ASKING.search(extraction.folded):
            return Understood("cart_request")
    elif state.intent == "cart_request" and state.cart:
        lines = _changed_quantity(extraction, state) or cart_lines(extraction, state)
        if lines:
            return Understood("cart_request", lines)
    return None


def _from_detail(extraction: Extraction, state: DialogueState) -> Understood | None:
    """Read a bare number or contact detail as what was missing for the matter at hand."""
    about: Intent | None = state.intent
    if state.pending == "invoice_photo":
        about = "return_request" if about == "return_request" else "warranty_inquiry"
    entities = extraction.entities
    reference = _reference(extraction.folded)
    if about in _ABOUT_A_DOCUMENT and (state.pending == "invoice_photo" or reference is not None):
        number = entities.invoice_number or reference
        if number is not None:
            return Understood(about, invoice_number=number)
    if about == "order_status" and reference is not None:
        return Understood(about, order_number=entities.order_number or reference)
    details = any(getattr(entities, name) is not None for name in _DETAILS)
    if about in _WAITING_FOR_DETAILS and details and len(_plain(extraction).split()) <= _MOST_WORDS_OF_DETAIL:
        return Understood(about)
    return None


def cart_lines(extraction: Extraction, state: DialogueState) -> tuple[CartLine, ...]:
    """Return the offered products a message chooses by place, colour, size or name; none when it does not choose."""
    plain = _plain(extraction)
    if _ASKING.search(extraction.folded) or not state.offered:
        return ()
    by_place = _by_place(plain, state)
    if by_place is not None:
        return _lines(by_place, extraction)
    if (_CHOOSING.search(plain) and not _CORRECTING.match(plain.removeprefix("si "))) or _is_mere_name(extraction):
        return _lines(_described(extraction, state.offered), extraction)
    return ()


def _by_place(plain: str, state: DialogueState) -> tuple[Product, ...] | None:
    """Return the products chosen by their place in the list; None when the message names no place."""
    if _ALL.search(plain):
        return state.offered
    if _LAST.search(plain):
        return state.offered[-1:]
    if _OTHER.search(plain):
        return _the_other(state)
    for place, pattern in enumerate(_ORDINALS[: len(state.offered)]):
        if pattern.search(plain):
            return state.offered[place : place + 1]
    return None


def _the_other(state: DialogueState) -> tuple[Product, ...]:
    """Return "the other one" of two offered; of more, nobody can tell which is meant."""
    if len(state.offered) != 2:
        return ()
    spoken_of = state.cart[0] if state.cart else state.offered[0].variant_id
    return tuple(product for product in state.offered if product.variant_id != spoken_of)


def _changed_quantity(extraction: Extraction, state: DialogueState) -> tuple[CartLine, ...]:
    """Read "mejor 2" after a cart, or after a list: the same things (or the first), another number of them."""
    quantity, plain = extraction.entities.quantity, _plain(extraction)
    if quantity is None or extraction.mentions or not is_ellipsis(extraction) or _chooses_by_place(plain):
        return ()
    same = state.cart or tuple(product.variant_id for product in state.offered[:1] if product.variant_id)
    return tuple(CartLine(variant_id, quantity) for variant_id in same)


def _chooses_by_place(plain: str) -> bool:
    return any(pattern.search(plain) for pattern in (*_ORDINALS, _LAST, _ALL, _OTHER))


def any_cart_lines(extraction: Extraction, state: DialogueState) -> tuple[CartLine, ...]:
    """Return the lines of a purchase wish after a list: what it describes, else the only or first product."""
    chosen = cart_lines(extraction, state)
    if chosen or not state.offered or names_another_product(extraction, state.offered):
        return chosen
    if _points_beyond(extraction, state.offered):
        return ()
    return _lines(_described(extraction, state.offered) or state.offered[:1], extraction)


def _points_beyond(extraction: Extraction, offered: tuple[Product, ...]) -> bool:
    """Tell whether a message chooses a place the list does not have: "el segundo" of one product."""
    plain = _plain(extraction)
    return any(pattern.search(plain) for pattern in _ORDINALS[len(offered) :])


def names_another_product(extraction: Extraction, offered: tuple[Product, ...]) -> bool:
    """Tell whether a message names something searchable that none of the offered products is."""
    entities = extraction.entities
    named = entities.category or entities.color or entities.size
    return named is not None and not _described(extraction, offered)


def is_ellipsis(extraction: Extraction) -> bool:
    """Tell whether a message is too short to stand alone, as "¿y a Temuco?"."""
    plain = _plain(extraction)
    return len(plain.split()) <= _MOST_WORDS_OF_ELLIPSIS


def refines_search(extraction: Extraction, state: DialogueState) -> bool:
    """Tell whether a short message only changes what an earlier search named: "¿y en 43?", "no, en azul"."""
    given = extraction.entities
    changes = any(getattr(given, name) is not None for name in _REFINES) or _CHEAPER.search(extraction.folded)
    return state.intent in _SEARCHED and bool(changes) and is_ellipsis(extraction)


def merged(earlier: Entities, now: Entities) -> Entities:
    """Lay what a message names over what was named before; another category forgets the old size and colour."""
    kept = {name: value for name, value in earlier if name in _REFINES and value is not None}
    if now.category is not None and now.category != earlier.category:
        kept = {}
    if now.price_min is not None or now.price_max is not None:
        kept.pop("price_min", None)
        kept.pop("price_max", None)
    return now.model_copy(update={name: value for name, value in kept.items() if getattr(now, name) is None})


def _plain(extraction: Extraction) -> str:
    return " ".join(word for word in words_of(extraction.folded) if word not in "?!")


def _is_yes(plain: str) -> bool:
    words = plain.split()
    return 0 < len(words) <= 6 and _AGREEING.issuperset(words) and not _AGREEMENT.isdisjoint(words)


def _is_mere_name(extraction: Extraction) -> bool:
    """Tell whether the message is nothing but an attribute: "negro", "la azul"."""
    return bool(extraction.mentions) and len(_plain(extraction).split()) <= 2


def _described(extraction: Extraction, offered: tuple[Product, ...]) -> tuple[Product, ...]:
    """Return the product that fits what the message names, when exactly one fits best."""
    fits = [_fit(extraction, product) for product in offered]
    best = max(fits)
    if best <= 0 or fits.count(best) > 1:
        return ()
    return (offered[fits.index(best)],)


def _fit(extraction: Extraction, product: Product) -> int:
    """Count the agreements between message and product; a colour or size that differs excludes."""
    words = set(fold(f"{product.title} {product.variant}").replace("/", " ").split())
    fit = 0
    if extraction.entities.size is not None:
        if extraction.entities.size.casefold() not in words:
            return 0
        fit += 1
    if extraction.entities.color is not None:
        stem = fold(extraction.entities.color).rstrip("aos")
        if not any(word.startswith(stem) for word in words):
            return 0
        fit += 1
    if extraction.entities.amount == product.price:
        fit += 2
    said = {word for word in extraction.folded.split() if len(word) > 3}
    return fit + len(said & words)


def _lines(products: tuple[Product, ...], extraction: Extraction) -> tuple[CartLine, ...]:
    quantity = extraction.entities.quantity or 1
    return tuple(CartLine(product.variant_id, quantity) for product in products if product.variant_id)


def _reference(folded: str) -> str | None:
    found = _REFERENCE.match(folded)
    return found[1].strip().upper() if found else None
