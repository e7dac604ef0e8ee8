"""Is a shop that gave us no credentials there, does it accept who we are, and what does it say its things cost?"""

from __future__ import annotations

from smarteros.doctor.examination import Group, Observed, Step
from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import Tenant
from smarteros.tools.deadline import Deadline
from smarteros.tools.ucp.answers import ProductsAnswer
from smarteros.tools.ucp.client import UcpClient

WITHIN_S = 10.0


class UcpExamination:
    """Looks at the UCP endpoints of the shops that are asked by them."""

    def __init__(self, client: UcpClient) -> None:
        self._client = client

    def group(self) -> Group[Tenant]:
        """Return the steps; each rests on those before it."""
        return Group(
            "shop",
            lambda tenant: tenant.shop_door == "ucp" and self._client.shops.is_connected(tenant),
            (
                Step(
                    "domain",
                    lambda tenant: Observed(self._client.domain(tenant)),
                    "Set secret shopify/store_domain to the shop's <name>.myshopify.com.",
                    of_credentials=True,
                ),
                Step(
                    "ucp",
                    self._catalogue,
                    "Set SMOS_PUBLIC_URL to an https address, and look whether the shop offers UCP; docs/shopify.md.",
                ),
            ),
        )

    def _catalogue(self, tenant: Tenant) -> Observed:
        """Read a product: the operator compares its price with the shop's page."""
        asked = {"filters": {"available": True}, "pagination": {"limit": 1}}
        answer = self._client.ask(tenant, "search_catalog", asked, ProductsAnswer, Deadline.after(WITHIN_S))
        shown = (each.in_our_terms(self._client.domain(tenant)) for each in answer.products)
        product = next((product for product in shown if product is not None), None)
        if product is None:
            raise ConfigError("ucp_catalogue_empty", "The shop shows no product by UCP.")
        return Observed(f"shows {product.title} at {product.variants[0].price} {product.currency}")
