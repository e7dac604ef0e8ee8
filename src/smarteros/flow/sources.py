"""What a reply may state: the facts of this turn, whatever brain wrote its words.

Everything is looked up again by code: a passage that an agent cites counts when the tenant's knowledge base holds it,
a computed answer when the knowledge base computes it again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from smarteros.domain.knowledge import Passage, Policy
from smarteros.domain.tenants import Tenant
from smarteros.domain.tools import ToolResult
from smarteros.domain.turns import DecidedTurn, ResolvedTurn
from smarteros.kit.clock import in_santiago
from smarteros.kit.fact_lock import Thing, borrowed_facts, unsupported_facts
from smarteros.kit.stated_facts import Fact, canonical_number, facts_in
from smarteros.kit.text import fold
from smarteros.knowledge.protocol import KnowledgeBase

_PRICES = frozenset({"price", "total_price", "seen_price"})
_COUNTS = frozenset({"stock", "quantity", "quantities", "total", "total_purchases", "total_returns"})
# What a customer names may be said back to him; what he says of prices, days or links may not.
_NAMING = ("invoice_number", "order_number", "sku", "model", "brand", "category")
_ECHOED = frozenset({"size", "code", "digits", "number"})
_BOUNDS = ("price_min", "price_max", "amount")
_SIGNS = re.compile(r"[^a-z0-9]")
_DOLLARS = "USD"


@dataclass(frozen=True)
class Sources:
    """Everything one turn's reply may take facts from; what is expensive is read only when a fact asks for it."""

    knowledge: KnowledgeBase
    tenant: Tenant
    policy: Policy
    resolved: ResolvedTurn
    decided: DecidedTurn
    results: tuple[ToolResult, ...]

    def unfounded(self, text: str, *, bounds: bool = False, also: tuple[str, ...] = ()) -> tuple[Fact, ...]:
        """Return what a text states without a source, or of one product though it is another one's, sorted.

        ``bounds``: the price range the customer named may be said back. ``also`` are further texts that may be
        repeated.
        """
        if not facts_in(text):
            return ()
        structured = {*_of_results(self.results), *_of_policy(self.policy), *self._echo(bounds=bounds)}
        return unsupported_facts(text, self._texts(also), also=structured) or borrowed_facts(
            text, _things(self.results)
        )

    def passages(self) -> Iterator[Passage]:
        """Yield the passages the agent cites that the tenant's knowledge base holds, approved and valid today."""
        day = in_santiago(self.resolved.messages[-1].created_at).date()
        for cited in self.decided.decision.rag_context:
            for passage in self.knowledge.passages(self.tenant.scope) if cited.question is None else ():
                known = passage.text == cited.text and passage.document == cited.document
                if known and passage.approval == "approved" and passage.holds_on(day):
                    yield passage
                    break

    def _texts(self, also: tuple[str, ...]) -> Iterator[str]:
        yield from also
        yield from (f"{passage.title}\n{passage.text}" for passage in self.passages())
        yield from self._computed()
        for result in self.results:
            yield from _strings(result.data)

    def _computed(self) -> Iterator[str]:
        """Yield the answers about opening hours that the agent gives, computed again from the shop's texts."""
        decision, now = self.decided.decision, self.resolved.messages[-1].created_at
        for question in dict.fromkeys(cited.question for cited in decision.rag_context if cited.question is not None):
            hours = self.knowledge.answer_about_hours(self.tenant.scope, question, now=now, language=decision.language)
            if hours is not None:
                yield f"{hours.text}\n{hours.calendar}"
                yield from (passage.text for passage in hours.passages)

    def _echo(self, *, bounds: bool) -> Iterator[Fact]:
        entities = self.decided.decision.entities
        said = _SIGNS.sub("", fold(" ".join((*self.resolved.history, self.resolved.text))))
        for name in _NAMING:
            value = getattr(entities, name)
            if value is not None and _SIGNS.sub("", fold(value)) in said:
                yield from (fact for fact in facts_in(value) if fact.kind in _ECHOED)
        if entities.size is not None:
            yield from (fact for fact in facts_in(f"talla {entities.size}") if fact.kind in _ECHOED)
        for name in _BOUNDS if bounds else ():
            value = getattr(entities, name)
            if value is not None:
                yield Fact("money", str(value))


def _of_results(results: tuple[ToolResult, ...]) -> Iterator[Fact]:
    """Yield prices and counts, which stand in results as bare numbers."""
    for result in results:
        if result.data is not None:
            yield from _of_fields(result.data, result.data.get("currency"))


def _of_fields(fields: Mapping[str, Any], currency: Any) -> Iterator[Fact]:
    currency = fields.get("currency", currency)
    for name, value in fields.items():
        for item in cast("list[Any]", value) if isinstance(value, list) else [value]:
            if isinstance(item, Mapping):
                yield from _of_fields(cast("Mapping[str, Any]", item), currency)
            elif item is None or isinstance(item, bool):
                continue
            elif name in _PRICES:
                yield Fact("usd" if currency == _DOLLARS else "money", canonical_number(str(item)))
            elif name in _COUNTS:
                yield Fact("count", str(item))
        if name == "stock" and (value is None or isinstance(value, int)):  # None: it can be bought, uncounted
            yield Fact("claim", "in_stock" if value is None or value > 0 else "out_of_stock")


def _things(results: tuple[ToolResult, ...]) -> tuple[Thing, ...]:
    """Return the products that were looked up, all variants of one together."""
    found: dict[str, set[Fact]] = {}
    for result in results:
        for product in _products_in(result.data):
            own = found.setdefault(product["title"], set())
            own |= {*_of_fields(product, product.get("currency"))}
            own |= facts_in(str(product.get("url", "")))
    return tuple(Thing(title, frozenset(facts)) for title, facts in found.items())


def _products_in(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every part of a result that has a title and a link: no line of an order, which has no price either."""
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        if isinstance(fields.get("title"), str) and "url" in fields:
            yield fields
        for part in fields.values():
            yield from _products_in(part)
    elif isinstance(value, list):
        for part in cast("list[Any]", value):
            yield from _products_in(part)


def _of_policy(policy: Policy) -> Iterator[Fact]:
    for name, days in policy.model_dump(exclude={"categories"}).items():
        if days is not None and name.endswith("_days"):
            yield Fact("working_day" if "working" in name else "day", str(days))


def _strings(value: Any) -> Iterator[str]:
    """Yield all texts of a result: titles, links, dates, numbers of invoices and orders."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in cast("Mapping[str, Any]", value).values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _strings(item)
