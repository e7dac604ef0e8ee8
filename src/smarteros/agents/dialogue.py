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
    r"^[^a-z0-9]*(?:es |la |el |numero |n° ?|folio |it's |is )*([a-z]{0,4}[-/ ]?\d[\d/-]{1,19})[^a-z0-9]*$"
)
_MOST_WORDS_OF_ELLIPSIS = 7
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


def from_pending(extraction: Extraction, state: DialogueState) -> Understood | None:
    """Read a message as the answer to what the bot asked last, or None when it is not one."""
    plain = _plain(extraction)
    if state.pending == "cart_offer" and state.offered:
        if _NO.match(plain):
            return Understood("thanks_goodbye")
        lines = cart_lines(extraction, state)
        agreed = _is_yes(plain)
        if lines or agreed:
            return Understood("cart_request", lines or _lines(state.offered[:1], extraction))
    if state.pending == "invoice_photo":
        number = extraction.entities.invoice_number or _reference(extraction.folded)
        if number is not None:
            asked: Intent = "return_request" if state.intent == "return_request" else "warranty_inquiry"
            return Understood(asked, invoice_number=number)
    return None


def cart_lines(extraction: Extraction, state: DialogueState) -> tuple[CartLine, ...]:
    """Return the offered products a message chooses by place, colour, size or name; none when it does not choose."""
    plain = _plain(extraction)
    if _ASKING.search(extraction.folded) or not state.offered:
        return ()
    if _ALL.search(plain):
        return _lines(state.offered, extraction)
    if _LAST.search(plain):
        return _lines(state.offered[-1:], extraction)
    for place, pattern in enumerate(_ORDINALS[: len(state.offered)]):
        if pattern.search(plain):
            return _lines(state.offered[place : place + 1], extraction)
    if (_CHOOSING.search(plain) and not _CORRECTING.match(plain.removeprefix("si "))) or _is_mere_name(extraction):
        return _lines(_described(extraction, state.offered), extraction)
    return ()


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
    changes = any(getattr(given, name) is not None for name in _REFINES)
    return state.intent in _SEARCHED and changes and is_ellipsis(extraction)


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
