"""Searching our copies of the shops' catalogues."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import structlog
from sqlalchemy.exc import SQLAlchemyError

from smarteros.domain.catalogue import CatalogueTitle
from smarteros.domain.tenants import Tenant, TenantScope
from smarteros.kit.clock import Clock
from smarteros.store.catalogue import (
    CopyState,
    Search,
    currency_of,
    find_product,
    find_products,
    state_of,
    words_of_catalogue,
)
from smarteros.store.database import Database
from smarteros.tools.cache import FALLBACK_WINDOW
from smarteros.tools.catalogue import CatalogueProduct
from smarteros.tools.mirror.rows import search_for
from smarteros.tools.spelling import ShopWords
from smarteros.tools.wanted import Wanted

MOST_FOUND = 120
"""Products a choice is made among. They are those in stock first, so that more would hardly change it."""
MOST_TENANTS = 200
REBUILD_AFTER_S = 60.0
"""Words change with every new product; they are read again no more often than this."""
_MOST_TITLES = 1000
_log = structlog.get_logger()


class _Words(NamedTuple):
    revision: int
    words: ShopWords
    read_at: float


@dataclass
class CatalogueCopies:
    """The copies of all shops. Thread-safe; a database that is away means that there is no copy."""

    database: Database
    clock: Clock
    monotonic: Callable[[], float] = time.monotonic
    _words: OrderedDict[str, _Words] = field(default_factory=OrderedDict[str, _Words], init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def as_of(self, tenant: Tenant) -> datetime | None:
        """Return when the copy was last compared with the shop; None when that is more than 24 h ago."""
        return self._fresh(self._state(tenant.scope))

    def currency(self, tenant: Tenant) -> str | None:
        """Return the currency of the copied prices, or None when no copy of the last 24 h is there."""
        if self.as_of(tenant) is None:
            return None
        try:
            with self.database.tenant(tenant.scope) as connection:
                return currency_of(connection, tenant.tenant_id)
        except SQLAlchemyError as error:
            _log.warning("catalogue_copy_unavailable", error=type(error).__name__)
            return None

    def words(self, tenant: Tenant) -> ShopWords | None:
        """Return the words of the catalogue, or None when no copy of the last 24 h is there."""
        state = self._state(tenant.scope)
        if self._fresh(state) is None:
            return None
        with self._lock:
            known = self._words.get(tenant.tenant_id)
        if known is not None and (
            known.revision == state.revision or self.monotonic() - known.read_at < REBUILD_AFTER_S
        ):
            return known.words
        try:
            with self.database.tenant(tenant.scope) as connection:
                read = words_of_catalogue(connection, tenant.tenant_id)
        except SQLAlchemyError as error:
            _log.warning("catalogue_copy_unavailable", error=type(error).__name__)
            return None
        words = ShopWords(read.names, read.kinds, read.all)
        with self._lock:
            self._words[tenant.tenant_id] = _Words(state.revision, words, self.monotonic())
            self._words.move_to_end(tenant.tenant_id)
            while len(self._words) > MOST_TENANTS:
                self._words.popitem(last=False)
        return words

    def gather(self, wanted: Wanted, tenant: Tenant, *, wider: bool = False) -> tuple[CatalogueProduct, ...]:
        """Find products that have all the terms; ``wider`` counts the kind of thing a term names as well."""
        return self._find(tenant.scope, search_for(wanted, wider=wider), MOST_FOUND)

    def product(self, product_id: str, tenant: Tenant) -> CatalogueProduct | None:
        """Return one product by its id or that of a variant."""
        try:
            with self.database.tenant(tenant.scope) as connection:
                found = find_product(connection, tenant.tenant_id, product_id)
        except SQLAlchemyError as error:
            _log.warning("catalogue_copy_unavailable", error=type(error).__name__)
            return None
        return None if found is None else CatalogueProduct.model_validate(found)

    def titles(self, scope: TenantScope) -> Iterator[CatalogueTitle]:
        """Return the names of what the shop sells: from them the agent learns the shop's words."""
        for product in self._find(scope, Search(), _MOST_TITLES):
            yield CatalogueTitle(title=product.title, kind=product.kind, brand=product.vendor, tags=product.tags)

    def _find(self, scope: TenantScope, search: Search, limit: int) -> tuple[CatalogueProduct, ...]:
        try:
            with self.database.tenant(scope) as connection:
                found = find_products(connection, scope.tenant_id, search, limit)
        except SQLAlchemyError as error:
            _log.warning("catalogue_copy_unavailable", error=type(error).__name__)
            return ()
        return tuple(CatalogueProduct.model_validate(product) for product in found)

    def _state(self, scope: TenantScope) -> CopyState:
        try:
            with self.database.tenant(scope) as connection:
                return state_of(connection, scope.tenant_id)
        except SQLAlchemyError as error:
            _log.warning("catalogue_copy_unavailable", error=type(error).__name__)
            return CopyState()

    def _fresh(self, state: CopyState) -> datetime | None:
        if state.read_at is None or state.compared_at is None:
            return None
        return state.compared_at if state.compared_at >= self.clock.now() - FALLBACK_WINDOW else None
