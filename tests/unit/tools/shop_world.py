"""The stand-in shops, what reads them into copies, and the tools over the copies."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from tests.support import MemorySecrets, demo_tenant

from smarteros.domain.messages import Contact
from smarteros.domain.tenants import Tenant
from smarteros.domain.tools import ToolCall, ToolResult
from smarteros.kit.clock import FixedClock
from smarteros.store.catalogue import count_products
from smarteros.store.database import Database
from smarteros.tools.catalogue import CatalogueProduct, CatalogueVariant
from smarteros.tools.mirror.comparing import CatalogueKeeper
from smarteros.tools.mirror.copy import CatalogueCopies
from smarteros.tools.protocol import ToolContext, ToolProvider
from smarteros_sandbox.faults import Faults
from smarteros_sandbox.shops.models import DemoShop

MARIA = Contact(id=1, name="María González", phone="+56912345678")
SHOES, CLOTHES, GADGETS = "TENANT_DEMO", "TENANT_RUT_77123456", "TENANT_RUT_78987654"


class World(NamedTuple):
    """The shops, what reads them, and the tools over the copies."""

    tools: ToolProvider
    keeper: CatalogueKeeper
    copies: CatalogueCopies
    database: Database
    clock: FixedClock
    tenants: dict[str, Tenant]
    shops: dict[str, DemoShop]
    secrets: MemorySecrets
    faults: Faults
    waits: list[float]

    def call(self, tool: str, tenant: str = SHOES, *, timeout_ms: int = 5000, **params: Any) -> ToolResult:
        context = ToolContext(conversation_id=7, contact=MARIA, today=date(2026, 11, 23))
        call = ToolCall(tool=tool, params=params)
        return self.tools.call(self.tenants[tenant], call, context, timeout_ms=timeout_ms, fallback=True)

    def search(self, query: str, tenant: str = SHOES, **params: Any) -> dict[str, Any]:
        result = self.call("shopify_search_products", tenant, query=query, **params)
        assert result.data is not None, result.error_code
        return result.data

    def kept(self, tenant: str = SHOES) -> int:
        with self.database.tenant(self.tenants[tenant].scope) as connection:
            return count_products(connection, tenant)


def a_tenant(shop: DemoShop, url: str, secrets: MemorySecrets) -> Tenant:
    spec, tenant = shop.spec, demo_tenant(shop, url)
    secrets.write(tenant.scope, "shopify/admin_token", spec.admin_token)
    secrets.write(tenant.scope, "shopify/store_domain", spec.store_domain)
    return tenant


def a_product(
    product_id: str, title: str, variant: CatalogueVariant | None = None, *, kind: str = "Cosas"
) -> CatalogueProduct:
    plain = CatalogueVariant(
        id=f"{product_id}/v", price=1000, stock=1, buyable=True, options={"Title": "Default Title"}
    )
    return CatalogueProduct(
        id=product_id,
        title=title,
        kind=kind,
        url="https://example.myshopify.com/products/x",
        currency="CLP",
        varying=("Talla", "Color") if variant else (),
        variants=(variant or plain,),
    )
