"""Shopify's bulk operations: the shop writes a whole catalogue into a file, which is then fetched line by line.

Source: https://shopify.dev/docs/api/usage/bulk-operations/queries. They cost next to nothing of the rate limit.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import AliasPath, BaseModel, Field, TypeAdapter

from smarteros.domain.errors import PermanentError, SmosError
from smarteros.domain.tenants import Tenant
from smarteros.kit.http import BodyTooLargeError, HttpFault
from smarteros.tools.catalogue import CatalogueProduct
from smarteros.tools.deadline import Deadline
from smarteros.tools.faults import sorted_fault, tamed
from smarteros.tools.shopify.answers import BULK_QUERY, BulkProduct, BulkVariant
from smarteros.tools.shopify.client import ShopifyClient
from smarteros.tools.shopify.credentials import SERVICE

RUN_DOCUMENT = """
mutation RunBulkQuery($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: true) {
    bulkOperation { id } userErrors { code field message }
  }
}
"""
STATE_DOCUMENT = """
query ReadBulkOperation($id: ID!) {
  shop { currencyCode }
  bulkOperation(id: $id) { status errorCode url }
}
"""
MOST_BYTES = 1024**3
LONGEST_LINE = 1024**2
_WITHIN_S = 30.0
_DOWNLOAD_WITHIN_S = 900.0
_MOST_LOOKS = 240
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 10.0
_MISSED_LOOKS = 4
_FILE_HOST, _FILE_PATH = "storage.googleapis.com", "/shopify-"
"""Where Shopify keeps the files, as its documentation shows them; the host is everybody's, the bucket is not."""
_UNDER_WAY = frozenset({"CREATED", "RUNNING"})


class _Run(BaseModel):
    """Data of RUN_DOCUMENT."""

    id: str | None = Field(default=None, validation_alias=AliasPath("bulkOperationRunQuery", "bulkOperation", "id"))
    problems: list[dict[str, Any]] = Field(validation_alias=AliasPath("bulkOperationRunQuery", "userErrors"))


class _Operation(BaseModel):
    """Data of STATE_DOCUMENT. A finished operation without a file found nothing."""

    currency: str = Field(validation_alias=AliasPath("shop", "currencyCode"))
    status: str | None = Field(default=None, validation_alias=AliasPath("bulkOperation", "status"))
    problem: str | None = Field(default=None, validation_alias=AliasPath("bulkOperation", "errorCode"))
    url: str | None = Field(default=None, validation_alias=AliasPath("bulkOperation", "url"))


_LINE = TypeAdapter[BulkVariant | BulkProduct](BulkVariant | BulkProduct)


class BulkRefusedError(PermanentError):
    """The shop runs no bulk operation, or did not finish it: the catalogue has to be read by pages."""

    def __init__(self, why: str) -> None:
        super().__init__("shopify_bulk_refused", why)


@dataclass(frozen=True)
class BulkCatalogue:
    """Reads whole catalogues. ``sleep`` waits between two looks at an operation."""

    client: ShopifyClient
    sleep: Callable[[float], None] = time.sleep

    def begin(self, tenant: Tenant) -> str:
        """Have the shop begin; returns the operation's id. BulkRefusedError, or what the shop's faults are."""
        answer = self.client.query(tenant, RUN_DOCUMENT, {"query": BULK_QUERY}, _Run, Deadline.after(_WITHIN_S))
        if answer.id is None or answer.problems:
            said = "; ".join(str(problem.get("message", "")) for problem in answer.problems)[:300]
            raise BulkRefusedError(f"Shopify runs no bulk operation: {said or 'it gave no id'}")
        return answer.id

    def products(self, tenant: Tenant, operation_id: str) -> Iterator[CatalogueProduct]:
        """Wait for an operation and give its published products, one at a time, each with all its variants."""
        done = self._finished(tenant, operation_id)
        if done.url is None:
            return
        self._check_host(tenant, done.url)
        product: BulkProduct | None = None
        variants: list[BulkVariant] = []
        for line in self._lines(done.url):
            if isinstance(line, BulkProduct):
                yield from _read(product, variants, done.currency)
                product, variants = line, []
            elif product is not None and line.parent == product.id:
                variants.append(line)
            else:
                raise PermanentError("shopify_answer_unreadable", "A variant in Shopify's file follows no product.")
        yield from _read(product, variants, done.currency)

    def _finished(self, tenant: Tenant, operation_id: str) -> _Operation:
        missed, pause_s = 0, _FIRST_PAUSE_S
        for _ in range(_MOST_LOOKS):
            try:
                state = self._look(tenant, operation_id)
                missed = 0
            except SmosError as error:
                missed += 1
                if not error.retryable or missed >= _MISSED_LOOKS:
                    raise
            else:
                if state.status == "COMPLETED":
                    return state
                if state.status not in _UNDER_WAY:
                    why = state.problem or state.status or "unknown"
                    raise BulkRefusedError(f"Shopify did not finish the bulk operation: {why}")
            self.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
        raise BulkRefusedError("Shopify did not finish the bulk operation in time.")

    def _look(self, tenant: Tenant, operation_id: str) -> _Operation:
        return self.client.query(tenant, STATE_DOCUMENT, {"id": operation_id}, _Operation, Deadline.after(_WITHIN_S))

    def _lines(self, url: str) -> Iterator[BulkVariant | BulkProduct]:
        lines = self.client.http.lines(url, max_bytes=MOST_BYTES, longest=LONGEST_LINE, timeout_s=_DOWNLOAD_WITHIN_S)
        try:
            for line in lines:
                if line:
                    yield _parsed(line)
        except HttpFault as fault:
            raise sorted_fault(SERVICE, fault) from fault
        except BodyTooLargeError:
            raise PermanentError("shopify_answer_unreadable", "Shopify's file is longer than it may be.") from None

    def _check_host(self, tenant: Tenant, url: str) -> None:
        """Fetch from Shopify's storage only, or from where the tenant's stand-in is."""
        parts = urlsplit(url)
        stand_in = urlsplit(tenant.shopify_url) if tenant.shopify_url else None
        if stand_in is not None and (parts.scheme, parts.netloc) == (stand_in.scheme, stand_in.netloc):
            return
        if (parts.scheme, parts.netloc) != ("https", _FILE_HOST) or not parts.path.startswith(_FILE_PATH):
            raise BulkRefusedError("The file of the bulk operation is not in Shopify's storage.")


def _parsed(line: bytes) -> BulkVariant | BulkProduct:
    try:
        decoded = json.loads(line)
    except ValueError:
        raise PermanentError("shopify_answer_unreadable", "A line of Shopify's file is not JSON.") from None
    return tamed(SERVICE, _LINE, decoded)


def _read(product: BulkProduct | None, variants: list[BulkVariant], currency: str) -> Iterator[CatalogueProduct]:
    found = product.in_our_terms(currency, *variants) if product is not None else None
    if found is not None:
        yield found
