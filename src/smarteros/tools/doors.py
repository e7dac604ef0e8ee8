"""Two doors to a shop, and which of them a tenant's is asked by (``Tenant.shop_door``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smarteros.domain.tenants import Tenant
from smarteros.tools.catalogue import CatalogueProduct
from smarteros.tools.product_search import Catalogue, Gathered
from smarteros.tools.registry import ToolRun
from smarteros.tools.wanted import Wanted


@dataclass(frozen=True)
class ShopDoors:
    """A Catalogue that is another one for tenants whose shop gave us no credentials."""

    admin: Catalogue
    ucp: Catalogue

    def gather(self, wanted: Wanted, run: ToolRun, limit: int) -> Gathered:
        """Find published products that have all the terms."""
        return self._of(run.tenant).gather(wanted, run, limit)

    def read(self, variant_ids: Sequence[str], run: ToolRun) -> tuple[CatalogueProduct, ...]:
        """Read these variants now."""
        return self._of(run.tenant).read(variant_ids, run)

    def product(self, product_id: str, run: ToolRun) -> CatalogueProduct | None:
        """Read one product with all its variants."""
        return self._of(run.tenant).product(product_id, run)

    def _of(self, tenant: Tenant) -> Catalogue:
        return self.ucp if tenant.shop_door == "ucp" else self.admin
