"""The access token of a shop: a permanent one, or one of 24 hours got for the app's own credentials.

Apps made since 2026 have no permanent token; they ask for one by the client-credentials grant
(https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/client-credentials-grant).
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import BaseModel, TypeAdapter

from smarteros.domain.errors import ConfigError, SmosError
from smarteros.domain.tenants import Tenant
from smarteros.kit.http import HttpClient, HttpFault
from smarteros.secrets.protocol import SecretStore
from smarteros.tools.deadline import Deadline
from smarteros.tools.faults import header_value, read_header_secret, sorted_fault, tamed

SERVICE = "shopify"
_USED_SHARE = 0.9
"""Part of a token's life after which the next one is got: none is sent that may end on its way."""


class _Grant(BaseModel):
    """Shopify's answer: the token and for how many seconds it holds."""

    access_token: str
    expires_in: float


class _Token(NamedTuple):
    """A token, whose app it is, and until when it is used (seconds of the monotonic clock)."""

    value: str
    client: tuple[str, str]
    until: float


_GRANT = TypeAdapter(_Grant)


@dataclass(frozen=True)
class ShopifyCredentials:
    """Access tokens by tenant. Thread-safe; the tokens got are kept in memory only."""

    http: HttpClient
    secrets: SecretStore
    monotonic: Callable[[], float] = time.monotonic
    _tokens: dict[str, _Token] = field(default_factory=dict[str, _Token], init=False)
    _asking: defaultdict[str, threading.Lock] = field(
        default_factory=lambda: defaultdict[str, threading.Lock](threading.Lock), init=False
    )

    def token(self, tenant: Tenant, shop_url: str, domain: str, deadline: Deadline) -> str:
        """Return a token that holds now. The app's credentials go first, then ``shopify/admin_token``.

        Raises ConfigError when there is neither or Shopify refuses the credentials, TransientError when it is away.
        """
        client = self._client(tenant)
        if client is None:
            return read_header_secret(self.secrets, tenant.scope, "shopify/admin_token")
        with self._asking[tenant.tenant_id]:  # one asks, the others wait for what it gets
            known = self._tokens.get(tenant.tenant_id)
            if known is None or known.client != client or self.monotonic() >= known.until:
                known = self._granted(tenant, client, shop_url, domain, deadline)
                self._tokens[tenant.tenant_id] = known
            return known.value

    def forget(self, tenant: Tenant, token: str) -> bool:
        """Drop a token that Shopify refused; tells whether another one can be got, which a permanent one cannot."""
        with self._asking[tenant.tenant_id]:
            known = self._tokens.get(tenant.tenant_id)
            if known is not None and known.value == token:
                del self._tokens[tenant.tenant_id]
        return self._client(tenant) is not None

    def _client(self, tenant: Tenant) -> tuple[str, str] | None:
        client_id = self.secrets.find(tenant.scope, "shopify/client_id")
        client_secret = self.secrets.find(tenant.scope, "shopify/client_secret")
        return (client_id.strip(), client_secret.strip()) if client_id and client_secret else None

    def _granted(
        self, tenant: Tenant, client: tuple[str, str], shop_url: str, domain: str, deadline: Deadline
    ) -> _Token:
        asked_at = self.monotonic()
        body = {"grant_type": "client_credentials", "client_id": client[0], "client_secret": client[1]}
        try:
            answer = self.http.json(
                "POST",
                f"{shop_url}/admin/oauth/access_token",
                headers={"Host": domain},
                json=body,
                timeout_s=deadline.remaining_s(),
            )
        except HttpFault as fault:
            raise _sorted(fault, tenant) from fault
        grant = tamed(SERVICE, _GRANT, answer)
        value = header_value(grant.access_token, f"Shopify's token for {tenant.tenant_id}")
        return _Token(value, client, asked_at + grant.expires_in * _USED_SHARE)


def _sorted(fault: HttpFault, tenant: Tenant) -> SmosError:
    if fault.status is not None and 400 <= fault.status < 500 and not fault.transient:
        return ConfigError("shopify_access_refused", f"Shopify refuses the app credentials of {tenant.tenant_id}.")
    return sorted_fault(SERVICE, fault)
