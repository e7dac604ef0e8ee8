"""A shop's UCP endpoint: one tool call by MCP, bounded in size, with its faults sorted."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter

from smarteros.domain.errors import ConfigError, PermanentError, SmosError, TransientError
from smarteros.domain.tenants import Tenant
from smarteros.kit.http import BodyTooLargeError, HttpClient, HttpFault
from smarteros.tools.deadline import Deadline
from smarteros.tools.faults import sorted_fault, tamed
from smarteros.tools.shopify.client import ShopifyClient
from smarteros.tools.shopify.credentials import SERVICE

ENDPOINT = "/api/ucp/mcp"
MOST_BYTES = 2_000_000
"""A page of ten products with all a shop may say of them is some 100 kB."""
_TOO_MANY = 429
_LEAST_WAIT_S = 1.0
# JSON-RPC codes of the endpoint: it cannot read or does not accept our profile; it wants a token; it failed itself.
_PROFILE_REFUSED, _TOKEN_WANTED, _FAILED = -32001, -32000, -32603

AnswerT = TypeVar("AnswerT", bound=BaseModel)


class _Fault(BaseModel):
    code: int = 0
    message: str = ""


class _Result(BaseModel):
    structuredContent: dict[str, Any] | None = None
    isError: bool = False


class _Envelope(BaseModel):
    """An answer of JSON-RPC: one of the two."""

    result: _Result | None = None
    error: _Fault | None = None


_ENVELOPE = TypeAdapter(_Envelope)


@dataclass(frozen=True)
class UcpClient:
    """Asks one tenant's shop as a visitor's agent. ``profile`` is the URL of who we are; ``sleep`` waits when told to.

    Which shop it is, and where, ``shops`` knows: both doors are of the same shop.
    """

    http: HttpClient
    shops: ShopifyClient
    profile: str | None
    sleep: Callable[[float], None] = time.sleep

    def domain(self, tenant: Tenant) -> str:
        """Return the shop's name, under which alone its links may lead."""
        return self.shops.store_domain(tenant)

    def ask(
        self, tenant: Tenant, tool: str, catalog: dict[str, Any], shape: type[AnswerT], deadline: Deadline
    ) -> AnswerT:
        """Call a catalogue tool and return what it says, tamed; told to wait, it is asked again while there is time."""
        if self.profile is None:
            raise ConfigError(
                "ucp_profile_missing", "Set SMOS_PUBLIC_URL to an https address: there the shop reads who asks."
            )
        arguments = {"meta": {"ucp-agent": {"profile": self.profile}}, "catalog": catalog}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
        while True:
            try:
                return self._answer(self._post(tenant, body, deadline), shape)
            except HttpFault as fault:
                if fault.status != _TOO_MANY:
                    raise sorted_fault(SERVICE, fault) from fault
                wait_s = max(fault.retry_after_s or 0.0, _LEAST_WAIT_S)
                if wait_s >= deadline.remaining_s():
                    raise TransientError("shopify_throttled", str(fault)) from fault
                self.sleep(wait_s)

    def _post(self, tenant: Tenant, body: dict[str, Any], deadline: Deadline) -> _Envelope:
        # The stand-in serves many shops on one loopback address and tells them apart by this name.
        headers = {"Host": self.domain(tenant), "Accept": "application/json"}
        url = f"{self.shops.url(tenant)}{ENDPOINT}"
        try:
            answer = self.http.short_json(
                url, headers=headers, json=body, max_bytes=MOST_BYTES, timeout_s=deadline.remaining_s()
            )
        except BodyTooLargeError:
            raise PermanentError(
                "shopify_answer_unreadable", f"The shop's answer exceeds {MOST_BYTES} bytes."
            ) from None
        return tamed(SERVICE, _ENVELOPE, answer)

    def _answer(self, envelope: _Envelope, shape: type[AnswerT]) -> AnswerT:
        if envelope.error is not None:
            raise _sorted_error(envelope.error)
        result = envelope.result
        if result is None or result.isError or result.structuredContent is None:
            raise PermanentError("shopify_request_refused", "The shop's UCP endpoint gives no result.")
        return tamed(SERVICE, TypeAdapter(shape), result.structuredContent)


def _sorted_error(fault: _Fault) -> SmosError:
    sentence = f"UCP error {fault.code}: {fault.message[:200]}"
    if fault.code == _PROFILE_REFUSED:
        return ConfigError("ucp_profile_refused", sentence)
    if fault.code == _TOKEN_WANTED:
        return ConfigError("shopify_access_refused", sentence)
    if fault.code == _FAILED:
        return TransientError("shopify_unavailable", sentence)
    return PermanentError("shopify_request_refused", sentence)
