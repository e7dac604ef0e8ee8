"""Messages whose webhook never came are found and treated as if it had come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.support import claim_messages
from tests.unit.reconcile.conftest import NOW, Shop

from smarteros.channels.chatwoot.events import InboundEvent
from smarteros.domain.errors import RejectedInputError, TransientError
from smarteros.domain.tenants import Tenant
from smarteros.edge.receive import Receipt
from smarteros.store.reconcile import try_lock_tenant


def test_a_message_whose_webhook_never_came_opens_its_turn_once(shop: Shop) -> None:
    written = shop.customer().say("¿Tienen zapatillas talla 42?")["id"]
    shop.pass_time(seconds=30)

    report = shop.run()

    assert (report.outcome, report.found) == ("done", {"accepted": 1})
    assert shop.opened() == [written]
    assert shop.run().found == {}
    assert shop.opened() == [written]


def test_a_webhook_that_comes_late_is_a_duplicate(shop: Shop) -> None:
    written = shop.customer().say("hola, ¿abren hoy?")["id"]
    shop.pass_time(seconds=30)
    shop.run()

    assert shop.deliver(written).status == "duplicate"
    assert shop.opened() == [written]


def test_the_message_found_is_the_one_the_webhook_would_have_told_of(shop: Shop) -> None:
    customer = shop.customer()
    customer.send_file("boleta.png", b"\x89PNG\r\n\x1a\n", "image/png", "¿tiene garantía?")
    written = customer.sees()[-1]["id"]
    shop.pass_time(seconds=30)
    listed = shop.history.of_bot(shop.tenant, 1, updated_within_s=120)
    pages = list(shop.history.messages_after(shop.tenant, listed[0], 0))
    found = pages[0][-1].event
    assert found is not None
    from_api = found.message(shop.tenant)

    shop.deliver(written)
    with shop.database.tenant(shop.tenant.scope) as connection:
        (from_webhook,) = claim_messages(connection, shop.tenant.tenant_id, customer.conversation_id, "t")
    assert from_api is not None
    # Chatwoot's API gives whole seconds, and links to files are signed anew for each answer.
    assert from_api.created_at == from_webhook.created_at.replace(microsecond=0)
    # Only the webhook says by which address the customer wrote: what is found later vouches for nobody.
    assert (from_api.contact.proven, from_webhook.contact.proven is not None) == (None, True)
    claimed = from_webhook.contact.model_copy(update={"proven": None})
    same = {"created_at": NOW, "attachments": (), "contact": claimed}
    assert from_api.contact == claimed
    assert from_api.model_copy(update=same) == from_webhook.model_copy(update=same)
    assert [a.kind for a in from_api.attachments] == [a.kind for a in from_webhook.attachments] == ["image"]


def test_a_message_that_was_heard_of_is_left_alone(shop: Shop) -> None:
    written = shop.customer().say("hola")["id"]
    shop.deliver(written)
    shop.pass_time(seconds=30)

    assert shop.run().found == {}
    assert shop.opened() == [written]


def test_a_fresh_message_gets_time_for_its_webhook(shop: Shop) -> None:
    written = shop.customer().say("hola")["id"]
    shop.pass_time(seconds=5)
    assert (shop.run().waiting, shop.opened()) == (1, [])

    shop.pass_time(seconds=45)
    assert shop.run().found == {"accepted": 1}
    assert shop.opened() == [written]


def test_an_earlier_message_is_found_behind_one_that_came(shop: Shop) -> None:
    customer = shop.customer()
    lost, came = customer.say("quiero unas zapatillas")["id"], customer.say("talla 42")["id"]
    shop.deliver(came)
    shop.pass_time(seconds=30)

    assert shop.run().found == {"accepted": 1}
    assert shop.opened() == [came, lost]


def test_nothing_is_asked_twice_of_a_conversation_that_rests(shop: Shop) -> None:
    shop.deliver(shop.customer().say("hola")["id"])
    shop.pass_time(seconds=30)
    shop.run()
    shop.switch.requests.clear()
    shop.run()

    assert len(shop.switch.requests) == 1
    assert "updated_within=120" in shop.switch.requests[0]


def test_our_own_replies_and_private_notes_are_known_and_not_answered(shop: Shop) -> None:
    customer = shop.customer()
    number = customer.conversation_id
    written = customer.say("hola")["id"]
    shop.stand.post(number, shop.secrets.values[shop.tenant.tenant_id, "chatwoot/api_token"], content="¡Hola!")
    shop.stand.post(number, content="cliente frecuente", private=True)
    shop.pass_time(seconds=30)

    assert shop.run().found == {"accepted": 1, "ignored": 2}
    assert shop.opened() == [written]


def test_a_question_a_person_has_answered_is_not_answered_again(shop: Shop) -> None:
    customer = shop.customer()
    customer.say("¿tienen estacionamiento?")
    shop.stand.post(customer.conversation_id, shop.stand.agent_token(), content="Sí, al frente.")
    shop.pass_time(seconds=30)
    shop.run()

    assert shop.opened() == []
    assert [event.details["reason"] for event in shop.audit()] == ["human_assigned"]


def test_a_conversation_of_people_is_not_looked_at(shop: Shop) -> None:
    customer = shop.customer()
    customer.say("hola")
    shop.stand.ok("POST", f"/conversations/{customer.conversation_id}/toggle_status", json={"status": "open"})
    shop.pass_time(seconds=30)

    assert shop.run().conversations == 0
    assert shop.opened() == []


def test_what_was_written_while_we_were_away_is_found_after_the_start(shop: Shop) -> None:
    shop.run()
    shop.pass_time(minutes=20)
    written = shop.customer().say("¿cuánto demora el envío?")["id"]
    shop.pass_time(minutes=9)

    assert shop.run().found == {"accepted": 1}
    assert shop.opened() == [written]


def test_what_was_written_before_the_tenant_came_to_us_is_nobodys_business(shop: Shop) -> None:
    customer = shop.customer()
    customer.say("escribí hace una hora")
    shop.pass_time(hours=1)
    written = customer.say("¿hola?")["id"]
    shop.pass_time(seconds=30)
    shop.run()

    assert shop.opened() == [written]


def test_a_long_silence_of_ours_is_read_page_by_page(shop: Shop) -> None:
    customer = shop.customer()
    first = customer.say("mensaje 0")["id"]
    shop.pass_time(seconds=30)
    shop.run()
    written = [customer.say(f"mensaje {number}")["id"] for number in range(1, 131)]
    shop.pass_time(seconds=30)

    assert shop.run().found == {"accepted": 130}
    assert shop.opened() == [first, *written]


def test_a_new_conversation_is_read_back_to_its_beginning(shop: Shop) -> None:
    customer = shop.customer()
    written = [customer.say(f"mensaje {number}")["id"] for number in range(45)]
    shop.pass_time(seconds=30)

    assert shop.run().found == {"accepted": 45}
    assert shop.opened() == written


def test_only_one_process_looks_through_a_tenant_at_a_time(shop: Shop) -> None:
    shop.customer().say("hola")
    shop.pass_time(seconds=30)
    with shop.database.installation() as other:
        assert try_lock_tenant(other, shop.tenant.tenant_id)
        assert shop.run().outcome == "busy"

    assert shop.run().outcome == "done"


def test_what_another_process_has_just_looked_through_is_skipped(shop: Shop) -> None:
    shop.run()
    again = shop.reconciler().run_once(shop.tenant, unless_within=timedelta(seconds=27))

    assert again.outcome == "recent"


def test_a_tenant_without_an_administrators_token_is_told_so(shop: Shop) -> None:
    del shop.secrets.values[shop.tenant.tenant_id, "chatwoot/user_token"]

    assert shop.run().outcome == "no_user_token"


def test_while_chatwoot_is_away_nothing_counts_as_looked_at(shop: Shop) -> None:
    shop.run()
    written = shop.customer().say("hola")["id"]
    shop.switch.on = False
    shop.pass_time(minutes=10)
    with pytest.raises(TransientError):
        shop.run()
    shop.switch.on = True

    assert shop.run().found == {"accepted": 1}
    assert shop.opened() == [written]


def test_a_chatwoot_that_lives_on_another_day_is_believed_at_the_second_sight(shop: Shop) -> None:
    shop.stand.chatwoot.clock.set(1, datetime(2025, 11, 1, 12, 0, tzinfo=UTC))
    written = shop.customer().say("hola")["id"]
    process = shop.reconciler()
    assert (process.run_once(shop.tenant).waiting, shop.opened()) == (1, [])

    shop.monotonic[0] += 45
    assert process.run_once(shop.tenant).found == {"accepted": 1}
    assert shop.opened() == [written]


@pytest.mark.parametrize("others_write", [True, False])
def test_a_message_from_just_before_chatwoots_clock_was_set_is_found_and_is_not_called_old(
    shop: Shop, *, others_write: bool
) -> None:
    shop.customer().say("hola")
    shop.pass_time(seconds=30)
    shop.run()
    written = shop.customer().say("¿abren hoy?")["id"]
    shop.pass_time(seconds=60)
    shop.set_channel_clock(ahead_by=timedelta(hours=2))
    other = shop.customer().say("¿tienen botas?")["id"] if others_write else None

    report = shop.run()

    assert report.found == {"accepted": 1}
    assert shop.opened()[-1] == written
    assert report.waiting == (1 if other else 0)


def test_a_conversation_from_the_future_does_not_hide_the_lost_message_of_another(shop: Shop) -> None:
    shop.set_channel_clock(ahead_by=timedelta(hours=2))
    shop.deliver(shop.customer().say("hola")["id"])
    shop.set_channel_clock(ahead_by=timedelta(0))
    written = shop.customer().say("¿abren hoy?")["id"]
    shop.pass_time(seconds=30)

    assert shop.run().found == {"accepted": 1}
    assert shop.opened()[-1] == written


def test_a_quiet_shop_costs_one_more_look_and_then_no_more(shop: Shop) -> None:
    shop.customer().say("hola")
    shop.pass_time(seconds=30)
    shop.run()
    looks: list[int] = []
    for _ in range(4):
        shop.pass_time(minutes=5)
        before = len(shop.switch.requests)
        shop.run()
        looks.append(len(shop.switch.requests) - before)

    assert looks == [1, 2, 1, 1]


def test_a_message_that_cannot_be_stored_does_not_stop_the_others(shop: Shop) -> None:
    customer = shop.customer()
    bad, good = customer.say("malo")["id"], customer.say("bueno")["id"]
    shop.pass_time(seconds=30)
    real = shop.receiver.take

    def take(tenant: Tenant, event: InboundEvent) -> Receipt:
        if event.message_id == bad:
            raise RejectedInputError("unstorable_event", "a value is out of range")
        return real(tenant, event)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shop.receiver, "take", take)
        report = shop.run()

    assert (report.outcome, report.found) == ("done", {"unreadable": 1, "accepted": 1})
    assert shop.opened() == [good]


def test_who_writes_again_is_answered_with_everything_he_wrote(shop: Shop) -> None:
    shop.run()
    customer = shop.customer()
    early = customer.say("¿tienen zapatillas talla 42?")["id"]
    shop.pass_time(hours=1)
    late = customer.say("¿hola?")["id"]
    shop.pass_time(seconds=30)
    shop.run()

    assert shop.opened() == [early, late]
    assert shop.said(customer) == []


def test_a_found_message_is_audited_without_its_words(shop: Shop) -> None:
    written = shop.customer().say("mi rut es 12.345.678-5")["id"]
    shop.pass_time(seconds=30)
    shop.run()

    (event,) = shop.audit()
    assert event.details == {"message_id": written, "outcome": "accepted", "reason": None, "age_s": 30}
    assert "12.345.678" not in event.model_dump_json()
