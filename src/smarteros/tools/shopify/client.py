"""Shopify's Admin GraphQL API: one POST, with its faults sorted and its rate limit obeyed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import AliasPath, BaseModel, Field, TypeAdapter

from smarteros.domain.errors import ConfigError, PermanentError, SmosError, TransientError
from smarteros.domain.tenants import Tenant
from smarteros.kit.http import HttpClient, HttpFault
from smarteros.secrets.protocol import SecretStore
from smarteros.tools.deadline import Deadline
from smarteros.tools.faults import read_header_secret, sorted_fault, tamed

SERVICE = "shopify"
API_VERSION = "2026-10"
_HOST_NAME = re.compile(r"^(?=.{4,253}$)[a-z0-9-]+(\.[a-z0-9-]+)+$")
_SHORTEST_WAIT_S = 0.1

AnswerT = TypeVar("AnswerT", bound=BaseModel)


class _GraphqlError(BaseModel):
    message: str = ""
    code: str = Field(default="", validation_alias=AliasPath("extensions", "code"))


def _cost(*path: str) -> AliasPath:
    return AliasPath("extensions", "cost", *path)


class _Envelope(BaseModel):
    """Shopify's answer around the data. It is HTTP 200 also when the query was throttled or refused.

    Costs are points of the app's bucket for this shop, whose size and refill (points a second) depend on the plan.
    """

    data: dict[str, Any] | None = None
    errors: list[_GraphqlError] = Field(default_factory=list[_GraphqlError])
    requested: float = Field(default=0, validation_alias=_cost("requestedQueryCost"))
    available: float = Field(default=0, validation_alias=_cost("throttleStatus", "currentlyAvailable"))
    restore_rate: float = Field(default=100, validation_alias=_cost("throttleStatus", "restoreRate"))

    @property
    def wait_s(self) -> float:
        """Seconds until the bucket holds enough points for the same query."""
        return max((self.requested - self.available) / max(self.restore_rate, 1), _SHORTEST_WAIT_S)


_ENVELOPE = TypeAdapter(_Envelope)


@dataclass(frozen=True)
class ShopifyClient:
    """Asks one tenant's shop. ``sleep`` waits for the rate limit."""

    http: HttpClient
    secrets: SecretStore
    sleep: Callable[[float], None] = time.sleep

    def store_domain(self, tenant: Tenant) -> str:
        """Return the shop's ``*.myshopify.com`` name."""
        domain = self.secrets.read(tenant.scope, "shopify/store_domain").strip().lower()
        if not _HOST_NAME.match(domain):
            raise ConfigError("secret_malformed", f"shopify/store_domain of {tenant.tenant_id} is not a host name.")
        return domain

    def query(
        self,
        tenant: Tenant,
        document: str,
        variables: dict[str, Any],
        shape: type[AnswerT],
        deadline: Deadline,
    ) -> AnswerT:
        """Run a GraphQL query and return its data, tamed. A throttled query is repeated while there is time."""
        while True:
            envelope = self._post(tenant, {"query": document, "variables": variables}, deadline)
            if envelope.data is not None and not envelope.errors:
                return tamed(SERVICE, TypeAdapter(shape), envelope.data)
            error = _sorted_error(envelope.errors)
            if error.code != "shopify_throttled" or envelope.wait_s >= deadline.remaining_s():
                raise error
            self.sleep(envelope.wait_s)

    def _post(self, tenant: Tenant, body: dict[str, Any], deadline: Deadline) -> _Envelope:
        domain = self.store_domain(tenant)
        headers = {
            "X-Shopify-Access-Token": read_header_secret(self.secrets, tenant.scope, "shopify/admin_token"),
            # The stand-in serves many shops on one loopback address and tells them apart by this name.
            "Host": domain,
        }
        url = f"{tenant.shopify_url or f'https://{domain}'}/admin/api/{API_VERSION}/graphql.json"
        try:
            answer = self.http.json("POST", url, headers=headers, json=body, timeout_s=deadline.remaining_s())
        except HttpFault as fault:
            raise sorted_fault(SERVICE, fault) from fault
        return tamed(SERVICE, _ENVELOPE, answer)


def _sorted_error(errors: list[_GraphqlError]) -> SmosError:
    """Return the error that Shopify's codes mean (shopify.dev/docs/api/admin-graphql, "Status and error codes")."""
    codes = {error.code for error in errors}
    sentence = "; ".join(error.message for error in errors)[:300] or "Shopify gave neither data nor an error."
    if "THROTTLED" in codes:
        return TransientError("shopify_throttled", sentence)
    if codes & {"ACCESS_DENIED", "SHOP_INACTIVE"}:
        return ConfigError("shopify_access_refused", sentence)
    if "INTERNAL_SERVER_ERROR" in codes:
        return TransientError("shopify_unavailable", sentence)
    return PermanentError("shopify_request_refused", sentence)
