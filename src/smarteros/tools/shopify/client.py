"""Shopify's GraphQL APIs: one POST, with its faults sorted and its rate limit obeyed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import AliasPath, BaseModel, Field, TypeAdapter

from smarteros.domain.errors import ConfigError, PermanentError, SmosError, TransientError
from smarteros.domain.tenants import Tenant
from smarteros.kit.http import HttpClient, HttpFault
from smarteros.secrets.protocol import SecretStore
from smarteros.tools.deadline import Deadline
from smarteros.tools.faults import read_header_secret, sorted_fault, tamed
from smarteros.tools.shopify.credentials import SERVICE, ShopifyCredentials
from smarteros.tools.shopify.versions import DEFAULT_VERSION

_REFUSED = f"{SERVICE}_access_refused"
_ADMIN_HEADER = "X-Shopify-Access-Token"
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
    most: float = Field(default=0, validation_alias=_cost("throttleStatus", "maximumAvailable"))
    available: float = Field(default=0, validation_alias=_cost("throttleStatus", "currentlyAvailable"))
    restore_rate: float = Field(default=100, validation_alias=_cost("throttleStatus", "restoreRate"))

    @property
    def wait_s(self) -> float:
        """Seconds until the bucket holds enough points for the same query."""
        return max((self.requested - self.available) / max(self.restore_rate, 1), _SHORTEST_WAIT_S)


_ENVELOPE = TypeAdapter(_Envelope)


@dataclass(frozen=True)
class Answered(Generic[AnswerT]):
    """An answer, and what is left in the shop's bucket after it (points; see _Envelope)."""

    data: AnswerT
    available: float
    most: float
    restore_rate: float

    def wait_for(self, share: float) -> float:
        """Seconds until the bucket is filled to that share again: who is in no hurry leaves room for customers."""
        return max(0.0, (self.most * share - self.available) / max(self.restore_rate, 1))


@dataclass(frozen=True)
class ShopifyClient:
    """Asks one tenant's shop. ``sleep`` waits for the rate limit."""

    http: HttpClient
    secrets: SecretStore
    sleep: Callable[[float], None] = time.sleep
    version: str = DEFAULT_VERSION
    credentials: ShopifyCredentials = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "credentials", ShopifyCredentials(self.http, self.secrets))

    def store_domain(self, tenant: Tenant) -> str:
        """Return the shop's ``*.myshopify.com`` name."""
        domain = self.secrets.read(tenant.scope, "shopify/store_domain").strip().lower()
        if not _HOST_NAME.match(domain):
            raise ConfigError("secret_malformed", f"shopify/store_domain of {tenant.tenant_id} is not a host name.")
        return domain

    def is_connected(self, tenant: Tenant) -> bool:
        """Tell whether the tenant has a shop at all."""
        return bool(self.secrets.find(tenant.scope, "shopify/store_domain"))

    def may_ask(self, tenant: Tenant) -> bool:
        """Tell whether the tenant has a shop whose Admin API is ours to ask."""
        return tenant.shop_door == "admin" and self.is_connected(tenant)

    def known_url(self, tenant: Tenant) -> str | None:
        """Return the address of the tenant's shop; None when there is none, or its name is none."""
        try:
            return self.url(tenant) if self.is_connected(tenant) else None
        except ConfigError:
            return None

    def has_storefront(self, tenant: Tenant) -> bool:
        """Tell whether the shop has given a token of its Storefront API."""
        return bool(self.secrets.find(tenant.scope, "shopify/storefront_token"))

    def query(
        self, tenant: Tenant, document: str, variables: dict[str, Any], shape: type[AnswerT], deadline: Deadline
    ) -> AnswerT:
        """Run a GraphQL query and return its data, tamed. A throttled query is repeated while there is time."""
        return self.metered_query(tenant, document, variables, shape, deadline).data

    def metered_query(
        self, tenant: Tenant, document: str, variables: dict[str, Any], shape: type[AnswerT], deadline: Deadline
    ) -> Answered[AnswerT]:
        """Run a query like ``query`` and tell also what it left in the shop's bucket."""
        while True:
            envelope = self._admin(tenant, {"query": document, "variables": variables}, deadline)
            if envelope.data is not None and not envelope.errors:
                data = tamed(SERVICE, TypeAdapter(shape), envelope.data)
                return Answered(data, envelope.available, envelope.most, envelope.restore_rate)
            error = _sorted_error(envelope.errors)
            if error.code != "shopify_throttled" or envelope.wait_s >= deadline.remaining_s():
                raise error
            self.sleep(envelope.wait_s)

    def storefront_query(
        self, tenant: Tenant, document: str, variables: dict[str, Any], shape: type[AnswerT], deadline: Deadline
    ) -> AnswerT:
        """Run a query of the Storefront API, whose token is ``shopify/storefront_token``. It has no bucket."""
        token = read_header_secret(self.secrets, tenant.scope, "shopify/storefront_token")
        headers = {"X-Shopify-Storefront-Access-Token": token}
        body = {"query": document, "variables": variables}
        envelope = self._post(tenant, "/api", headers, body, deadline)
        if envelope.data is None or envelope.errors:
            raise _sorted_error(envelope.errors)
        return tamed(SERVICE, TypeAdapter(shape), envelope.data)

    def _admin(self, tenant: Tenant, body: dict[str, Any], deadline: Deadline) -> _Envelope:
        """Post to the Admin API; a token that ended early is replaced, once."""
        token = self._token(tenant, deadline)
        try:
            return self._post(tenant, "/admin/api", {_ADMIN_HEADER: token}, body, deadline)
        except ConfigError as refused:
            if refused.code != _REFUSED or not self.credentials.forget(tenant, token):
                raise
        return self._post(tenant, "/admin/api", {_ADMIN_HEADER: self._token(tenant, deadline)}, body, deadline)

    def _token(self, tenant: Tenant, deadline: Deadline) -> str:
        return self.credentials.token(tenant, self.url(tenant), self.store_domain(tenant), deadline)

    def url(self, tenant: Tenant) -> str:
        """Return the base address of the tenant's shop; ConfigError when its name is none."""
        return tenant.shopify_url or f"https://{self.store_domain(tenant)}"

    def _post(
        self, tenant: Tenant, api: str, headers: dict[str, str], body: dict[str, Any], deadline: Deadline
    ) -> _Envelope:
        # The stand-in serves many shops on one loopback address and tells them apart by this name.
        headers = {**headers, "Host": self.store_domain(tenant)}
        url = f"{self.url(tenant)}{api}/{self.version}/graphql.json"
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
        return ConfigError(_REFUSED, sentence)
    if "INTERNAL_SERVER_ERROR" in codes:
        return TransientError("shopify_unavailable", sentence)
    return PermanentError("shopify_request_refused", sentence)
