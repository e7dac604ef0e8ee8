"""Everything an installation needs of its shops' catalogues, put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import Clock, in_santiago
from smarteros.kit.http import HttpClient
from smarteros.secrets.protocol import SecretStore
from smarteros.store.database import Database
from smarteros.tools.cache import ToolCache
from smarteros.tools.mirror.comparing import CatalogueKeeper
from smarteros.tools.mirror.copy import CatalogueCopies
from smarteros.tools.mirror.events import ShopEvents
from smarteros.tools.mirror.loop import CatalogueLoop
from smarteros.tools.seen_titles import SeenTitles
from smarteros.tools.shopify.client import ShopifyClient
from smarteros.tools.shopify.subscriptions import WebhookSubscriber
from smarteros.tools.shopify.titles import ShopifyTitles
from smarteros.tools.shopify.versions import expiry_warning
from smarteros.tools.ucp.client import UcpClient
from smarteros.tools.ucp.profile import profile_url

_log = structlog.get_logger()


@dataclass(frozen=True)
class ShopCatalogues:
    """The clients of all shops, our copies of their catalogues, and who keeps them up to date."""

    client: ShopifyClient
    ucp: UcpClient
    database: Database
    clock: Clock
    copies: CatalogueCopies
    subscriber: WebhookSubscriber

    @classmethod
    def open(
        cls,
        http: HttpClient,
        secrets: SecretStore,
        database: Database,
        clock: Clock,
        version: str,
        public_url: str | None = None,
    ) -> ShopCatalogues:
        """Put them together; an API version that ends soon is told to the operator.

        ``public_url`` is where the shops' webhooks reach us and where they read who we are: without it changes are
        found by comparing alone, and shops that gave us no credentials are not asked.
        """
        if warning := expiry_warning(version, in_santiago(clock.now()).date()):
            _log.warning("shopify_api_version_ends", remedy=warning)
        client = ShopifyClient(http, secrets, version=version)
        subscriber = WebhookSubscriber(client, public_url)
        ucp = UcpClient(http, client, profile_url(public_url))
        return cls(client, ucp, database, clock, CatalogueCopies(database, clock), subscriber)

    @property
    def keeper(self) -> CatalogueKeeper:
        """Who reads shops into their copies."""
        return CatalogueKeeper(self.client, self.database, self.clock)

    def begin(self, tenants: Callable[[], tuple[Tenant, ...]], *, compares: bool) -> tuple[CatalogueLoop, ShopEvents]:
        """Start the thread that keeps the copies; returns it, to be stopped, and who takes the shops' webhooks."""
        loop = CatalogueLoop(self.keeper, tenants, compares=compares, subscriber=self.subscriber)
        loop.start()
        return loop, ShopEvents(self.database, self.clock, loop.refresh_soon)

    def seen_titles(self, cache: ToolCache) -> SeenTitles:
        """Return the titles from which the agent learns a shop's words."""
        return SeenTitles(cache, self.clock, self.copies)

    def invoice_titles(self) -> ShopifyTitles:
        """Return the titles that the words of an invoice are compared with."""
        return ShopifyTitles(self.client)
