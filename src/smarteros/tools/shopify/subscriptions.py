"""Which of a shop's webhooks come to us: made by ourselves, found again, moved when our own address changed.

A subscription belongs to the app whose credentials ask for it. Shopify deletes one after eight failures in four hours
(https://shopify.dev/docs/apps/build/webhooks), so they are looked at again with every full reading of the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import AliasPath, BaseModel, Field

from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.tools.deadline import Deadline
from smarteros.tools.shopify.client import ShopifyClient

TOPICS = ("PRODUCTS_CREATE", "PRODUCTS_UPDATE", "PRODUCTS_DELETE", "ORDERS_CREATE")
PATH = "/webhooks/shopify/"
LIST_DOCUMENT = """
query ReadWebhooks($topics: [WebhookSubscriptionTopic!]) {
  webhookSubscriptions(first: 100, topics: $topics) { nodes { id topic uri } }
}
"""
CREATE_DOCUMENT = """
mutation SubscribeWebhook($topic: WebhookSubscriptionTopic!, $wanted: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $wanted) { userErrors { field message } }
}
"""
UPDATE_DOCUMENT = """
mutation MoveWebhook($id: ID!, $wanted: WebhookSubscriptionInput!) {
  webhookSubscriptionUpdate(id: $id, webhookSubscription: $wanted) { userErrors { field message } }
}
"""
_WITHIN_S = 20.0


class Subscriptions(Model):
    """How a shop's webhooks stand. ``problem`` is the operator's sentence; ``missing`` are topics nobody sends us."""

    address: str | None = None
    made: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    problem: str | None = None

    @property
    def told(self) -> str:
        """One line for the operator."""
        if self.problem is not None:
            return f"webhooks: {self.problem}; changes are found within ten minutes, orders are not attributed"
        if self.missing:
            return f"webhooks: {', '.join(map(_spoken, self.missing))} not subscribed to"
        made = f" ({', '.join(map(_spoken, self.made))} subscribed to now)" if self.made else ""
        return f"webhooks come to {self.address}{made}"


class _Known(BaseModel):
    id: str
    topic: str
    uri: str


class _ListAnswer(BaseModel):
    """Data of LIST_DOCUMENT."""

    nodes: list[_Known] = Field(validation_alias=AliasPath("webhookSubscriptions", "nodes"))


class _CreateAnswer(BaseModel):
    """Data of CREATE_DOCUMENT."""

    problems: list[dict[str, Any]] = Field(validation_alias=AliasPath("webhookSubscriptionCreate", "userErrors"))


class _UpdateAnswer(BaseModel):
    """Data of UPDATE_DOCUMENT."""

    problems: list[dict[str, Any]] = Field(validation_alias=AliasPath("webhookSubscriptionUpdate", "userErrors"))


@dataclass(frozen=True)
class WebhookSubscriber:
    """Subscribes to shops' webhooks. ``public_url`` is where Shopify reaches this installation, if it does."""

    client: ShopifyClient
    public_url: str | None

    def look(self, tenant: Tenant) -> Subscriptions:
        """Tell what is subscribed to. Raises what the shop's faults are."""
        address, problem = self._address(tenant)
        if address is None:
            return Subscriptions(problem=problem)
        there = {known.topic for known in self._known(tenant) if known.uri == address}
        return Subscriptions(address=address, missing=tuple(topic for topic in TOPICS if topic not in there))

    def ensure(self, tenant: Tenant) -> Subscriptions:
        """Subscribe to what is missing and move what goes to an old address of ours; done again, it changes nothing.

        Raises what the shop's faults are; what Shopify has against a subscription is the ``problem``.
        """
        address, problem = self._address(tenant)
        if address is None:
            return Subscriptions(problem=problem)
        known = self._known(tenant)
        there = {one.topic for one in known if one.uri == address}
        old = {one.topic: one.id for one in known if one.uri.endswith(PATH + tenant.tenant_key)}
        problems = {t: self._subscribe(tenant, t, address, old.get(t)) for t in TOPICS if t not in there}
        return Subscriptions(
            address=address,
            made=tuple(topic for topic, problem in problems.items() if problem is None),
            missing=tuple(topic for topic, problem in problems.items() if problem is not None),
            problem=next((f"{_spoken(topic)}: {said}" for topic, said in problems.items() if said), None),
        )

    def _address(self, tenant: Tenant) -> tuple[str | None, str]:
        """Return where this tenant's webhooks are to go, or why there is no such place."""
        if not self.client.secrets.find(tenant.scope, "shopify/client_secret"):
            return None, "without the secret shopify/client_secret they could not be believed"
        if self.public_url is None:
            return None, "SMOS_PUBLIC_URL is not set, so Shopify cannot reach this installation"
        if not self.public_url.startswith("https://"):
            return None, "SMOS_PUBLIC_URL is not an https address; Shopify sends to no other"
        return self.public_url.rstrip("/") + PATH + tenant.tenant_key, ""

    def _known(self, tenant: Tenant) -> list[_Known]:
        deadline = Deadline.after(_WITHIN_S)
        return self.client.query(tenant, LIST_DOCUMENT, {"topics": list(TOPICS)}, _ListAnswer, deadline).nodes

    def _subscribe(self, tenant: Tenant, topic: str, address: str, old_id: str | None) -> str | None:
        """Make or move a subscription; returns what Shopify has against it, or None."""
        deadline, wanted = Deadline.after(_WITHIN_S), {"uri": address}
        if old_id is not None:
            moving = {"id": old_id, "wanted": wanted}
            problems = self.client.query(tenant, UPDATE_DOCUMENT, moving, _UpdateAnswer, deadline).problems
        else:
            making = {"topic": topic, "wanted": {**wanted, "format": "JSON"}}
            problems = self.client.query(tenant, CREATE_DOCUMENT, making, _CreateAnswer, deadline).problems
        return "; ".join(str(problem.get("message", "")) for problem in problems)[:300] or None


def _spoken(topic: str) -> str:
    """Write a topic as the webhook's header has it: ``products/create``."""
    return topic.lower().replace("_", "/", 1)
