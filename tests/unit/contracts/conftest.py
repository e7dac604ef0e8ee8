"""A small contract without a mistake, to be spoiled in one place by each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from smarteros.contracts.expressions import ReplyContext
from smarteros.contracts.loader import ContractSet, load_contracts
from smarteros.domain.decisions import ROUTE_OF_INTENT

from .shipped import FOLDER
from .tiny_stack import TinyStack, serve

SOUND = """\
apiVersion: smos/v2
flow_id: shop
version: 1.0.0
priority: normal
owner: ana
description: {es: Tienda, en: Shop}
entry:
  channels: [whatsapp]
  intents: [product_query, out_of_scope]
agent:
  bot: sales
  examples:
    product_query: [busco botas]
secrets: [shopify/admin_token]
tools:
  shopify_search_products:
    params: {query: text}
    timeout_ms: 2000
    secrets: [shopify/admin_token]
reply:
  - {route: shopify_sales, outcome: failed, when: tool_failed, text: {es: Uf, en: Oops}}
  - {route: shopify_sales, outcome: found, text: {es: "{{ lead_in or 'Hola' }}", en: Hello}}
  - {route: fallback, outcome: unknown, text: {es: No, en: "No"}}
slo: {latency_p95_ms: 5000, success_rate: 0.95}
alerts:
  - {name: slow, signal: latency_p95_ms, threshold: 7000, severity: ticket, notify: [slack]}
  - {name: failing, signal: error_rate, threshold: 0.05, severity: page, notify: [email]}
scenarios:
  - name: one
    turns:
      - {say: hola, expect: {route: shopify_sales}}
"""


@pytest.fixture
def sound() -> str:
    return SOUND


@pytest.fixture
def spoiled(tmp_path: Path) -> Callable[..., Path]:
    """Write the sound contract with one text replaced; the replaced text must be there."""

    def write(old: str = "", new: str = "", *, name: str = "shop.yml", text: str = SOUND) -> Path:
        assert old in text
        path = tmp_path / name
        path.write_text(text.replace(old, new, 1) if old else text, "utf-8")
        return path

    return write


@pytest.fixture
def context() -> Callable[..., ReplyContext]:
    """Make a context; everything but what a test is about has an unremarkable value."""

    def make(**facts: Any) -> ReplyContext:
        usual: dict[str, Any] = {
            "tenant_name": "Tienda Demo",
            "today": date(2025, 11, 1),
            "intent": "product_query",
            "route": "shopify_sales",
            "confidence": 0.94,
        }
        return ReplyContext(**(usual | facts))

    return make


@pytest.fixture
def case(context: Callable[..., ReplyContext]) -> Callable[..., ReplyContext]:
    """Make a context with the route that goes with its intent."""

    def make(**facts: Any) -> ReplyContext:
        return context(**({"route": ROUTE_OF_INTENT[facts["intent"]]} | facts))

    return make


@pytest.fixture(scope="session")
def contracts() -> ContractSet:
    """Load the contracts of the project."""
    return load_contracts(FOLDER)


@pytest.fixture
def tiny() -> Iterator[TinyStack]:
    """A stack to play against; a test changes what it answers."""
    stack = TinyStack()
    server = serve(stack)
    yield stack
    server.shutdown()
    server.server_close()
