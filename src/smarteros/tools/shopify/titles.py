"""The names of a shop's products, against which the words on an invoice are compared."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from pydantic import AliasPath, BaseModel, Field

from smarteros.domain.errors import SmosError
from smarteros.domain.tenants import Tenant
from smarteros.tools.deadline import Deadline
from smarteros.tools.shopify.client import ShopifyClient

FRESH_S = 3600.0
TRY_AGAIN_S = 60.0
WITHIN_S = 2.0  # the customer waits for the answer about his photo
MOST_PAGES = 8
TITLES_DOCUMENT = """
query ReadTitles($first: Int!, $after: String) {
  products(first: $first, after: $after) { pageInfo { hasNextPage endCursor } nodes { title } }
}
"""
_PAGE = 250
_log = structlog.get_logger()


class _Title(BaseModel):
    title: str


class TitlesAnswer(BaseModel):
    """Data of TITLES_DOCUMENT: one page."""

    nodes: list[_Title] = Field(validation_alias=AliasPath("products", "nodes"))
    has_next_page: bool = Field(validation_alias=AliasPath("products", "pageInfo", "hasNextPage"))
    end_cursor: str | None = Field(validation_alias=AliasPath("products", "pageInfo", "endCursor"))


@dataclass(frozen=True)
class _Known:
    titles: tuple[str, ...]
    until: float


@dataclass
class ShopifyTitles:
    """Reads and remembers the titles by tenant, also of products that are sold no more: invoices are older."""

    client: ShopifyClient
    clock: Callable[[], float] = time.monotonic
    _known: dict[str, _Known] = field(default_factory=dict[str, _Known], init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def of(self, tenant: Tenant) -> tuple[str, ...]:
        """Return the titles, at most an hour old; older ones, or none, while the shop is away. Never raises.

        A shop without credentials has none: it can be searched, but not read from beginning to end.
        """
        if tenant.shop_door == "ucp":
            return ()
        with self._lock:
            known = self._known.get(tenant.tenant_id)
        if known is not None and self.clock() < known.until:
            return known.titles
        try:
            fresh = _Known(self._read(tenant), self.clock() + FRESH_S)
        except SmosError as error:
            _log.warning("titles_not_read", tenant=tenant.tenant_id, reason=error.code)
            fresh = _Known(known.titles if known is not None else (), self.clock() + TRY_AGAIN_S)
        with self._lock:
            self._known[tenant.tenant_id] = fresh
        return fresh.titles

    def _read(self, tenant: Tenant) -> tuple[str, ...]:
        deadline = Deadline.after(WITHIN_S)
        titles: dict[str, None] = {}
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = self.client.query(tenant, TITLES_DOCUMENT, {"first": _PAGE, "after": cursor}, TitlesAnswer, deadline)
            titles.update(dict.fromkeys(node.title for node in page.nodes))
            cursor = page.end_cursor
            if not page.has_next_page:
                break
        return tuple(titles)
