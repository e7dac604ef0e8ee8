"""Many turns at once, and a shop system that takes its time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.e2e.world import Customer, World

SHOES, ANOTHER_SHOP = "TENANT_DEMO", "TENANT_RUT_77123456"
FAQ = "¿Cuál es el horario de atención?"


@pytest.fixture
def slow_shopify(world: World) -> Iterator[None]:
    fault = {"service": "shopify", "kind": "slow", "scope": None, "times": None, "value": 1.2}
    world.http.post(f"{world.url}/sandbox/faults", json=fault).raise_for_status()
    yield
    world.http.delete(f"{world.url}/sandbox/faults").raise_for_status()


def reply_ids(customer: Customer) -> list[int]:
    """The replies a customer got, by Chatwoot's message ids: in the order in which they came."""
    return [m["id"] for m in customer.messages() if m["message_type"] in (1, "outgoing")]


def test_questions_are_answered_from_memory_while_product_searches_wait_for_a_slow_shop(
    world: World, slow_shopify: None
) -> None:
    buyers = [world.customer(SHOES) for _ in range(24)]
    same_shop, other_shop = world.customer(SHOES), world.customer(ANOTHER_SHOP)
    sent = [buyer.write("Busco zapatillas running talla 42") for buyer in buyers]
    asked = [(customer, customer.write(FAQ)) for customer in (same_shop, other_shop)]

    assert "horario" in same_shop.reply_to(asked[0][1]).lower() or "abr" in same_shop.replies()[0].lower()
    for customer, message in (asked[1], *zip(buyers, sent, strict=True)):
        customer.reply_to(message)
    found = [reply_ids(buyer) for buyer in buyers]
    assert [len(replies) for replies in found] == [1] * len(buyers)
    for customer in (same_shop, other_shop):
        answered = reply_ids(customer)[0]
        assert sum(replies[0] > answered for replies in found) >= 12
