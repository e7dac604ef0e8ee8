"""Keeping a copy like the shop: a full reading once a day, what changed every few minutes, one product on its webhook.

Nobody waits for these readings, so they leave half of the shop's rate limit to the customers' questions.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import AliasPath, BaseModel, Field

from smarteros.domain.errors import SmosError
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import Clock
from smarteros.store import catalogue as store
from smarteros.store.database import Database
from smarteros.tools.catalogue import CatalogueProduct
from smarteros.tools.deadline import Deadline
from smarteros.tools.mirror.metrics import COMPARISONS, PRODUCTS
from smarteros.tools.mirror.rows import row_of
from smarteros.tools.shopify.answers import PAGES_DOCUMENT, PRODUCTS_DOCUMENT, ProductsAnswer, SearchAnswer
from smarteros.tools.shopify.client import ShopifyClient
from smarteros.tools.shopify.details import MOST_VARIANTS
from smarteros.tools.shopify.search import PUBLISHED

COUNT_DOCUMENT = "query CountProducts($query: String!) { productsCount(query: $query, limit: null) { count } }"
FULL_READING_EVERY = timedelta(hours=24)
_COUNTED_AGAIN_AFTER = timedelta(hours=1)
_OVERLAP = timedelta(minutes=5)
"""Changes are asked for from so long before the last comparison: clocks differ, and indexes lag behind."""
_PAGE = {"first": 8, "variants": 40}
_LEFT_TO_CUSTOMERS = 0.5
_PAGE_WITHIN_S = 30.0
_TRIES = 4
_PAUSE_S = 2.0

What = Literal["full", "changes", "skipped"]


class Comparison(Model):
    """What a comparison did. ``products`` is what the copy holds afterwards."""

    what: What
    read: int = 0
    forgotten: int = 0
    products: int = 0


class CountAnswer(BaseModel):
    """Data of COUNT_DOCUMENT."""

    count: int = Field(validation_alias=AliasPath("productsCount", "count"))


@dataclass(frozen=True)
class CatalogueKeeper:
    """Reads shops into their copies. ``sleep`` waits for the rate limit."""

    client: ShopifyClient
    database: Database
    clock: Clock
    sleep: Callable[[float], None] = time.sleep

    def compare(self, tenant: Tenant, *, unless_within: timedelta = timedelta(0), full: bool = False) -> Comparison:
        """Compare the copy with the shop, unless somebody began to within that time. Raises what the shop's faults are.

        A full reading is made when there was none for a day, when the numbers of products differ, or when asked for.
        """
        if not self.client.is_connected(tenant):
            return Comparison(what="skipped")
        now = self.clock.now()
        with self.database.tenant(tenant.scope) as connection:
            before = store.begin(connection, tenant.tenant_id, now, unless_within=unless_within)
        if before is None:
            return Comparison(what="skipped")
        try:
            done = self._compare(tenant, before, now, full=full)
        except SmosError as error:
            COMPARISONS.labels(tenant.tenant_id, "error").inc()
            with self.database.tenant(tenant.scope) as connection:
                store.note_problem(connection, tenant.tenant_id, f"{error.code}: {error.operator_message}")
            raise
        COMPARISONS.labels(tenant.tenant_id, done.what).inc()
        PRODUCTS.labels(tenant.tenant_id).set(done.products)
        return done

    def refresh(self, tenant: Tenant, product_id: str) -> None:
        """Read one product again; one that is not sold (any more), or was deleted, is forgotten."""
        variables = {"ids": [product_id], "variants": MOST_VARIANTS}
        deadline = Deadline.after(_PAGE_WITHIN_S)
        answer = self.client.query(tenant, PRODUCTS_DOCUMENT, variables, ProductsAnswer, deadline)
        with self.database.tenant(tenant.scope) as connection:
            reading = store.state_of(connection, tenant.tenant_id).reading
            store.put_products(connection, tenant.tenant_id, map(row_of, answer.catalogue()), reading)
            if not answer.catalogue():
                store.drop_products(connection, tenant.tenant_id, [product_id])

    def _compare(self, tenant: Tenant, before: store.CopyState, now: datetime, *, full: bool) -> Comparison:
        due = before.read_at is None or now - before.read_at >= FULL_READING_EVERY
        if full or due or before.compared_at is None:
            return self._read_all(tenant, before, now)
        read = self._read_changes(tenant, before.compared_at - _OVERLAP, before.reading)
        with self.database.tenant(tenant.scope) as connection:
            kept = store.count_products(connection, tenant.tenant_id)
        counted_lately = before.read_at is not None and now - before.read_at < _COUNTED_AGAIN_AFTER
        if not counted_lately and self._count(tenant) != kept:
            return self._read_all(tenant, before, now)
        with self.database.tenant(tenant.scope) as connection:
            store.end_comparison(connection, tenant.tenant_id, now)
        return Comparison(what="changes", read=read, products=kept)

    def _read_all(self, tenant: Tenant, before: store.CopyState, now: datetime) -> Comparison:
        reading = before.reading + 1
        read = self._read(tenant, PUBLISHED, reading)
        with self.database.tenant(tenant.scope) as connection:
            forgotten = store.end_reading(connection, tenant.tenant_id, reading, now)
            kept = store.count_products(connection, tenant.tenant_id)
        return Comparison(what="full", read=read, forgotten=forgotten, products=kept)

    def _read_changes(self, tenant: Tenant, since: datetime, reading: int) -> int:
        return self._read(tenant, f"updated_at:>='{since:%Y-%m-%dT%H:%M:%SZ}'", reading)

    def _read(self, tenant: Tenant, query: str, reading: int) -> int:
        """Read all products of a search into the copy, page by page; those not for sale are taken out of it."""
        read = 0
        cursor: str | None = None
        while True:
            page = self._page(tenant, {**_PAGE, "after": cursor, "query": query})
            sold = [self._whole(tenant, product) for product in page.catalogue()]
            others = {node.id for node in page.nodes} - {product.id for product in sold}
            with self.database.tenant(tenant.scope) as connection:
                store.put_products(connection, tenant.tenant_id, map(row_of, sold), reading)
                if others:
                    store.drop_products(connection, tenant.tenant_id, sorted(others))
            read += len(page.nodes)
            cursor = page.end_cursor
            if not page.has_next_page:
                return read

    def _page(self, tenant: Tenant, variables: dict[str, Any]) -> SearchAnswer:
        """Read a page, patiently: whoever gives up in the middle of 10,000 products has read them for nothing."""
        for left in reversed(range(_TRIES)):
            try:
                answered = self.client.metered_query(
                    tenant, PAGES_DOCUMENT, variables, SearchAnswer, Deadline.after(_PAGE_WITHIN_S)
                )
            except SmosError as error:
                if not error.retryable or not left:
                    raise
                self.sleep(_PAUSE_S * (_TRIES - left))
                continue
            self.sleep(answered.wait_for(_LEFT_TO_CUSTOMERS))
            return answered.data
        raise AssertionError("the last try returns or raises")

    def _whole(self, tenant: Tenant, product: CatalogueProduct) -> CatalogueProduct:
        """Return a product with all its variants; pages hold the first of them only."""
        if len(product.variants) < _PAGE["variants"]:
            return product
        variables = {"ids": [product.id], "variants": MOST_VARIANTS}
        deadline = Deadline.after(_PAGE_WITHIN_S)
        answer = self.client.query(tenant, PRODUCTS_DOCUMENT, variables, ProductsAnswer, deadline)
        return next(iter(answer.catalogue()), product)

    def _count(self, tenant: Tenant) -> int:
        deadline = Deadline.after(_PAGE_WITHIN_S)
        return self.client.query(tenant, COUNT_DOCUMENT, {"query": PUBLISHED}, CountAnswer, deadline).count
