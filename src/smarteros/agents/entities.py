"""What a message names: products, sizes, colours, prices, numbers, days, places.

Everything is found by own grammars on the folded text; each find knows its place, so that the classifier can read
"zapatillas talla 42" and "poleras talla M" as the same kind of sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from smarteros.agents.days import find_day
from smarteros.agents.gazetteer import Gazetteer, Mention
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
    r"\b(?:no|ni|sin|not|never|nada de|except|excepto|menos)(?: (?:sea|sean|son|es|in|en|que|las?|los?|el)){0,2} $"
)
_WORN = word_list("worn")


Finder = Callable[[str], tuple[str, tuple[int, int]] | None]
"""Looks for one kind of thing in a folded text and returns what it is and where it stands."""


@dataclass(frozen=True)
class Span:
    """A find in the folded text; ``kind`` is the name of the entity."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class Extraction:
    """The entities of a message, the folded text they were read from, and where they stand in it."""

    entities: Entities
    folded: str
    spans: tuple[Span, ...]
    mentions: tuple[Mention, ...]


class EntityExtractor:
    """Reads entities out of messages."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._gazetteer = gazetteer

    def extract(self, text: str, *, today: date | None = None, about_sizes: bool = False) -> Extraction:
        """Read one message. ``about_sizes``: the talk is of something worn, so a bare "43" is a size."""
        original = readable(text)
        folded = fold(original)
        values: dict[str, Any] = {"sku": find_sku(original), "coupon": find_coupon(original)}
        spans: list[Span] = []
        rest = self._numbers(folded, today, values, spans)
        mentions = tuple(m for m in self._gazetteer.find(rest) if not _NEGATED.search(rest[: m.start]))
        for mention in mentions:
            if values.get(mention.kind) is None:
                values[mention.kind] = mention.value
            spans.append(Span(mention.kind, mention.start, mention.end))
        worn = about_sizes or values.get("category") in _WORN or values.get("color") is not None
        size = find_size(_blank(rest, *((m.start, m.end) for m in mentions)), wearable=worn)
        if size is not None:
            values["size"] = size.value
            spans.append(Span("size", size.start, size.end))
            rest = _blank(rest, (size.start, size.end))
        self._quantity(rest, values, spans)
        return Extraction(Entities(**values), folded, tuple(sorted(spans, key=lambda span: span.start)), mentions)

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
                found = re.search(r"\b(\d{1,2}|dos|tres|cuatro|cinco|two|three|four) $", rest[: mention.start])
                counted = find_quantity(f"{found[1]} unidades") if found else None
                if found and counted:
                    return counted[0], found.span(1)
        return None


def _blank(text: str, *spans: tuple[int, int]) -> str:
    """Replace spans by a sign no grammar reads, keeping every position."""
    for start, end in spans:
        text = text[:start] + "|" * (end - start) + text[end:]
    return text
