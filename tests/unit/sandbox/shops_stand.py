"""What the tests of the stand-in Shopify, Odoo and Vision share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from starlette.applications import Starlette
from starlette.testclient import TestClient

from smarteros_sandbox.faults import Faults
from smarteros_sandbox.shops.loader import load_shops
from smarteros_sandbox.shops.models import DemoShop

FIRST_START = date(2025, 11, 20)
DEMO, CLOTHES, ELECTRONICS = 0, 1, 2

CreateApp = Callable[[Sequence[DemoShop], Faults], Starlette]


@lru_cache
def demo_shops() -> tuple[DemoShop, ...]:
    """The three shops as they are when the sandbox first starts on ``FIRST_START``."""
    return load_shops(FIRST_START)


class Stand:
    """One stand-in server without a socket; a server error is an answer here, not an exception."""

    def __init__(self, create: CreateApp, shops: Sequence[DemoShop] | None = None) -> None:
        self.faults = Faults()
        self.shops = demo_shops() if shops is None else tuple(shops)
        app = create(self.shops, self.faults)
        self.http = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """A POST with a JSON body; underscores in header names become dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(path, json=body, headers=named)
