"""Lost messages that are found too late to be answered: an apology, a note, and a person."""

from __future__ import annotations

import pytest
from tests.unit.reconcile.conftest import Shop

from smarteros.domain.decisions import DialogueState
from smarteros.domain.errors import PermanentError, TransientError
from smarteros.reconcile.catch_up import APOLOGY
from smarteros.store.turns import save_dialogue


def test_a_message_too_old_to_answer_gets_one_apology_and_a_person(shop: Shop) -> None:
    shop.run()
    customer = shop.customer()
    customer.say("¿tienen zapatillas?")
    written = customer.say("¿hola?")["id"]
    shop.pass_time(hours=2)

    assert shop.run().found == {"apologised": 2}
    assert shop.run().found == {}
    assert shop.said(customer) == [APOLOGY["es"]]
    assert shop.status(customer) == "open"
    assert len(shop.notes(customer)) == 1
    assert "22-11-2026 a las 12:00" in shop.notes(customer)[0]
    # People find it as what a turn hands over: by the default flow's marks.
    assert shop.labels(customer) == ["bot"]
    assert (shop.opened(), shop.deliver(written).status) == ([], "duplicate")
    assert [event.details["outcome"] for event in shop.audit()] == ["apologised", "apologised"]


def test_an_apology_is_in_the_customers_language(shop: Shop) -> None:
    shop.run()
    customer = shop.customer()
    with shop.database.tenant(shop.tenant.scope) as connection:
        state = DialogueState(language="en")
        save_dialogue(connection, shop.tenant.tenant_id, customer.conversation_id, state, ())
    customer.say("do you ship to Temuco?")
    shop.pass_time(hours=2)
    shop.run()

    assert shop.said(customer) == [APOLOGY["en"]]


def test_a_run_that_dies_after_the_apology_does_not_apologise_again(shop: Shop) -> None:
    shop.run()
    customer = shop.customer()
    customer.say("hola")
    shop.pass_time(hours=2)

    def die(*_: object, **__: object) -> None:
        raise TransientError("died", "the process is gone")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(shop.channel), "hand_over", die)
        assert shop.run().outcome == "incomplete"  # said, but neither noted nor written down

    shop.pass_time(minutes=1)
    # Ignored is the apology itself, whose webhook was lost like all the others.
    assert shop.run().found == {"apologised": 1, "ignored": 1}
    assert shop.said(customer) == [APOLOGY["es"]]
    assert len(shop.notes(customer)) == 1


def test_when_the_customer_cannot_be_written_to_any_more_a_person_is_told_so(shop: Shop) -> None:
    shop.run()
    customer = shop.customer()
    customer.say("hola")
    shop.pass_time(hours=2)

    def refuse(*_: object, **__: object) -> None:
        raise PermanentError("chatwoot_rejected", "no")

    real = type(shop.channel).post
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            type(shop.channel),
            "post",
            lambda self, tenant, reply, **more: (real if reply.private else refuse)(self, tenant, reply, **more),
        )
        assert shop.run().found == {"apologised": 1}

    assert (shop.said(customer), shop.status(customer)) == ([], "open")
    assert "no le avisé nada" in shop.notes(customer)[0]


def test_a_message_of_the_day_before_yesterday_is_left_to_people(shop: Shop) -> None:
    customer = shop.customer()
    shop.run()
    customer.say("hola")
    shop.pass_time(hours=24, minutes=30)
    process = shop.reconciler()
    process.run_once(shop.tenant)
    shop.monotonic[0] += 45

    assert process.run_once(shop.tenant).found == {"left": 1}
    assert process.run_once(shop.tenant).found == {}
    assert shop.said(customer) == []
    assert len(shop.notes(customer)) == 1
    assert shop.status(customer) == "pending"
