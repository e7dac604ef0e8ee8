"""The products of a shop, as titles: from them the agent learns the shop's words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError

from smarteros.domain.catalogue import CatalogueTitle
from smarteros.domain.tenants import TenantScope
from smarteros.kit.clock import Clock
from smarteros.tools.cache import FALLBACK_WINDOW, ToolCache
from smarteros.tools.product_search import CACHE_KIND, Gathered


class TitledCopy(Protocol):
    """Our copies of the catalogues, as far as it matters here."""

    def titles(self, scope: TenantScope) -> Iterator[CatalogueTitle]:
        """Return the names of what the shop sells."""
        ...


@dataclass(frozen=True)
class SeenTitles:
    """Titles of a shop's products: of our copy of its catalogue, and of what the tools have seen in the last 24 h."""

    cache: ToolCache
    clock: Clock
    copy: TitledCopy | None = None

    def titles(self, scope: TenantScope) -> Iterator[CatalogueTitle]:
        """Return them, those seen last after the copy's; what an older version wrote and cannot be read is left out."""
        if self.copy is not None:
            yield from self.copy.titles(scope)
        for seen in self.cache.recent(scope, CACHE_KIND, self.clock.now() - FALLBACK_WINDOW):
            try:
                gathered = Gathered.model_validate(seen.data)
            except ValidationError:
                continue
            for product in gathered.products:
                yield CatalogueTitle(title=product.title, kind=product.kind, brand=product.vendor, tags=product.tags)
