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


def unanswered(customers: list[Customer]) -> int:
    return sum(not customer.replies() for customer in customers)


def test_questions_are_answered_from_memory_while_product_searches_wait_for_a_slow_shop(
    world: World, slow_shopify: None
) -> None:
    buyers = [world.customer(SHOES) for _ in range(24)]
    sent = [buyer.write("Busco zapatillas running talla 42") for buyer in buyers]

    same_shop, other_shop = world.customer(SHOES), world.customer(ANOTHER_SHOP)
    assert "horario" in same_shop.ask(FAQ).lower() or "abr" in same_shop.replies()[0].lower()
    assert unanswered(buyers) >= 12
    other_shop.ask(FAQ)
    assert unanswered(buyers) >= 12

    for buyer, message in zip(buyers, sent, strict=True):
        buyer.reply_to(message)
    assert [len(buyer.replies()) for buyer in buyers] == [1] * len(buyers)
