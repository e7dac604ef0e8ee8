"""What a customer and the shop's people see while Odoo fails: a person at once, no detail, a note with the reason."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.e2e.test_humans_first import Shop
from tests.e2e.world import World
from tests.support import until

GADGETS = "TENANT_RUT_78987654"
MARCELA = {"name": "Marcela Quezada", "phone_number": "+56972223344"}
QUESTION = "¿La boleta B-002310 todavía tiene garantía?"


@pytest.fixture(autouse=True)
def _odoo_is_well_again(world: World) -> Iterator[None]:
    yield
    world.http.delete(f"{world.url}/sandbox/faults").raise_for_status()


@pytest.mark.parametrize("kind", ["http_500", "access_error", "invalid_key"])
def test_who_asks_while_odoo_fails_gets_a_person(world: World, kind: str) -> None:
    fault = {"service": "odoo", "kind": kind, "scope": GADGETS}
    world.http.post(f"{world.url}/sandbox/faults", json=fault).raise_for_status()
    customer = world.customer(GADGETS, **MARCELA)
    reply = customer.ask(QUESTION)
    assert "Te conecto con un agente humano" in reply
    assert not any(word in reply for word in ("Traceback", "Odoo", "49990", "Pehuén", "odoo"))
    shop = Shop(world, customer)
    until(lambda: bool(shop.notes()), "the note of the hand-over")
    until(lambda: shop.status() == "open", "the person's turn")  # after the note
    assert "odoo_find_invoice" in "\n".join(shop.notes())


def test_the_same_question_is_answered_once_odoo_is_well(world: World) -> None:
    assert "Audífonos Bluetooth Pehuén" in world.customer(GADGETS, **MARCELA).ask(QUESTION)


def test_somebody_else_hears_nothing_of_the_invoice(world: World) -> None:
    reply = world.customer(GADGETS, name="Pedro Rojas", phone_number="+56998877665").ask(QUESTION)
    assert not any(word in reply for word in ("Pehuén", "49990", "Marcela"))
