"""The tools over the stand-in shop and ERP, by either door of the shop, as the conformance suite asks them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from tests.support import MemorySecrets, demo_tenant

from smarteros.domain.knowledge import Policy
from smarteros.domain.messages import Contact
from smarteros.domain.tenants import ShopDoor, Tenant
from smarteros.domain.tools import ToolCall, ToolResult
from smarteros.kit.http import HttpClient
from smarteros.tools.cache import MemoryToolCache
from smarteros.tools.embedded import embedded_tools
from smarteros.tools.protocol import ToolContext, ToolProvider
from smarteros.tools.shopify.client import ShopifyClient
from smarteros.tools.ucp.client import UcpClient
from smarteros.tools.ucp.profile import profile_url
from smarteros_sandbox.faults import Faults
from smarteros_sandbox.shops.models import DemoShop, VariantSpec

TODAY = date(2025, 11, 1)
MARIA = Contact(id=1, name="María González", phone="+56912345678", proven="+56912345678")
SEARCH = "shopify_search_products"


class Changeable:
    """An ASGI app that is another one for every test: each finds the shop's rate limit unused."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


@dataclass
class Bench:
    """A provider with the tenants behind it, and the faults of the systems it asks."""

    provider: ToolProvider
    tenants: dict[str, Tenant]
    secrets: MemorySecrets
    faults: Faults
    door: ShopDoor

    def call(
        self,
        tool: str,
        *,
        tenant: str = "TENANT_DEMO",
        contact: Contact = MARIA,
        timeout_ms: int = 60_000,  # the first query builds the schema, which takes long on a crowded machine
        fallback: bool = False,
        **params: Any,
    ) -> ToolResult:
        context = ToolContext(conversation_id=12345, contact=contact, today=TODAY)
        call = ToolCall(tool=tool, params=params)
        return self.provider.call(self.tenants[tenant], call, context, timeout_ms=timeout_ms, fallback=fallback)

    def titles(self, query: str, tenant: str = "TENANT_DEMO", **params: Any) -> list[str]:
        result = self.call(SEARCH, tenant=tenant, query=query, **params)
        assert result.outcome == "ok", result.error_code
        assert result.data is not None
        return [f"{product['title']}, {product['variant']}" for product in result.data["products"]]


def gid_of(variant: VariantSpec) -> str:
    return f"gid://shopify/ProductVariant/{variant.id}"


def secrets_of(shop: DemoShop, door: ShopDoor) -> dict[tuple[str, str], str]:
    spec = shop.spec
    keys = {(spec.tenant_id, "shopify/admin_token"): spec.admin_token} if door == "admin" else {}
    return {
        **keys,
        (spec.tenant_id, "shopify/store_domain"): spec.store_domain,
        (spec.tenant_id, "odoo/api_key"): spec.odoo_api_key,
    }


@contextmanager
def opened(door: ShopDoor, shops: tuple[DemoShop, ...], shopify_url: str, faults: Faults) -> Iterator[Bench]:
    secrets = MemorySecrets({key: value for shop in shops for key, value in secrets_of(shop, door).items()})
    http = HttpClient()
    shopify = ShopifyClient(http, secrets)
    provider = embedded_tools(
        http=http,
        secrets=secrets,
        cache=MemoryToolCache(),
        policy_of=lambda _scope: Policy(warranty_days=90, return_days=30),
        shopify=shopify,
        ucp=UcpClient(http, shopify, profile_url("https://bots.example.cl")),
    )
    tenants = {
        shop.spec.tenant_id: demo_tenant(shop, shopify_url).model_copy(update={"shop_door": door}) for shop in shops
    }
    yield Bench(provider, tenants, secrets, faults, door)
    faults.clear()
    http.close()
