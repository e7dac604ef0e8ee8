"""Puts the embedded tools together: the one place that knows all of them."""

from __future__ import annotations

from collections.abc import Callable

from smarteros.domain.knowledge import Policy
from smarteros.domain.tenants import TenantScope
from smarteros.kit.clock import Clock, SystemClock
from smarteros.kit.http import HttpClient
from smarteros.secrets.protocol import SecretStore
from smarteros.tools.cache import ToolCache
from smarteros.tools.odoo.client import OdooClient
from smarteros.tools.odoo.invoices import InvoiceFinder
from smarteros.tools.provider import EmbeddedToolProvider
from smarteros.tools.shopify.cart import CartLink
from smarteros.tools.shopify.client import ShopifyClient
from smarteros.tools.shopify.search import search_tool


def embedded_tools(
    *,
    http: HttpClient,
    secrets: SecretStore,
    cache: ToolCache,
    policy_of: Callable[[TenantScope], Policy],
    clock: Clock | None = None,
) -> EmbeddedToolProvider:
    """Return the provider with the shop's and the ERP's tools."""
    shopify = ShopifyClient(http, secrets)
    return EmbeddedToolProvider(
        (
            search_tool(shopify, cache, clock or SystemClock()),
            CartLink(shopify).tool(),
            InvoiceFinder(OdooClient(http, secrets), policy_of).tool(),
        )
    )
