"""Puts the embedded tools together: the one place that knows all of them."""

from __future__ import annotations

from collections.abc import Callable

from smarteros.domain.knowledge import Policy
from smarteros.domain.tenants import TenantScope
from smarteros.kit.clock import Clock, SystemClock
from smarteros.kit.http import HttpClient
from smarteros.secrets.protocol import SecretStore
from smarteros.tools.cache import ToolCache
from smarteros.tools.doors import ShopDoors
from smarteros.tools.odoo.client import OdooClient
from smarteros.tools.odoo.customers import CustomerTools
from smarteros.tools.odoo.invoices import InvoiceFinder, InvoiceSearch
from smarteros.tools.odoo.tickets import TicketDesk
from smarteros.tools.product_search import ProductSearch, Remembered
from smarteros.tools.provider import EmbeddedToolProvider
from smarteros.tools.recommend import Recommender
from smarteros.tools.shopify.cart import CartMaker
from smarteros.tools.shopify.client import ShopifyClient
from smarteros.tools.shopify.details import ProductReader
from smarteros.tools.shopify.orders import OrderReader
from smarteros.tools.shopify.search import ShopifyCatalogue, search_tool
from smarteros.tools.shopify.stock import StockReader
from smarteros.tools.ucp.catalogue import UcpCatalogue
from smarteros.tools.ucp.client import UcpClient


def embedded_tools(
    *,
    http: HttpClient,
    secrets: SecretStore,
    cache: ToolCache,
    policy_of: Callable[[TenantScope], Policy],
    clock: Clock | None = None,
    shopify: ShopifyClient | None = None,
    ucp: UcpClient | None = None,
    catalogue_copy: Remembered | None = None,
) -> EmbeddedToolProvider:
    """Return the provider with the shop's and the ERP's tools.

    ``catalogue_copy`` is our copy of the shops' catalogues; without one every search asks the shop. ``ucp`` asks
    shops that gave us no credentials; without one they are not asked.
    """
    clock = clock or SystemClock()
    shopify = shopify or ShopifyClient(http, secrets)
    catalogue = ShopDoors(ShopifyCatalogue(shopify), UcpCatalogue(ucp or UcpClient(http, shopify, None)))
    search = ProductSearch(catalogue, cache, clock, catalogue_copy)
    stock = StockReader(catalogue, catalogue_copy)
    odoo = OdooClient(http, secrets)
    invoices, customers = InvoiceSearch(odoo), CustomerTools(odoo, policy_of)
    return EmbeddedToolProvider(
        (
            search_tool(search),
            ProductReader(catalogue, catalogue_copy).tool(),
            Recommender(search).tool(),
            stock.tool(),
            CartMaker(shopify, stock, cache, clock).tool(),
            OrderReader(shopify).tool(),
            InvoiceFinder(invoices, policy_of).tool(),
            customers.history(),
            customers.invoices(),
            TicketDesk(invoices).tool(),
        )
    )
