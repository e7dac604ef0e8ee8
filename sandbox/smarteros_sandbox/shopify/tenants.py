"""The shops behind one stand-in server: who a token belongs to, and the short-lived tokens it issued."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence
from functools import cached_property
from threading import Lock, RLock
from time import monotonic, time

from smarteros_sandbox.shopify.admin_api import AdminApi
from smarteros_sandbox.shopify.cost import LeakyBucket
from smarteros_sandbox.shopify.storefront_api import StorefrontApi
from smarteros_sandbox.shopify.ucp import UcpCatalogue
from smarteros_sandbox.shops.models import DemoShop

TOKEN_SECONDS = 86_399
MOST_TOKENS = 1000
MYSHOPIFY = ".myshopify.com"


class ShopifyTenant:
    """One shop with its APIs and its rate limit. An API is made when it is first asked: many never are."""

    def __init__(self, shop: DemoShop, bucket_clock: Callable[[], float] = monotonic) -> None:
        self.shop = shop
        self.bucket = LeakyBucket(bucket_clock)
        self._making = RLock()

    @property
    def admin(self) -> AdminApi:
        """The Admin API; what was ordered and drafted there is kept."""
        with self._making:
            return self._admin

    @property
    def storefront(self) -> StorefrontApi:
        """The Storefront API; its carts are kept."""
        with self._making:
            return self._storefront

    @property
    def ucp(self) -> UcpCatalogue:
        """The catalogue by UCP: what the Storefront API shows."""
        with self._making:
            return self._ucp

    @cached_property
    def _admin(self) -> AdminApi:
        return AdminApi(self.shop)

    @cached_property
    def _storefront(self) -> StorefrontApi:
        return StorefrontApi(self.shop)

    @cached_property
    def _ucp(self) -> UcpCatalogue:
        return UcpCatalogue(self.shop, self._storefront.catalogue)

    @property
    def tenant_id(self) -> str:
        """The scope of faults."""
        return self.shop.spec.tenant_id


class ShopifyTenants:
    """Finds a shop by token or host."""

    def __init__(
        self,
        shops: Sequence[DemoShop],
        clock: Callable[[], float] = time,
        bucket_clock: Callable[[], float] = monotonic,
    ) -> None:
        self._clock = clock
        self._lock = Lock()
        self._issued: dict[str, tuple[ShopifyTenant, float]] = {}
        self.all = [ShopifyTenant(shop, bucket_clock) for shop in shops]

    def by_admin_token(self, token: str) -> ShopifyTenant | None:
        """The shop of a permanent token, or of an issued one that has not expired."""
        for tenant in self.all:
            if _equal(tenant.shop.spec.admin_token, token):
                return tenant
        with self._lock:
            tenant, expires = self._issued.get(token, (None, 0.0))
        return tenant if self._clock() < expires else None

    def by_storefront_token(self, token: str) -> ShopifyTenant | None:
        """The shop of a public Storefront token."""
        return next((one for one in self.all if _equal(one.shop.spec.storefront_token, token)), None)

    def by_host(self, host: str) -> ShopifyTenant | None:
        """The shop of a myshopify domain."""
        name = host_name(host)
        return next((one for one in self.all if one.shop.spec.store_domain == name), None)

    def issue_token(self, client_id: str, client_secret: str) -> str | None:
        """Client-credentials grant: a new token for the app with these credentials."""
        tenant = self.by_client(client_id, client_secret)
        if tenant is None:
            return None
        token = f"shpat_{secrets.token_hex(16)}"
        with self._lock:
            self._issued[token] = (tenant, self._clock() + TOKEN_SECONDS)
            if len(self._issued) > MOST_TOKENS:
                self._issued.pop(next(iter(self._issued)))
        return token

    def by_client(self, client_id: str, client_secret: str) -> ShopifyTenant | None:
        """The shop of an app's credentials."""
        for tenant in self.all:
            spec = tenant.shop.spec
            if _equal(spec.client_id, client_id) and _equal(spec.client_secret, client_secret):
                return tenant
        return None


def host_name(host: str) -> str:
    """The Host header without its port, in lower case."""
    return host.rsplit(":", 1)[0].lower() if ":" in host else host.lower()


def host_fits(host: str, tenant: ShopifyTenant) -> bool:
    """A myshopify host must be the token's own; any other host (127.0.0.1, a proxy) is accepted."""
    name = host_name(host)
    return not name.endswith(MYSHOPIFY) or name == tenant.shop.spec.store_domain


def _equal(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode("utf-8", "replace"), right.encode("utf-8", "replace"))
