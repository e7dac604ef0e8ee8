"""Keeping a copy like the shop: everything once a day, what changed every few minutes, one product on its webhook."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog

from smarteros.domain.errors import PermanentError, SmosError
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import Clock
from smarteros.store import catalogue as store
from smarteros.store.database import Database
from smarteros.tools.deadline import Deadline
from smarteros.tools.mirror.metrics import COMPARISONS, PRODUCTS
from smarteros.tools.mirror.progress import Progress, ReadingNotes
from smarteros.tools.mirror.reading import PRODUCT_WITHIN_S, CatalogueReader
from smarteros.tools.mirror.rows import row_of
from smarteros.tools.shopify.client import ShopifyClient
from smarteros.tools.shopify.products import read_product
from smarteros.tools.stored_cache import PostgresToolCache

FULL_READING_EVERY = timedelta(hours=24)
BULK_FROM = 500
"""Products from which on a bulk operation is worth its wait: as many are 63 pages and half a minute of a bucket."""
_COUNTED_AGAIN_AFTER = timedelta(hours=1)
_OVERLAP = timedelta(minutes=5)
"""Changes are asked for from so long before the last comparison: clocks differ, and indexes lag behind."""
_log = structlog.get_logger()

What = Literal["full", "changes", "skipped"]


class Comparison(Model):
    """What a comparison did. ``products`` is what the copy holds afterwards."""

    what: What
    read: int = 0
    forgotten: int = 0
    products: int = 0


@dataclass(frozen=True)
class CatalogueKeeper:
    """Reads shops into their copies. ``sleep`` waits for the rate limit.

    Catalogues of ``bulk_from`` products or more are read by a bulk operation.
    """

    client: ShopifyClient
    database: Database
    clock: Clock
    sleep: Callable[[float], None] = time.sleep
    bulk_from: int = BULK_FROM

    def compare(self, tenant: Tenant, *, unless_within: timedelta = timedelta(0), full: bool = False) -> Comparison:
        """Compare the copy with the shop, unless somebody began to within that time. Raises what the shop's faults are.

        A full reading is made when there was none for a day, when the numbers of products differ, or when asked for.
        """
        if not self.client.may_ask(tenant):
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
        product = read_product(self.client, tenant, product_id, Deadline.after(PRODUCT_WITHIN_S))
        with self.database.tenant(tenant.scope) as connection:
            if product is None:
                store.drop_products(connection, tenant.tenant_id, [product_id])
                return
            reading = store.state_of(connection, tenant.tenant_id).reading
            store.put_products(connection, tenant.tenant_id, [row_of(product)], reading)

    def _compare(self, tenant: Tenant, before: store.CopyState, now: datetime, *, full: bool) -> Comparison:
        due = before.read_at is None or now - before.read_at >= FULL_READING_EVERY
        if full or due or before.compared_at is None:
            return self._read_all(tenant, before, now)
        since = before.compared_at - _OVERLAP
        with self.database.tenant(tenant.scope) as connection:
            known = store.currency_of(connection, tenant.tenant_id)
        query = f"updated_at:>='{since:%Y-%m-%dT%H:%M:%SZ}'"
        read, currency = self._reader.read_changes(tenant, query, before.reading)
        with self.database.tenant(tenant.scope) as connection:
            kept = store.count_products(connection, tenant.tenant_id)
        if known is not None and known != currency:
            _log.warning("shop_currency_changed", tenant=tenant.tenant_id, before=known, now=currency)
            return self._read_all(tenant, before, now)
        counted_lately = before.read_at is not None and now - before.read_at < _COUNTED_AGAIN_AFTER
        if not counted_lately and self._reader.count(tenant) != kept:
            return self._read_all(tenant, before, now)
        with self.database.tenant(tenant.scope) as connection:
            store.end_comparison(connection, tenant.tenant_id, now)
        return Comparison(what="changes", read=read, products=kept)

    def _read_all(self, tenant: Tenant, before: store.CopyState, now: datetime) -> Comparison:
        """Read everything, or the rest of what a process that has ended did not come to read."""
        notes = ReadingNotes(PostgresToolCache(self.database))
        progress = notes.last(tenant.scope, before.reading + 1, now)

        def note(made: Progress) -> None:
            notes.keep(tenant.scope, made, self.clock.now())
            with self.database.tenant(tenant.scope) as connection:  # the others see that somebody is at it
                store.begin(connection, tenant.tenant_id, self.clock.now(), unless_within=timedelta(0))

        try:
            in_bulk = self._reader.count(tenant) >= self.bulk_from
            read = self._reader.read_all(tenant, progress, note, in_bulk=in_bulk)
        except PermanentError:  # perhaps it is the place we went on from that Shopify refuses
            notes.keep(tenant.scope, Progress(reading=before.reading, begun_at=now), now)
            raise
        with self.database.tenant(tenant.scope) as connection:
            # What changed since the reading was begun is read by the next comparison.
            forgotten = store.end_reading(connection, tenant.tenant_id, progress.reading, progress.begun_at)
            kept = store.count_products(connection, tenant.tenant_id)
        return Comparison(what="full", read=read, forgotten=forgotten, products=kept)

    @property
    def _reader(self) -> CatalogueReader:
        return CatalogueReader(self.client, self.database, self.sleep)
