"""The stand-in shops, what reads them into copies, and the tools over the copies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from tests.support import MemorySecrets, demo_tenant, serving

from smarteros.domain.knowledge import Policy
from smarteros.domain.messages import Contact
from smarteros.domain.tenants import Tenant
from smarteros.domain.tools import ToolCall, ToolResult
from smarteros.kit.clock import FixedClock
from smarteros.kit.http import HttpClient
from smarteros.kit.text import fold
from smarteros.store.catalogue import count_products
from smarteros.store.database import Database
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.tools.cache import MemoryToolCache
from smarteros.tools.catalogue import CatalogueProduct, CatalogueVariant
from smarteros.tools.embedded import embedded_tools
from smarteros.tools.mirror.comparing import CatalogueKeeper
from smarteros.tools.mirror.copy import CatalogueCopies
from smarteros.tools.protocol import ToolContext, ToolProvider
from smarteros.tools.shopify.client import ShopifyClient
from smarteros_sandbox.faults import Faults
from smarteros_sandbox.shopify import create_shopify_app
from smarteros_sandbox.shops.models import DemoShop, ProductSpec, VariantSpec

NOON = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
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

    @property
    def anew(self) -> World:
        """The same world with tools that remember no failure: no circuit is open."""
        return self._replace(tools=tools_over(self.keeper.client, self.copies, self.secrets, self.clock))

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


def tools_over(
    client: ShopifyClient, copies: CatalogueCopies, secrets: MemorySecrets, clock: FixedClock
) -> ToolProvider:
    return embedded_tools(
        http=client.http,
        secrets=secrets,
        cache=MemoryToolCache(),
        policy_of=lambda _scope: Policy(),
        clock=clock,
        shopify=client,
        catalogue_copy=copies,
    )


@contextmanager
def open_world(postgres: EmbeddedPostgres, shops: Sequence[DemoShop]) -> Iterator[World]:
    """Stand-in shops that nobody has read yet. The rate limit's waits are noted down, not waited for."""
    faults = Faults()
    database = Database(postgres.url(), postgres.url("smos_app"))
    secrets = MemorySecrets({})
    http = HttpClient()
    clock = FixedClock(NOON)
    waits: list[float] = []
    seconds = 0.0

    def wait(_seconds: float) -> None:
        nonlocal seconds
        seconds += 60.0  # for the shops' rate limits

    def note(wait_s: float) -> None:
        waits.append(wait_s)
        wait(wait_s)

    with serving(create_shopify_app(shops, faults, bucket_clock=lambda: seconds)) as url:
        tenants = {shop.spec.tenant_id: a_tenant(shop, url, secrets) for shop in shops}
        client = ShopifyClient(http, secrets, wait)
        copies = CatalogueCopies(database, clock)
        keeper = CatalogueKeeper(client, database, clock, sleep=note)
        tools = tools_over(client, copies, secrets, clock)
        by_id = {shop.spec.tenant_id: shop for shop in shops}
        yield World(tools, keeper, copies, database, clock, tenants, by_id, secrets, faults, waits)
    http.close()
    database.dispose()


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


def a_large_shop(like: DemoShop, tenant_id: str, products: int, variants_of_first: int = 2) -> DemoShop:
    """A shop that sells so many products, the first of them in so many variants, the others in two."""
    spec = like.spec.model_copy(
        update={"tenant_id": tenant_id, "store_domain": "grande.myshopify.com", "admin_token": f"shpat_{tenant_id}"}
    )
    kinds = ("Zapatilla", "Polera", "Notebook", "Lámpara")

    def product(number: int) -> ProductSpec:
        sizes = range(1, variants_of_first + 1) if number == 1 else (40, 42)
        variants = tuple(
            VariantSpec(
                id=number * 10_000 + size, sku=f"S{number}-{size}", options={"Talla": str(size)}, price=9990, stock=3
            )
            for size in sizes
        )
        kind = kinds[number % len(kinds)]
        title = f"{kind} Modelo{number:05d}"
        return ProductSpec(
            id=number, title=title, handle=f"p{number}", product_type=kind, vendor="Marca", variants=variants
        )

    return like.model_copy(
        update={"spec": spec, "products": tuple(product(n) for n in range(1, products + 1)), "invoices": ()}
    )


def is_right(wanted: dict[str, Any], titles: list[str]) -> bool:
    """Judge the first three: as many right ones as there are, the first one first, nothing that must not be shown."""
    right = [fold(name) for name in wanted["right"]]
    if not right:
        return titles == []
    first = [fold(title) for title in titles[: min(3, len(right))]]
    return (
        len(first) == min(3, len(right))
        and all(any(name in title for name in right) for title in first)
        and fold(wanted.get("first", "")) in first[0]
        and not any("never" in wanted and fold(wanted["never"]) in fold(title) for title in titles)
    )
