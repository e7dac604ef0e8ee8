"""Reading a shop into its copy: page by page, or from the file of a bulk operation. Never more than a batch in memory.

Nobody waits for these readings, so they leave half of the shop's rate limit to the customers' questions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import structlog
from pydantic import AliasPath, BaseModel, Field

from smarteros.domain.errors import SmosError
from smarteros.domain.tenants import Tenant
from smarteros.store import catalogue as store
from smarteros.store.database import Database
from smarteros.tools.catalogue import CatalogueProduct
from smarteros.tools.deadline import Deadline
from smarteros.tools.mirror.progress import Progress
from smarteros.tools.mirror.rows import row_of
from smarteros.tools.shopify.answers import PAGES_DOCUMENT, PUBLISHED, SearchAnswer
from smarteros.tools.shopify.bulk import BulkCatalogue
from smarteros.tools.shopify.client import ShopifyClient
from smarteros.tools.shopify.products import read_product

COUNT_DOCUMENT = "query CountProducts($query: String!) { productsCount(query: $query, limit: null) { count } }"
_PAGE_WITHIN_S = 30.0
PRODUCT_WITHIN_S = 120.0
"""A product of 2,000 variants is nine pages, and more than a bucket of points."""
_PAGE = {"first": 8, "variants": 40}
_BATCH = 100
_LEFT_TO_CUSTOMERS = 0.5
_TRIES = 4
_PAUSE_S = 2.0
_log = structlog.get_logger()
Note = Callable[[Progress], None]
T = TypeVar("T")


class CountAnswer(BaseModel):
    """Data of COUNT_DOCUMENT."""

    count: int = Field(validation_alias=AliasPath("productsCount", "count"))


@dataclass(frozen=True)
class CatalogueReader:
    """Reads shops into their copies. ``sleep`` waits for the rate limit and for bulk operations."""

    client: ShopifyClient
    database: Database
    sleep: Callable[[float], None] = time.sleep

    def read_all(self, tenant: Tenant, progress: Progress, note: Note, *, in_bulk: bool) -> int:
        """Read the whole catalogue from where ``progress`` stands; returns the number of products read in all.

        ``note`` is told of every step, so that another process can go on. A shop that refuses a bulk operation, or
        does not finish it, is read by pages.
        """
        if in_bulk and progress.cursor is None:
            try:
                return self._read_in_bulk(tenant, progress, note)
            except SmosError as error:
                _log.warning("catalogue_bulk_refused", tenant=tenant.tenant_id, code=error.code, why=str(error))
                progress = progress.model_copy(update={"bulk_id": None, "read": 0})
        for page in self._pages(tenant, PUBLISHED, progress.cursor):
            read = progress.read + self._keep_page(tenant, page, progress.reading)
            progress = progress.model_copy(update={"cursor": page.end_cursor, "read": read})
            note(progress)
        return progress.read

    def count(self, tenant: Tenant) -> int:
        """Return how many products the shop sells."""
        variables = {"query": PUBLISHED}
        return self._patiently(
            lambda: self.client.query(tenant, COUNT_DOCUMENT, variables, CountAnswer, Deadline.after(_PAGE_WITHIN_S))
        ).count

    def read_changes(self, tenant: Tenant, query: str, reading: int) -> tuple[int, str]:
        """Read the products of a search; those not for sale are taken out. Returns their number and the currency."""
        read, currency = 0, ""
        for page in self._pages(tenant, query, None):
            read += self._keep_page(tenant, page, reading)
            currency = page.currency
        return read, currency

    def _read_in_bulk(self, tenant: Tenant, progress: Progress, note: Note) -> int:
        bulk = BulkCatalogue(self.client, self.sleep)
        if progress.bulk_id is None:
            progress = progress.model_copy(update={"bulk_id": bulk.begin(tenant)})
            note(progress)
        read = 0
        for batch in _batches(bulk.products(tenant, progress.bulk_id or ""), _BATCH):
            self._put(tenant, batch, progress.reading)
            read += len(batch)
            note(progress.model_copy(update={"read": read}))
        return read

    def _keep_page(self, tenant: Tenant, page: SearchAnswer, reading: int) -> int:
        """Keep a page's products, with all their variants; returns how many it named."""
        more = {node.id for node in page.nodes if node.more_variants}
        sold = [self._whole(tenant, product) if product.id in more else product for product in page.catalogue()]
        others = {node.id for node in page.nodes} - {product.id for product in sold}
        self._put(tenant, sold, reading)
        if others:
            with self.database.tenant(tenant.scope) as connection:
                store.drop_products(connection, tenant.tenant_id, sorted(others))
        return len(page.nodes)

    def _put(self, tenant: Tenant, products: Iterable[CatalogueProduct], reading: int) -> None:
        with self.database.tenant(tenant.scope) as connection:
            store.put_products(connection, tenant.tenant_id, map(row_of, products), reading)

    def _pages(self, tenant: Tenant, query: str, cursor: str | None) -> Iterator[SearchAnswer]:
        while True:
            page = self._page(tenant, {**_PAGE, "after": cursor, "query": query})
            cursor = page.end_cursor
            yield page
            if not page.has_next_page:
                return

    def _page(self, tenant: Tenant, variables: dict[str, Any]) -> SearchAnswer:
        answered = self._patiently(
            lambda: self.client.metered_query(
                tenant, PAGES_DOCUMENT, variables, SearchAnswer, Deadline.after(_PAGE_WITHIN_S)
            )
        )
        self.sleep(answered.wait_for(_LEFT_TO_CUSTOMERS))
        return answered.data

    def _patiently(self, ask: Callable[[], T]) -> T:
        """Ask more than once: whoever gives up in the middle of 10,000 products holds up all of them."""
        for left in reversed(range(_TRIES)):
            try:
                return ask()
            except SmosError as error:
                if not error.retryable or not left:
                    raise
                self.sleep(_PAUSE_S * (_TRIES - left))
        raise AssertionError("the last try returns or raises")

    def _whole(self, tenant: Tenant, product: CatalogueProduct) -> CatalogueProduct:
        """Return a product with all its variants; pages hold the first of them only."""
        return read_product(self.client, tenant, product.id, Deadline.after(PRODUCT_WITHIN_S)) or product


def _batches(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while batch := list(islice(items, size)):
        yield batch
