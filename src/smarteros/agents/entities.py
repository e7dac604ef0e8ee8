"""What a message names: products, sizes, colours, prices, numbers, days, places.

Everything is found by own grammars on the folded text; each find knows its place, so that the classifier can read
"zapatillas talla 42" and "poleras talla M" as the same kind of sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from smarteros.agents.days import find_day
from smarteros.agents.gazetteer import Gazetteer, Mention
from smarteros.agents.goods import Goods
from smarteros.agents.money import find_money
from smarteros.agents.normalise import readable
from smarteros.agents.numbers import (
    find_coupon,
    find_email,
    find_invoice_number,
    find_model,
    find_order_number,
    find_phone,
    find_quantity,
    find_rut,
    find_sku,
)
from smarteros.agents.sizes import find_size
from smarteros.agents.wordlists import word_list
from smarteros.domain.decisions import Entities
from smarteros.kit.text import fold

_NEGATED = re.compile(
    r"\b(?:no|ni|sin|not|never|nada de|except|excepto|menos|but|other than|distint[oa]s? (?:a|de|al)|en vez de(?:l)?|"
    r"en lugar de(?:l)?|instead of|rather than|reemplazar)"
    r"(?: (?:sea|sean|son|es|in|en|que|las?|los?|el|the|color|quiero|want|busco|me|gustan?)){0,3} $"
)
_REFUSED_AFTER = re.compile(r"^ no(?=[,.;]| (?:la|el|los|las|una?|mejor)\b|$)")
_RECEIVED = re.compile(
    r"\b(?:mandaron|mandaste|enviaron|enviaste|llego|llegaron|recibi|vino|vinieron|sent me|got|received|trajeron|"
    r"cambiar(?:la|lo)?|cambio|devolver)\b[^,;.]{0,22}$"
)
_WISH_BETWEEN = re.compile(r"\b(?:pedi|queria|quiero|necesito|era|por|encargue|ordered|wanted|want|need|asked)\b")
_WORN_MODEL = re.compile(
    r"^(?:air |jordan|chuck|all star|old skool|stan smith|ultraboost|superstar|gazelle|go walk|suede|\d{3,4}$)"
)
_COUNTED = re.compile(
    r"\b(\d{1,2}|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|una docena|media docena|two|three|four|five|six|ten) "
    r"(?:pares de |unidades de |pairs of |(?:black|white|red|blue|grey|green) )?$"
)
_WEARING = re.compile(
    r"\b(?:par(?:es)?|calzo|tallas?|tallaje|probar(?:me)?|pairs?|sizes?)\b|"
    r"\b(?:pedi|mandaron|llego|llegaron|compre|uso|recibi|ordered|got|wear)(?: el| la| un| una| a)? (?:3[3-9]|4[0-8])\b"
    r"(?! (?:dias|horas|cuotas|lucas|mil|days|unidades|pares))"
)
_WEARS_SIZE = re.compile(r"calza (?:el |la |un )?\d")
_WORN = word_list("worn")
_WORN_BRANDS = word_list("worn_brands")


REFUSED = "refused"
"""Kind of the span of something named that is not wanted."""

Finder = Callable[[str], tuple[str | None, tuple[int, int]] | None]
"""Looks for one kind of thing in a folded text; returns what it is (None: not known for sure) and where it stands."""


@dataclass(frozen=True)
class Span:
    """A find in the folded text; ``kind`` is the name of the entity."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class Extraction:
    """The entities of a message, the folded text they were read from, and where they stand in it.

    ``said`` is the text before it was folded.
    """

    entities: Entities
    folded: str
    spans: tuple[Span, ...]
    mentions: tuple[Mention, ...]
    said: str = ""


class EntityExtractor:
    """Reads entities out of messages."""

    def __init__(self, gazetteer: Gazetteer, goods: Goods | None = None) -> None:
        """``goods`` are those of the shop, where its catalogue is known."""
        self._gazetteer = gazetteer
        self.goods = goods or Goods()

    @property
    def gazetteer(self) -> Gazetteer:
        """The words it knows."""
        return self._gazetteer

    def extract(self, text: str, *, today: date | None = None, about_sizes: bool = False) -> Extraction:
        """Read one message. ``about_sizes``: the talk is of something worn, so a bare "43" is a size."""
        original = " ".join(readable(text).split())
        folded = fold(original)
        values: dict[str, Any] = {}
        spans: list[Span] = []
        rest = self._numbers(folded, today, values, spans)
        # Article and coupon codes are told by their capitals, so they are read in the unfolded text, without what
        # was read already; where folding changed its length the places do not fit and it is read whole.
        fitting = len(original) == len(folded)
        unread = _blank(original, *((span.start, span.end) for span in spans)) if fitting else original
        values.update(sku=find_sku(unread), coupon=find_coupon(unread))
        named = [m for m in self._gazetteer.find(rest) if not _names_a_phone(m, rest, spans)]
        mentions = self._without_things(_wanted(named, rest), rest)
        spans.extend(Span(REFUSED, m.start, m.end) for m in named if m not in mentions)
        for mention in mentions:
            if values.get(mention.kind) is None:
                values[mention.kind] = mention.value
            spans.append(Span(mention.kind, mention.start, mention.end))
        size = find_size(
            _blank(rest, *((m.start, m.end) for m in mentions)),
            wearable=about_sizes or _is_worn(values, rest) or self.goods.are_worn(rest),
        )
        if size is not None:
            values["size"] = size.value
            spans.append(Span("size", size.start, size.end))
            rest = _blank(rest, (size.start, size.end))
        self._quantity(rest, values, spans)
        spans.sort(key=lambda span: span.start)
        return Extraction(Entities(**values), folded, tuple(spans), mentions, original)

    def _without_things(self, mentions: tuple[Mention, ...], text: str) -> tuple[Mention, ...]:
        """Leave out "calza 38", which is no garment, and a colour by whose name the shop sells a thing, said first."""
        mentions = tuple(m for m in mentions if not _WEARS_SIZE.match(text[m.start :]))
        first = next((m for m in mentions if m.kind in ("color", "category")), None)
        if first is None or first.kind != "color" or not self.goods.has_thing(text[first.start : first.end]):
            return mentions
        return tuple(m for m in mentions if m is not first)

    def _numbers(self, folded: str, today: date | None, values: dict[str, Any], spans: list[Span]) -> str:
        """Read what is written with digits, the surest first; what was read is blanked out for the next."""
        rest = folded
        finders: tuple[tuple[str, Finder], ...] = (
            ("email", find_email),
            ("rut", find_rut),
            ("invoice_number", find_invoice_number),
            ("order_number", find_order_number),
            ("phone", find_phone),
            ("date", lambda text: find_day(text, today)),
            ("model", find_model),
        )
        for kind, find in finders:
            found = find(rest)
            if found is not None:
                values[kind], span = found
                spans.append(Span(kind, *span))
                if kind != "model":
                    rest = _blank(rest, span)
        money = find_money(rest)
        values.update(price_min=money.price_min, price_max=money.price_max, amount=money.amount)
        spans.extend(Span("price", *span) for span in money.spans)
        return _blank(rest, *money.spans)

    def _quantity(self, rest: str, values: dict[str, Any], spans: list[Span]) -> None:
        found = find_quantity(rest) or self._counted_products(rest)
        if found is not None:
            values["quantity"], span = found
            spans.append(Span("quantity", *span))

    def _counted_products(self, rest: str) -> tuple[int, tuple[int, int]] | None:
        """Read "3 poleras" and "dos pares": a number directly before a product."""
        for mention in self._gazetteer.find(rest):
            if mention.kind == "category":
                found = _COUNTED.search(rest[: mention.start])
                counted = find_quantity(f"{found[1]} unidades") if found else None
                if found and counted:
                    return counted[0], found.span(1)
        return None


def _wanted(mentions: Sequence[Mention], text: str) -> tuple[Mention, ...]:
    """Leave out what is named to be refused, and a colour received where another one was asked for."""
    kept = [m for m in mentions if not _NEGATED.search(text[: m.start]) and not _REFUSED_AFTER.match(text[m.end :])]
    if sum(mention.kind == "color" for mention in kept) > 1:
        wanted = [m for m in kept if m.kind != "color" or not _was_received(text, m.start)]
        if any(mention.kind == "color" for mention in wanted):
            kept = wanted
    return tuple(kept)


def _names_a_phone(mention: Mention, text: str, spans: list[Span]) -> bool:
    """Tell whether the word only announces a number: "mi celular es 9 8765 4321"."""
    return mention.value == "celulares" and any(
        span.kind == "phone" and not text[mention.end : span.start].strip(" :.,es") and span.start >= mention.end
        for span in spans
    )


def _was_received(text: str, start: int) -> bool:
    said = _RECEIVED.search(text[:start])
    return said is not None and _WISH_BETWEEN.search(text[said.start() : start]) is None


def _is_worn(values: dict[str, Any], text: str) -> bool:
    """Tell whether the talk is of something one wears, so that a bare "42" or "M" is a size."""
    brand = values.get("brand")
    return (
        values.get("category") in _WORN
        or values.get("color") is not None
        or (brand is not None and fold(brand).replace(" ", "-") in _WORN_BRANDS)
        or _WORN_MODEL.match(values.get("model") or "") is not None
        or _WEARING.search(text) is not None
    )


def _blank(text: str, *spans: tuple[int, int]) -> str:
    """Replace spans by a sign no grammar reads, keeping every position."""
    for start, end in spans:
        text = text[:start] + "|" * (end - start) + text[end:]
    return text
