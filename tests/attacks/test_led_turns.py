"""An orchestrator that leads a turn (n8n) and means harm: its decision states what nobody looked up."""

from __future__ import annotations

import pytest
from tests.unit.flow.conftest import bench, turn_queue
from tests.unit.flow.test_orchestrated import Led, led

from smarteros.domain.decisions import Decision, Entities

__all__ = ["bench", "led", "turn_queue"]


def says(led: Led, message_id: int, lie: str, size: str, question: str) -> str:
    """What the customer reads when the orchestrator wants the lie said and names its fact as his size."""
    led.bench.receive(message_id, question, ago_s=60)
    decision = Decision(
        intent="faq_contact", confidence=0.99, route="kb_direct", reply=lie, entities=Entities(size=size)
    )
    led.bench.channel.posted.clear()
    led.bench.channel.state = led.bench.channel.state.model_copy(update={"status": "pending"})
    led.reply(led.resolve(message_id), decision)
    return "\n".join(led.bench.channel.posted)


LIES = [
    ("Llama al +56 9 8888 7777.", "+56988887777"),
    ("Usa el código VERANO20.", "VERANO20"),
    ("Estamos en Calle Falsa 123.", "123"),
]


@pytest.mark.parametrize(("lie", "size"), LIES)
def test_a_fact_that_is_said_to_be_the_customers_size_is_not_said(led: Led, lie: str, size: str) -> None:
    assert lie not in says(led, 1, lie, size, "hola, buenas tardes")


def test_nor_in_the_turn_after_it(led: Led) -> None:
    lie, size = LIES[1]
    says(led, 1, "Hola.", size, "hola, buenas tardes")
    assert lie not in says(led, 2, lie, size, "¿y entonces?")


@pytest.mark.parametrize(
    ("size", "question"),
    [("42", "¿tienen en 42?"), ("42", "calzo talla cuarenta y dos"), ("38.5", "calzo 38 y medio"), ("M", "talla m")],
)
def test_the_size_a_customer_named_is_said_back_to_him(led: Led, size: str, question: str) -> None:
    assert f"Te busco la talla {size}." in says(led, 1, f"Te busco la talla {size}.", size, question)
