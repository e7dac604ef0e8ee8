"""Webhooks of shops: believed by their signature over the raw bytes, answered at once, worked on afterwards.

Shopify waits five seconds and, after eight failures in four hours, deletes the subscription
(https://shopify.dev/docs/apps/build/webhooks). Signature: base64 of HMAC-SHA256 of the body with the app's secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.edge.bodies import read_body
from smarteros.secrets.protocol import SecretStore
from smarteros.tenants.directory import TenantDirectory
from smarteros.tools.mirror.events import Outcome, ShopEvents
from smarteros.tools.mirror.metrics import SHOP_WEBHOOKS

MAX_BYTES = 2 * 1024 * 1024
_URL = "/webhooks/shopify/"
_TENANT_KEY = re.compile(r"^[A-Za-z0-9_-]{16,128}$")
_TOPIC = re.compile(r"^[a-z_]{1,60}/[a-z_]{1,60}$")
_EVENT_ID = re.compile(r"^[\x21-\x7e]{1,128}$")
_SIGNATURE = "x-shopify-hmac-sha256"
_SINGLE_HEADERS = (_SIGNATURE, "x-shopify-topic", "x-shopify-shop-domain", "x-shopify-webhook-id")


class ShopReceipt(Model):
    """What became of a believed webhook."""

    status: Outcome


@dataclass(frozen=True)
class ShopWebhooks:
    """Takes webhooks in. ``audit_refusal`` writes down what was not believed."""

    tenants: TenantDirectory
    secrets: SecretStore
    events: ShopEvents
    audit_refusal: Callable[[RejectedInputError, dict[str, Any]], None]

    def take(self, raw: bytes, headers: dict[str, list[str]], tenant_key: str) -> ShopReceipt:
        """Take one webhook. RejectedInputError: 404 unknown URL, 401 signature, 403 other shop, 422 body."""
        try:
            tenant = self._believe(raw, headers, tenant_key)
            topic = _one(headers, "x-shopify-topic")
            if not _TOPIC.match(topic):
                raise RejectedInputError("topic_missing", "The webhook names no topic.")
            outcome: Outcome = "ignored"
            if tenant.active:
                outcome = self.events.take(tenant, topic, _event_id(raw, headers), _decoded(raw))
        except RejectedInputError as error:
            SHOP_WEBHOOKS.labels("", error.code).inc()
            self.audit_refusal(error, {"shop_webhook": True, "bytes": len(raw)})
            raise
        SHOP_WEBHOOKS.labels(tenant.tenant_id, outcome).inc()
        return ShopReceipt(status=outcome)

    def _believe(self, raw: bytes, headers: dict[str, list[str]], tenant_key: str) -> Tenant:
        """Return the tenant whose app signed these bytes for its own shop."""
        tenant = self.tenants.by_key(tenant_key) if _TENANT_KEY.match(tenant_key) else None
        if tenant is None:
            raise RejectedInputError("unknown_webhook_url", "There is no such webhook URL.", status=404)
        for name in _SINGLE_HEADERS:
            if len(headers.get(name, [])) > 1:
                raise RejectedInputError("duplicate_header", f"The header {name} came twice.", status=401)
        signature = _one(headers, _SIGNATURE)
        if not any(is_signed(raw, signature, secret) for secret in self._accepted(tenant)):
            raise RejectedInputError("invalid_signature", "Invalid HMAC signature", status=401)
        domain = self.secrets.find(tenant.scope, "shopify/store_domain")
        if domain is None or _one(headers, "x-shopify-shop-domain").lower() != domain.strip().lower():
            raise RejectedInputError("other_shop", "The webhook is another shop's.", status=403)
        return tenant

    def _accepted(self, tenant: Tenant) -> tuple[str, ...]:
        return tuple(secret for secret in self.secrets.accepted(tenant.scope, "shopify/client_secret") if secret)


def is_signed(raw: bytes, signature: str, secret: str) -> bool:
    """Tell whether a signature is that of these bytes, in constant time."""
    expected = base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest())
    return hmac.compare_digest(expected, signature.encode("utf-8", "replace"))


def shopify_webhook_router(
    tenants: TenantDirectory,
    secrets: SecretStore,
    events: ShopEvents,
    audit_refusal: Callable[[RejectedInputError, dict[str, Any]], None],
) -> APIRouter:
    """Build the route; ``audit_refusal`` writes down what was not believed."""
    webhooks = ShopWebhooks(tenants, secrets, events, audit_refusal)
    router = APIRouter(tags=["webhooks"])

    @router.post(_URL + "{tenant_key}", operation_id="receive_shop_webhook")
    async def shop_webhook(  # pyright: ignore[reportUnusedFunction]
        tenant_key: str, request: Request
    ) -> ShopReceipt:
        """Take a webhook of the tenant's shop: products that changed, orders that came from a conversation."""
        headers: dict[str, list[str]] = {}
        for name, value in request.headers.raw:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        raw = await read_body(request, MAX_BYTES)
        return await run_in_threadpool(webhooks.take, raw, headers, tenant_key)

    return router


def _one(headers: dict[str, list[str]], name: str) -> str:
    return headers.get(name, [""])[0].strip()


def _event_id(raw: bytes, headers: dict[str, list[str]]) -> str:
    """Name the event: Shopify's id of it, the same however often it is sent; without one the body itself."""
    for name in ("x-shopify-event-id", "x-shopify-webhook-id"):
        given = _one(headers, name)
        if _EVENT_ID.match(given):
            return f"{_one(headers, 'x-shopify-topic')}:{given}"
    return hashlib.sha256(raw).hexdigest()


def _decoded(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise RejectedInputError("invalid_json", "The body is not JSON.") from error
