"""First paint of the list of conversations: ``python -m tests.console_bench [10000]``.

A shop with so many conversations, each with a turn, in a real PostgreSQL; Debian's Chromium opens the list as somebody
does who has never been there (nothing cached) and tells itself when it painted first. Prints a table for the docs.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from playwright.sync_api import Browser, sync_playwright

from smarteros.domain.turns import TurnRecord
from smarteros.store.database import migrate
from smarteros.store.embedded import EmbeddedPostgres
from tests.unit.console.conftest import NOON, World, open_world, shop
from tests.unit.console.seeds import seed_many, seed_turn

_SHOP = "CONSOLE_FULL"
_LOADS = 15
_PAGES = {
    "all": "/console/conversations",
    "the bot leads": "/console/conversations?state=bot",
    "search of a rare word": "/console/conversations?q=mensaje+77",
}
# Waits for the first paint, also when it has been already. The page's policy forbids anything that asks by ``eval``.
_FIRST_PAINT = """() => new Promise((told) => new PerformanceObserver((entries) => {
    const paint = entries.getEntriesByName('first-contentful-paint')[0];
    if (paint) told(paint.startTime);
}).observe({type: 'paint', buffered: true}))"""
_TURNS = """
INSERT INTO smos.turns (turn_id, tenant_id, conversation_id, message_id, flow_id, outcome, record, received_at,
                        finished_at)
SELECT t.tenant_id || ':' || n || ':' || n, t.tenant_id, n, n, t.flow_id, t.outcome, t.record, t.received_at,
       t.finished_at
  FROM smos.turns t, generate_series(1, :count) AS n WHERE t.turn_id = :turn
"""


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder)) as server:
        migrate(server.url())
        with open_world(server) as world, sync_playwright() as driver:
            _fill(world, count)
            browser = driver.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--headless", "--no-sandbox", "--disable-gpu"]
            )
            print(f"| {count} conversations | first paint, median | slowest of {_LOADS} |\n|---|---:|---:|")
            for name, path in _PAGES.items():
                paints = _paints(world, browser, path)
                print(f"| {name} | {statistics.median(paints):.0f} ms | {max(paints):.0f} ms |")
            browser.close()


def _fill(world: World, count: int) -> None:
    parts, tenant = world.parts, shop(_SHOP, 31)
    parts.tenants.save(tenant)
    one: TurnRecord = seed_turn(
        parts.database, tenant, parts.contracts, NOON - timedelta(days=30), conversation_id=10**9
    )
    seed_many(parts.database, tenant, count, NOON)
    with parts.database.tenant(tenant.scope) as connection:
        connection.execute(sa.text(_TURNS), {"count": count, "turn": one.turn_id})
    owner = sa.create_engine(parts.database.owner_url, isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(sa.text("ANALYZE"))


def _paints(world: World, browser: Browser, path: str) -> list[float]:
    """Milliseconds from the request to the first paint, each load in a browser that was never there."""
    session = world.signed_in("tenant_admin", _SHOP).http.cookies["smos_session"]
    found: list[float] = []
    for _ in range(_LOADS):
        context = browser.new_context(base_url=world.url, viewport={"width": 1280, "height": 800})
        context.add_cookies([{"name": "smos_session", "value": session, "url": world.url}])
        page = context.new_page()
        page.goto(path)
        found.append(page.evaluate(_FIRST_PAINT))
        context.close()
    return found


if __name__ == "__main__":
    main()
