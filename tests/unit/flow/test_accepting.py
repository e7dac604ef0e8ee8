"""A believed message is stored and its turn opened, both once; what cannot be stored is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import OperationalError
from tests.unit.flow.bench import TENANT
from tests.unit.flow.hearing import Hearing, message_ids

from smarteros.channels.chatwoot.events import parse_event
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.ids import turn_id


def test_a_question_opens_a_turn_of_the_quick_lane(hearing: Hearing) -> None:
    written = next(message_ids)
    receipt = hearing.hear("message_created.whatsapp_text", id=written)
    turn = hearing.bench.queue.claim_one()

    assert receipt.turn_id == turn_id(TENANT.tenant_id, hearing.bench.conversation_id, written) == turn.start.turn_id
    assert (receipt.status, turn.lane, turn.start.cause, turn.draft) == ("accepted", "quick", "message", None)
    assert hearing.bench.waiting() == [written]


def test_a_photo_opens_a_turn_of_the_slow_lane(hearing: Hearing) -> None:
    assert hearing.hear("message_created.whatsapp_image_no_caption").status == "accepted"

    assert hearing.bench.queue.claim_one().lane == "slow"


def test_a_message_delivered_again_is_a_duplicate_even_when_its_turn_is_over(hearing: Hearing) -> None:
    written = next(message_ids)
    first = hearing.hear("message_created.whatsapp_text", id=written)
    again = hearing.hear("message_created.whatsapp_text", id=written)
    hearing.bench.end(hearing.bench.claim(written))
    late = hearing.hear("message_created.whatsapp_text", id=written)

    assert [receipt.status for receipt in (first, again, late)] == ["accepted", "duplicate", "duplicate"]
    assert (late.turn_id, hearing.accepted) == (None, [])


def test_a_message_delivered_twice_at_once_opens_one_turn(hearing: Hearing) -> None:
    written = next(message_ids)
    with ThreadPoolExecutor(4) as pool:
        heard = [pool.submit(hearing.hear, "message_created.whatsapp_text", id=written) for _ in range(8)]
        receipts = sorted(receipt.result().status for receipt in heard)

    assert receipts == ["accepted"] + ["duplicate"] * 7
    assert [start.message_id for start in hearing.accepted] == [written]


def test_messages_that_come_at_once_open_a_turn_each(hearing: Hearing) -> None:
    written = [next(message_ids) for _ in range(12)]
    with ThreadPoolExecutor(6) as pool:
        heard = [pool.submit(hearing.hear, "message_created.whatsapp_text", id=number) for number in written]
        assert {receipt.result().status for receipt in heard} == {"accepted"}

    assert sorted(start.message_id for start in hearing.accepted) == written
    assert hearing.bench.claim(written[0]).start.message_id == written[0]


def test_a_message_found_by_asking_is_the_same_as_its_webhook(hearing: Hearing) -> None:
    body = hearing.body("message_created.whatsapp_text")
    taken = hearing.receiver.take(TENANT, parse_event(body))
    heard = hearing.hear("message_created.whatsapp_text", id=body["id"])

    assert (taken.status, heard.status, len(hearing.accepted)) == ("accepted", "duplicate", 1)


def test_the_largest_numbers_are_stored_and_larger_ones_refused(hearing: Hearing) -> None:
    assert hearing.hear("message_created.whatsapp_text", conversation__id=2**63 - 1).status == "accepted"
    with pytest.raises(RejectedInputError):
        hearing.hear("message_created.whatsapp_text", conversation__id=2**63)


def test_words_no_database_can_hold_are_stored_without_them(hearing: Hearing) -> None:
    written = next(message_ids)
    hearing.hear("message_created.whatsapp_text", id=written, content="¿Tienen\x00 'talla' 42?\ud800")

    (message,) = hearing.bench.held(written)
    assert message.text.startswith("¿Tienen 'talla' 42?")


def test_when_the_store_loses_the_connection_nothing_is_accepted_and_the_next_delivery_is(hearing: Hearing) -> None:
    written, bench = next(message_ids), hearing.bench
    with bench.database.statement():
        pass  # a connection that waits in the pool
    bench.queue.ask(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE usename = 'smos_app' AND pid <> pg_backend_pid()"
    )
    with pytest.raises(OperationalError):
        hearing.hear("message_created.whatsapp_text", id=written)
    assert hearing.accepted == []

    assert hearing.hear("message_created.whatsapp_text", id=written).status == "accepted"
