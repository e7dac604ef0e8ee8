"""Webhooks of shops: who forges, repeats or twists one gets nothing, and what is true is taken once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from tests.support import MemorySecrets

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tenants import Tenant
from smarteros.edge.app import create_app
from smarteros.edge.shopify_webhooks import MAX_BYTES, shopify_webhook_router
from smarteros.kit.clock import SystemClock
from smarteros.store.catalogue_tables import conversions
from smarteros.store.database import Database
from smarteros.store.tables import conversations
from smarteros.tenants.directory import TenantDirectory
from smarteros.tools.mirror.events import ShopEvents

SECRET, OTHER_SECRET = "shpss_of_this_app", "shpss_of_another_app"
TENANT, SUSPENDED = "HOOK_SHOP", "HOOK_ASLEEP"
DOMAIN = "hook-shop.myshopify.com"
CONVERSATION = 4711
ORDER: dict[str, Any] = {
    "id": 820982911946154508,
    "name": "#9999",
    "created_at": "2026-11-23T10:00:00-03:00",
    "total_price": "79980.00",
    "currency": "CLP",
    "note_attributes": [{"name": "smos_conversation", "value": str(CONVERSATION)}],
}


class Shop:
    """Sends webhooks as a shop does, or nearly so."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.refreshed: list[tuple[str, str]] = []
        self.refusals: list[str] = []
        directory = TenantDirectory(database)
        secrets = MemorySecrets({})
        for number, tenant_id in enumerate((TENANT, SUSPENDED)):
            tenant = a_tenant(tenant_id, number)
            directory.save(tenant)
            secrets.write(tenant.scope, "shopify/client_secret", SECRET)
            secrets.write(tenant.scope, "shopify/store_domain", DOMAIN)
        events = ShopEvents(database, SystemClock(), lambda t, product: self.refreshed.append((t.tenant_id, product)))
        router = shopify_webhook_router(directory, secrets, events, self._audit)
        self.client = TestClient(create_app([router]))

    def _audit(self, error: RejectedInputError, details: dict[str, Any]) -> None:
        self.refusals.append(error.code)

    def post(
        self,
        body: Any,
        *,
        topic: str = "orders/create",
        event: str | None = None,
        secret: str = SECRET,
        key: str = "key-of-hook_shop-0123456789",
        **headers: str,
    ) -> tuple[int, str]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {
            "X-Shopify-Hmac-Sha256": sign(raw, secret),
            "X-Shopify-Topic": topic,
            "X-Shopify-Shop-Domain": DOMAIN,
            "X-Shopify-Webhook-Id": event or hashlib.sha256(raw + topic.encode()).hexdigest(),
        }
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.client.post(f"/webhooks/shopify/{key}", content=raw, headers=sent)
        said = answer.json()
        return answer.status_code, said.get("status") or said.get("code", "")

    def converted(self) -> list[Any]:
        with self.database.tenant(a_tenant(TENANT, 0).scope) as connection:
            return list(connection.execute(sa.select(conversions).where(conversions.c.tenant_id == TENANT)))


def a_tenant(tenant_id: str, number: int) -> Tenant:
    return Tenant(
        tenant_id=tenant_id,
        name="Tienda",
        rut="76192083-9",
        tenant_key=f"key-of-{tenant_id.lower()}-0123456789",
        active=tenant_id != SUSPENDED,
        chatwoot_url="https://crm.hook.cl",
        chatwoot_account_ids=(88000 + number,),
    )


def sign(raw: bytes, secret: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()


@pytest.fixture
def shop(database: Database) -> Shop:
    shop = Shop(database)
    scope = a_tenant(TENANT, 0).scope
    with database.tenant(scope) as connection:
        connection.execute(sa.text("DELETE FROM smos.conversions"))
        connection.execute(sa.text("DELETE FROM smos.shop_webhooks"))
        connection.execute(sa.delete(conversations).where(conversations.c.tenant_id == TENANT))
        connection.execute(
            sa.insert(conversations).values(tenant_id=TENANT, conversation_id=CONVERSATION, state={}, history=[])
        )
    return shop


def test_an_order_of_a_conversation_is_attributed_to_it_with_amount_and_currency(shop: Shop) -> None:
    assert shop.post(ORDER) == (200, "accepted")
    (row,) = shop.converted()
    assert (row.conversation_id, row.order_name, row.amount, row.currency) == (
        CONVERSATION,
        "#9999",
        Decimal("79980.00"),
        "CLP",
    )


def test_an_order_told_again_counts_once_whatever_the_event_is_called(shop: Shop) -> None:
    assert shop.post(ORDER, event="a") == (200, "accepted")
    assert shop.post(ORDER, event="a") == (200, "duplicate")
    assert shop.post({**ORDER, "total_price": "1.00"}, event="b") == (200, "accepted")
    assert [row.amount for row in shop.converted()] == [Decimal("79980.00")]


@pytest.mark.parametrize(
    "change",
    [
        {"note_attributes": []},
        {"note_attributes": [{"name": "smos_conversation", "value": "4712"}]},
        {"note_attributes": [{"name": "smos_conversation", "value": "4711; DROP TABLE x"}]},
        {"note_attributes": [{"name": "smos_conversation", "value": "9" * 40}]},
        {"note_attributes": [{"name": "smos_conversation", "value": {"a": 1}}]},
        {"test": True},
    ],
)
def test_an_order_of_no_conversation_of_this_shop_is_nobodys(shop: Shop, change: dict[str, Any]) -> None:
    assert shop.post(ORDER | change) == (200, "ignored")
    assert shop.converted() == []


@pytest.mark.parametrize(
    "change",
    [
        {"total_price": "NaN"},
        {"total_price": "-1"},
        {"total_price": "1e400"},
        {"currency": "pesos"},
        {"id": "x"},
        {"id": -1},
        {"name": "a\x00b"},
        {"created_at": "ayer"},
        {"note_attributes": "x"},
    ],
)
def test_an_order_with_impossible_values_is_refused(shop: Shop, change: dict[str, Any]) -> None:
    assert shop.post(ORDER | change) == (422, "unreadable_event")
    assert shop.converted() == []


@pytest.mark.parametrize("topic", ["products/create", "products/update", "products/delete"])
def test_a_product_is_read_again_and_nothing_of_the_webhook_is_believed(shop: Shop, topic: str) -> None:
    body = {"id": 7891234567890, "title": "Gratis", "variants": [{"price": "1"}]}
    assert shop.post(body, topic=topic) == (200, "accepted")
    assert shop.refreshed == [(TENANT, "gid://shopify/Product/7891234567890")]
    assert shop.post(body, topic=topic) == (200, "duplicate")
    assert len(shop.refreshed) == 1


def test_a_topic_nobody_asked_for_is_ignored(shop: Shop) -> None:
    assert shop.post({"id": 1}, topic="customers/create") == (200, "ignored")
    assert shop.post({"id": 1}, topic="../../etc") == (422, "topic_missing")


@pytest.mark.parametrize(
    "signature",
    ["", "x", sign(b"other", SECRET), sign(json.dumps(ORDER).encode(), OTHER_SECRET), "=" * 5000],
)
def test_a_forged_signature_opens_nothing_and_is_audited(shop: Shop, signature: str) -> None:
    assert shop.post(ORDER, X_Shopify_Hmac_Sha256=signature.encode("utf-8").decode("latin-1")) == (
        401,
        "invalid_signature",
    )
    assert (shop.converted(), shop.refusals) == ([], ["invalid_signature"])


def test_the_signature_is_of_the_raw_bytes(shop: Shop) -> None:
    spaced = json.dumps(ORDER, indent=3).encode()
    assert shop.post(spaced) == (200, "accepted")
    forged = {"X_Shopify_Hmac_Sha256": sign(json.dumps(ORDER).encode(), SECRET)}
    assert shop.post(spaced + b" ", **forged) == (401, "invalid_signature")


def test_a_signature_sent_twice_is_refused(shop: Shop) -> None:
    raw = json.dumps(ORDER).encode()
    headers = [
        ("X-Shopify-Hmac-Sha256", "x"),
        ("X-Shopify-Hmac-Sha256", sign(raw, SECRET)),
        ("X-Shopify-Topic", "orders/create"),
        ("X-Shopify-Shop-Domain", DOMAIN),
    ]
    answer = shop.client.post("/webhooks/shopify/key-of-hook_shop-0123456789", content=raw, headers=headers)
    assert answer.status_code == 401


def test_a_genuine_webhook_of_another_shop_is_refused(shop: Shop) -> None:
    other = {"X_Shopify_Shop_Domain": "evil.myshopify.com"}
    assert shop.post(ORDER, **other) == (403, "other_shop")


@pytest.mark.parametrize("key", ["key-of-nobody-0123456789", "..%2f..%2f", "x"])
def test_an_unknown_url_tells_nothing(shop: Shop, key: str) -> None:
    assert shop.post(ORDER, key=key)[0] == 404


def test_a_suspended_shop_is_answered_and_nothing_is_done(shop: Shop) -> None:
    assert shop.post(ORDER, key="key-of-hook_asleep-0123456789") == (200, "ignored")


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b'{"id": 1e999}'])
def test_junk_with_a_right_signature_is_refused_without_falling_over(shop: Shop, body: bytes) -> None:
    status, _ = shop.post(body)
    assert status == 422


def test_a_body_without_end_is_cut(shop: Shop) -> None:
    assert shop.post(b" " * (MAX_BYTES + 1))[0] == 413
