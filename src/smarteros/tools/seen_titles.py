"""The products a shop's tools have seen of late, as titles: from them the agent learns the shop's words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from smarteros.domain.catalogue import CatalogueTitle
from smarteros.domain.tenants import TenantScope
from smarteros.kit.clock import Clock
from smarteros.tools.cache import FALLBACK_WINDOW, ToolCache
from smarteros.tools.product_search import CACHE_KIND, Gathered


@dataclass(frozen=True)
class SeenTitles:
    """Titles of the products that are in the tools' memory of the last 24 h."""

    cache: ToolCache
    clock: Clock

    def titles(self, scope: TenantScope) -> Iterator[CatalogueTitle]:
        """Return them, those seen last first; what an older version wrote and cannot be read is left out."""
        for seen in self.cache.recent(scope, CACHE_KIND, self.clock.now() - FALLBACK_WINDOW):
            try:
                gathered = Gathered.model_validate(seen.data)
            except ValidationError:
                continue
            for product in gathered.products:
                yield CatalogueTitle(title=product.title, kind=product.kind, brand=product.vendor)
