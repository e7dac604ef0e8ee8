"""Webhook subscriptions of one shop: made, changed, listed and deleted through the Admin API."""

from __future__ import annotations

from itertools import count
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from smarteros_sandbox.shopify.connections import FieldFunction, Node, connection
from smarteros_sandbox.shopify.context import Info
from smarteros_sandbox.shopify.values import OPENED_AT, gid

MOST_SUBSCRIPTIONS = 200
_LOCAL = ("localhost", "127.0.0.1", "::1")


class WebhookSubscriptions:
    """What the shop tells whom."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._numbers = count(1_100_000_000_001)
        self.by_id: dict[str, Node] = {}

    def fields(self) -> dict[str, FieldFunction]:
        """The root fields."""
        return {
            "webhookSubscriptions": self._list,
            "webhookSubscription": self._one,
            "webhookSubscriptionCreate": self._create,
            "webhookSubscriptionUpdate": self._update,
            "webhookSubscriptionDelete": self._delete,
        }

    def _list(self, info: Info, **arguments: Any) -> Node:
        topics, uri = arguments.get("topics"), arguments.get("uri") or arguments.get("callbackUrl")
        found = [
            one
            for one in self.by_id.values()
            if (not topics or one["topic"] in topics) and (uri is None or one["uri"] == uri)
        ]
        return connection(found, arguments, unpaged=info.context.unpaged)

    def _one(self, _info: Info, **arguments: Any) -> Node | None:
        return self.by_id.get(arguments["id"])

    def _create(self, _info: Info, **arguments: Any) -> Node:
        wanted, topic = arguments["webhookSubscription"], arguments["topic"]
        with self._lock:
            problem = self._problem_with(wanted, topic, None)
            if problem is not None:
                return _refused(problem)
            made: Node = {
                "__typename": "WebhookSubscription",
                "id": gid("WebhookSubscription", next(self._numbers)),
                "topic": topic,
                "format": wanted.get("format") or "JSON",
                "createdAt": OPENED_AT,
                "updatedAt": OPENED_AT,
                **_address(wanted),
            }
            self.by_id[made["id"]] = made
        return {"webhookSubscription": made, "userErrors": []}

    def _update(self, _info: Info, **arguments: Any) -> Node:
        known, wanted = self.by_id.get(arguments["id"]), arguments["webhookSubscription"]
        if known is None:
            return _refused("Webhook subscription does not exist")
        with self._lock:
            problem = self._problem_with(wanted, known["topic"], known["id"])
            if problem is not None:
                return _refused(problem)
            known |= _address(wanted)
        return {"webhookSubscription": known, "userErrors": []}

    def _delete(self, _info: Info, **arguments: Any) -> Node:
        if self.by_id.pop(arguments["id"], None) is None:
            refused = _refused("Webhook subscription does not exist")
            return {"deletedWebhookSubscriptionId": None, "userErrors": refused["userErrors"]}
        return {"deletedWebhookSubscriptionId": arguments["id"], "userErrors": []}

    def _problem_with(self, wanted: dict[str, Any], topic: str, own_id: str | None) -> str | None:
        uri: str = _address(wanted)["uri"]
        parts = urlsplit(uri)
        if not uri:
            return "Address can't be blank"
        if parts.scheme != "https":
            return f"Address protocol {parts.scheme}:// is not supported"
        if parts.hostname in _LOCAL or (parts.hostname or "").endswith(".myshopify.com"):
            return "Address cannot be a Shopify or an internal domain"
        if any(one["topic"] == topic and one["uri"] == uri and one["id"] != own_id for one in self.by_id.values()):
            return "Address for this topic has already been taken"
        return "Too many webhook subscriptions" if len(self.by_id) >= MOST_SUBSCRIPTIONS else None


def _address(wanted: dict[str, Any]) -> Node:
    uri = str(wanted.get("uri") or wanted.get("callbackUrl") or "")
    return {"uri": uri, "callbackUrl": uri}


def _refused(message: str) -> Node:
    return {
        "webhookSubscription": None,
        "userErrors": [{"field": ["webhookSubscription", "callbackUrl"], "message": message}],
    }
