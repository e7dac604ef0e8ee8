"""The words of one shop's own catalogue: what it sells that the shared word list does not know.

Titles come from the products a shop's tools have returned (``TitleSource``) and from the lists shown in the
conversation. Where a shop sells a "Casco Urbano Rojo", its customers may speak of a "casco", also mistyped; makers'
names are brands. Nothing is learnt from what customers write, and each tenant's words serve that tenant alone.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from smarteros.agents.entities import EntityExtractor
from smarteros.agents.gazetteer import Entry, Gazetteer
from smarteros.agents.goods import Goods
from smarteros.agents.wordlists import word_list
from smarteros.domain.catalogue import CatalogueTitle
from smarteros.domain.errors import TransientError
from smarteros.domain.tenants import TenantScope
from smarteros.domain.tools import Product
from smarteros.kit.text import fold

MOST_TENANTS = 200
MOST_WORDS = 400
"""Words kept of one tenant; a catalogue has a few dozen kinds of things, the rest would be noise."""

MOST_TITLES = 5_000
"""Titles remembered of one tenant as already learnt from."""

_REFRESH_S = 600.0
_LEAST_LETTERS = 3
_WORD = re.compile(r"[^\W\d_]+")
_NOT_A_THING = word_list("carriers_es") | word_list("carriers_en") | word_list("title_words")


class TitleSource(Protocol):
    """Tells what a shop sells, as far as its tools have seen it."""

    def titles(self, scope: TenantScope) -> Iterable[CatalogueTitle]:
        """Return the titles known of a tenant, the newest first. TransientError when they cannot be read now."""
        ...


@dataclass
class _Known:
    """What is known of one tenant."""

    entries: OrderedDict[str, Entry] = field(default_factory=OrderedDict[str, Entry])
    goods: Goods = field(default_factory=Goods)
    seen: set[str] = field(default_factory=set[str])
    read_at: float | None = None
    extractor: EntityExtractor | None = None
    base: EntityExtractor | None = None


class CatalogueWords:
    """Extractors that also know the tenant's catalogue; bounded, and shared by all threads."""

    def __init__(
        self,
        source: TitleSource | None = None,
        *,
        refresh_s: float = _REFRESH_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``source`` is read again after ``refresh_s``; without one only lists shown to customers teach words."""
        self._source = source
        self._refresh_s = refresh_s
        self._monotonic = monotonic
        self._tenants: OrderedDict[str, _Known] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Number of tenants whose words are held."""
        with self._lock:
            return len(self._tenants)

    def extractor(self, scope: TenantScope, base: EntityExtractor, offered: Iterable[Product] = ()) -> EntityExtractor:
        """Return the extractor for a tenant's messages: ``base``, unless its catalogue has words of its own."""
        titles = [CatalogueTitle(title=product.title) for product in offered]
        with self._lock:
            known = self._tenants.setdefault(scope.tenant_id, _Known())
            self._tenants.move_to_end(scope.tenant_id)
            while len(self._tenants) > MOST_TENANTS:
                self._tenants.popitem(last=False)
            due = self._source is not None and (
                known.read_at is None or self._monotonic() - known.read_at >= self._refresh_s
            )
            if due:
                known.read_at = self._monotonic()
        if due:
            titles += self._read(scope)
        with self._lock:
            if len(known.seen) > MOST_TITLES:
                known.seen.clear()
            if _learn(known, titles, base.gazetteer) or known.base is not base:
                known.base = base
                words = base.gazetteer.extended(known.entries) if known.entries else base.gazetteer
                known.extractor = EntityExtractor(words, known.goods) if known.seen else base
            return known.extractor or base

    def _read(self, scope: TenantScope) -> list[CatalogueTitle]:
        try:
            return list(self._source.titles(scope)) if self._source is not None else []
        except TransientError:
            return []  # the words of the last reading stay


def _learn(known: _Known, titles: Iterable[CatalogueTitle], base: Gazetteer) -> bool:
    """Add the words of new titles; tells whether there were any."""
    before = len(known.entries) + len(known.goods.words)
    for title in titles:
        key = fold(f"{title.brand} {title.kind} {title.title}")
        if key in known.seen:
            continue
        known.seen.add(key)
        known.goods.learn(title)
        if len(known.entries) >= MOST_WORDS:
            continue
        brand = fold(title.brand)
        if len(brand) >= _LEAST_LETTERS and not base.knows(brand):
            known.entries.setdefault(brand, Entry("brand", title.brand.strip()))
        for thing in {_thing(title.kind), _thing(title.title)}:
            spellings = (thing, _plural(thing), _singular(thing)) if thing else ()
            # Only what is known by its own spelling: a "casco" is no mistyped Casio.
            if thing is not None and thing != brand and not any(base.knows(spelling) for spelling in spellings):
                plural = _plural(thing)
                for spelling in spellings:
                    known.entries.setdefault(spelling, Entry("category", plural))
    return len(known.entries) + len(known.goods.words) > before


def _thing(title: str) -> str | None:
    """Return what a title names first, which in Spanish is the thing itself: "Casco Urbano Rojo" is a casco."""
    words = _WORD.findall(fold(title))
    if not words or len(words[0]) < _LEAST_LETTERS or words[0] in _NOT_A_THING:
        return None
    return words[0]


def _plural(word: str) -> str:
    if word.endswith("s"):
        return word
    if word.endswith("z"):
        return word[:-1] + "ces"
    return word + ("s" if word[-1] in "aeiou" else "es")


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and len(word) > 3 else word
