"""What a message means because of what was said before: "sí", "el segundo", "¿y en 43?", a bare invoice number."""

from __future__ import annotations

import re
from dataclasses import dataclass

from smarteros.agents.cart_items import values_named
from smarteros.agents.entities import Extraction
from smarteros.agents.normalise import words_of
from smarteros.agents.wordlists import word_list
from smarteros.domain.carts import CartItem
from smarteros.domain.decisions import Action, DialogueState, Entities, Intent

_AGREEING = word_list("agreeing")
_AGREEMENT = word_list("agreement")
_NO = re.compile(
    r"^(?:no|nop|nope|nah|ño|na)(?: (?:gracias|por ahora|po|thanks|thank you|por el momento|todavia|aun|not now|now|"
    r"quiero|estoy bien|muchas|asi|esta bien|mas|nada|eso|es|todo|solo|miraba|cotizaba|estaba|cotizando|mirando))*$"
    r"|^(?:not now|no thank you|maybe later|otro dia|mas rato|lo voy a pensar|despues|en otra ocasion)\b"
)
_ENOUGH = re.compile(
    r"^(?:(?:no|ya|oka?|okey|listo|bueno|mejor|pucha|entonces) )*"
    r"(?:(?:dejemos|deja)(?:lo|la|los|las)?|quedemos|quedamos|leave it) (?:asi|ahi|en eso|at that|like that)\b"
)
_ORDINALS = (
    re.compile(r"\b(?:primer[oa]?|first|(?:opcion|numero|option|number|el|la) (?:1|uno|one))\b|^1$"),
    re.compile(r"\b(?:se[gj]und[oa]|second|(?:opcion|numero|option|number|el|la) (?:2|dos|two))\b|^2$"),
    re.compile(r"\b(?:tercer[oa]?|third|(?:opcion|numero|option|number|el|la) (?:3|tres|three))\b|^3$"),
    re.compile(r"\b(?:cuart[oa]|fourth|(?:opcion|numero|option|number|el|la) (?:4|cuatro|four))\b|^4$"),
    re.compile(r"\b(?:quint[oa]|fifth|(?:opcion|numero|option|number|el|la) (?:5|cinco|five))\b|^5$"),
)
_LAST = re.compile(r"\b(?:el|la|the) (?:ultim[oa]|last)\b")
_ALL = re.compile(
    r"\b(?:los dos|las dos|ambos|ambas|both|all of them|los tres|las tres|todos|todas|"
    r"(?:de )?cada (?:un[oa]|modelo|color)|(?:one|two) of each)\b"
)
_REFERENCE = re.compile(
    r"^[^a-z0-9]*(?:(?:no|perdon|disculpa|digo|me equivoque|sorry|i mean)[, .]+)*"
    r"(?:es |era |la |el |mi |numero |nro |pedido |orden |boleta |n° ?|folio |it's |is |order |number )*"
    r"[#:]* ?([a-z]{0,4}[-/ ]?\d[\d/-]{1,19})[^a-z0-9]*$"
)
_CHEAPER = re.compile(
    r"\b(?:mas (?:barat[oa]s?|economic[oa]s?|car[oa]s?|grandes?|chic[oa]s?|liger[oa]s?)|cheaper|bigger|smaller|"
    r"otr[oa]s? (?:modelos?|colou?r(?:es)?|marcas?|tallas?|opcion(?:es)?)|other (?:models?|colou?rs?|brands?|sizes?))\b"
)
_NOT_SUCH = re.compile(r"^[^a-z0-9]*(?:pero |but )?(?:que no sean?|not (?:in )?)\b")
_OWNED = re.compile(
    r"\b(?:compr\w+|lleg\w+|recib\w+|boleta|factura|devol\w+|queda\w*|bought|returns?|received|receipt)\b"
)
_MOST_WORDS_OF_ELLIPSIS = 7
_MOST_WORDS_OF_DETAIL = 6
_ABOUT_A_DOCUMENT: frozenset[Intent] = frozenset({"warranty_inquiry", "return_request"})
_WAITING_FOR_DETAILS: frozenset[Intent] = frozenset({"human_request", "complaint", "order_status", *_ABOUT_A_DOCUMENT})
_DETAILS = ("rut", "phone", "email")
_SEARCHED: frozenset[Intent] = frozenset({"product_query", "cart_request"})
_REFINES = ("category", "size", "color", "brand", "gender", "price_min", "price_max", "model")


@dataclass(frozen=True)
class Understood:
    """What the dialogue alone makes of a message. ``keeps`` are entities that are meant beside the number."""

    intent: Intent
    invoice_number: str | None = None
    order_number: str | None = None
    keeps: tuple[str, ...] = ()
    action: Action | None = None


def agrees(extraction: Extraction) -> bool:
    """Tell whether a message is nothing but a yes."""
    return _is_yes(plain_words(extraction))


def declines(extraction: Extraction) -> bool:
    """Tell whether a message is nothing but a no."""
    return _NO.match(plain_words(extraction)) is not None


def from_pending(extraction: Extraction, state: DialogueState) -> Understood | None:
    """Read a message as the answer to what the bot asked last, or None when it is not one."""
    return _from_offer(extraction, state) or _from_detail(extraction, state)


def _from_offer(extraction: Extraction, state: DialogueState) -> Understood | None:
    """Read a no to an offer, and that a cart or a list may stay as it is."""
    refused = state.pending == "cart_offer" and declines(extraction)
    enough = (state.pending == "cart_offer" or state.cart) and _ENOUGH.match(plain_words(extraction))
    return Understood("thanks_goodbye") if refused or enough else None


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
    if about in _WAITING_FOR_DETAILS and details and len(plain_words(extraction).split()) <= _MOST_WORDS_OF_DETAIL:
        return Understood(about)
    return None


def chosen_places(plain: str, count: int) -> tuple[int, ...] | None:
    """Return the places of a list of ``count`` that a message names, from 0; an empty tuple for one it does not have.

    None when it names no place.
    """
    if _ALL.search(plain):
        return tuple(range(count))
    if _LAST.search(plain):
        return (count - 1,)
    named = tuple(place for place, pattern in enumerate(_ORDINALS) if pattern.search(plain))
    return tuple(place for place in named if place < count) if named else None


def is_ellipsis(extraction: Extraction) -> bool:
    """Tell whether a message is too short to stand alone, as "¿y a Temuco?"."""
    plain = plain_words(extraction)
    return len(plain.split()) <= _MOST_WORDS_OF_ELLIPSIS


def refines_search(extraction: Extraction, state: DialogueState) -> bool:
    """Tell whether a short message only changes what an earlier search named: "¿y en 43?", "no, en azul"."""
    given = extraction.entities
    # "En sunburst": what one of the list can be bought in, whatever it is called.
    valued = any(values_named(extraction, CartItem.of(product)) for product in state.offered)
    named = valued or any(getattr(given, name) is not None for name in _REFINES)
    changes = named or _CHEAPER.search(extraction.folded) or _NOT_SUCH.search(extraction.folded)
    # A list stays in mind while something else is asked in between, but then only a name goes back to it.
    return is_ellipsis(extraction) and bool(changes if state.intent in _SEARCHED else named and state.offered)


def changes_offer(extraction: Extraction, state: DialogueState) -> bool:
    """Tell whether "cámbiala por una talla 43" is said of a list just shown: of it nothing was bought that returns."""
    given = extraction.entities
    named = given.size is not None or given.color is not None
    return state.pending == "cart_offer" and named and _OWNED.search(extraction.folded) is None


def merged(earlier: Entities, now: Entities) -> Entities:
    """Lay what a message names over what was named before; another category forgets the old size and colour."""
    kept = {name: value for name, value in earlier if name in _REFINES and value is not None}
    if now.category is not None and now.category != earlier.category:
        kept = {}
    if now.price_min is not None or now.price_max is not None:
        kept.pop("price_min", None)
        kept.pop("price_max", None)
    return now.model_copy(update={name: value for name, value in kept.items() if getattr(now, name) is None})


def goes_on_with(extraction: Extraction, state: DialogueState) -> str:
    """Return the words of the last search if a message goes on with it; nothing when it names a thing of its own.

    Who asks for something cheaper asks for it among all things of the kind, not of the model he was shown.
    """
    own = any(mention.kind == "category" for mention in extraction.mentions)
    given, kind = extraction.entities, state.wanted.category
    dearer = given.price_min is not None or given.price_max is not None or _CHEAPER.search(extraction.folded)
    return "" if own or (dearer and kind is not None) else state.searched_words


def plain_words(extraction: Extraction) -> str:
    """Return the words of a message, folded, shorthand written out, without signs."""
    return " ".join(word for word in words_of(extraction.folded) if word not in "?!")


def _is_yes(plain: str) -> bool:
    words = plain.split()
    return 0 < len(words) <= 6 and _AGREEING.issuperset(words) and not _AGREEMENT.isdisjoint(words)


def _reference(folded: str) -> str | None:
    found = _REFERENCE.match(folded)
    return found[1].strip().upper() if found else None
