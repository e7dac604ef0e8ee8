"""What people of the shop left in a conversation is read from Chatwoot, for the brain to learn from."""

from __future__ import annotations

from tests.unit.reconcile.conftest import Shop
from tests.unit.sandbox.chatwoot_stand import ACCOUNT


def test_notes_replies_labels_and_status_are_those_of_people(shop: Shop) -> None:
    customer = shop.customer()
    customer.say("¿don goyo viene el jueves?")
    here, ana = customer.conversation_id, shop.stand.agent_token()
    shop.stand.post(here, shop.stand.bot["access_token"], content="No estoy seguro de entender.")
    shop.stand.post(here, ana, content="intent: faq_shipping", private=True)
    shop.stand.post(here, ana, content="Sí, don Goyo sale los jueves a las 9.")
    shop.stand.ok("POST", f"/conversations/{here}/labels", json={"labels": ["faq_shipping", "vip"]})
    shop.stand.ok("POST", f"/conversations/{here}/toggle_status", json={"status": "resolved"})

    said = shop.history.of_people(shop.tenant, ACCOUNT, here)

    assert said.notes == ("intent: faq_shipping",)
    assert said.replies == ("Sí, don Goyo sale los jueves a las 9.",)
    assert set(said.labels) == {"faq_shipping", "vip"}
    assert said.status == "resolved"


def test_of_a_conversation_the_bot_led_alone_people_said_nothing(shop: Shop) -> None:
    customer = shop.customer()
    customer.say("hola")
    shop.stand.post(customer.conversation_id, shop.stand.bot["access_token"], content="¡Hola!")
    said = shop.history.of_people(shop.tenant, ACCOUNT, customer.conversation_id)
    assert (said.notes, said.replies, said.labels, said.status) == ((), (), (), "pending")
