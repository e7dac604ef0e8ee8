"""After a restore the channel knows more than we do: what it shows as answered is not answered again."""

from __future__ import annotations

from tests.unit.reconcile.conftest import Shop

from smarteros.domain.ids import reply_id, turn_id
from smarteros.domain.messages import OutgoingReply
from smarteros.store.turns import intend_reply


def our_reply(shop: Shop, conversation_id: int, *message_ids: int) -> OutgoingReply:
    """The reply to messages, as it stands in the channel."""
    turn = turn_id(shop.tenant.tenant_id, conversation_id, message_ids[0])
    reply = OutgoingReply(
        reply_id=reply_id(turn),
        conversation_id=conversation_id,
        account_id=1,
        text="Hasta las 18:00.",
        answers=message_ids,
    )
    shop.channel.post(shop.tenant, reply, maybe_sent=False)
    return reply


def test_a_question_with_a_reply_of_ours_that_we_do_not_know_was_answered_before_the_restore(shop: Shop) -> None:
    customer = shop.customer()
    written = customer.say("¿Hasta qué hora abren?")["id"]
    our_reply(shop, customer.conversation_id, written)
    shop.pass_time(seconds=30)
    shop.run()

    assert shop.opened() == []
    assert shop.said(customer) == ["Hasta las 18:00."]
    assert [event.details["reason"] for event in shop.audit()] == ["answered_before"]
    assert shop.run().found == {}


def test_a_question_after_that_reply_is_answered(shop: Shop) -> None:
    customer = shop.customer()
    our_reply(shop, customer.conversation_id, customer.say("¿Hasta qué hora abren?")["id"])
    written = customer.say("¿Y el sábado?")["id"]
    shop.pass_time(seconds=30)
    shop.run()

    assert shop.opened() == [written]


def test_a_reply_we_know_answers_its_own_question_only(shop: Shop) -> None:
    customer = shop.customer()
    heard = customer.say("¿Hasta qué hora abren?")["id"]
    shop.deliver(heard)
    lost = customer.say("¿Y el sábado?")["id"]
    reply = our_reply(shop, customer.conversation_id, heard)
    with shop.database.tenant(shop.tenant.scope) as connection:
        turn = turn_id(shop.tenant.tenant_id, customer.conversation_id, heard)
        intend_reply(connection, shop.tenant.tenant_id, turn, reply)
    shop.pass_time(seconds=30)
    shop.run()

    assert shop.opened() == [heard, lost]


def test_a_question_answered_together_with_one_we_know_is_not_answered_again(shop: Shop) -> None:
    customer = shop.customer()
    heard = customer.say("¿Hasta qué hora abren?")["id"]
    shop.deliver(heard)
    forgotten = customer.say("¿Y el sábado?")["id"]
    our_reply(shop, customer.conversation_id, heard, forgotten)
    shop.pass_time(seconds=30)
    shop.run()

    assert shop.opened() == [heard]


def test_a_list_of_answers_that_somebody_has_spoilt_takes_no_question_away(shop: Shop) -> None:
    customer = shop.customer()
    written = customer.say("¿Hasta qué hora abren?")["id"]
    spoilt = {"smos_reply_id": "r" * 26, "smos_answers": {"all": True}}
    token = shop.stand.bot["access_token"]
    shop.stand.post(customer.conversation_id, token, content="Hasta las 18:00.", content_attributes=spoilt)
    shop.pass_time(seconds=30)
    shop.run()

    assert shop.opened() == [written]
