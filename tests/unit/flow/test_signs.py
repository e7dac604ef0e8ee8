"""What the webhooks that are not answered do to their conversation."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.flow.hearing import Hearing, message_ids

FIRST_REPLY = "2026-06-03T14:05:41.870Z"
PENDING = {"status": "pending", "meta__assignee_type": None}


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("message_created.outgoing_by_human", {}, "human_reply"),
        ("message_created.whatsapp_app_echo", {}, "whatsapp_app_echo"),
        ("conversation_updated.assigned", {}, "human_assigned"),
        ("conversation_status_changed", {}, "conversation_open"),
        ("conversation_status_changed", {"event": "conversation_opened", "meta__assignee_type": None},
         "conversation_open"),
        ("conversation_status_changed", {"status": "snoozed"}, "conversation_snoozed"),
        ("message_created.outgoing_by_bot", {}, None),
        ("message_created.private_note", {}, None),
        ("message_created.template_greeting", {}, None),
        ("message_created.outgoing_by_human", {"content_attributes": {"smos_reply_id": "ours"}}, None),
        ("conversation_updated.assigned", {"meta__assignee_type": "AgentBot"}, None),
    ],
)  # fmt: skip
def test_every_sign_of_a_person_mutes_the_bot_and_nothing_else_does(
    hearing: Hearing, name: str, changes: dict[str, Any], reason: str | None
) -> None:
    hearing.hear(name, **changes)

    assert hearing.muted_reason == reason


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "resolved"},
        {"status": "resolved", "event": "conversation_resolved"},
        PENDING,
        {"status": "pending", "meta__assignee_type": "AgentBot"},
    ],
)
def test_a_conversation_that_is_resolved_or_pending_again_is_the_bots(
    hearing: Hearing, changes: dict[str, Any]
) -> None:
    hearing.hear("message_created.outgoing_by_human")
    hearing.hear("conversation_status_changed", updated_at=1_900_000_000.0, **changes)

    assert hearing.muted_reason is None


def test_a_conversation_that_is_merely_still_pending_stays_muted(hearing: Hearing) -> None:
    hearing.hear("message_created.outgoing_by_human")
    hearing.hear("conversation_updated.assigned", updated_at=1_900_000_000.0, **PENDING)

    assert hearing.muted_reason == "human_reply"


def test_signs_count_in_the_order_they_happened_not_in_that_of_their_delivery(hearing: Hearing) -> None:
    hearing.hear("conversation_status_changed", updated_at=1_900_000_000.0, **PENDING)
    hearing.hear("conversation_status_changed", updated_at=1_800_000_000.0)
    hearing.hear("message_created.outgoing_by_human")

    assert hearing.muted_reason is None
    assert hearing.accepted == []


def test_a_person_who_answers_in_a_pending_conversation_makes_us_open_it(hearing: Hearing) -> None:
    receipt = hearing.hear("message_created.outgoing_by_human", conversation__status="pending")

    assert (receipt.status, receipt.reason) == ("ignored", "human_reply")
    assert [start.cause for start in hearing.accepted] == ["human_reply"]


def asks(hearing: Hearing, first_reply: str | None = None) -> None:
    hearing.hear("message_created.whatsapp_text", conversation__first_reply_created_at=first_reply)


def test_a_person_whose_webhook_is_late_is_known_by_the_customers_next_message(hearing: Hearing) -> None:
    asks(hearing)
    asks(hearing, FIRST_REPLY)

    assert hearing.muted_reason == "human_reply"
    assert [start.cause for start in hearing.accepted] == ["message", "message"]
    hearing.hear("message_created.outgoing_by_human", created_at=FIRST_REPLY, conversation__status="pending")
    assert hearing.accepted[-1].cause == "human_reply"  # it still is to be opened


def test_a_conversation_a_person_has_given_back_stays_the_bots(hearing: Hearing) -> None:
    asks(hearing)
    hearing.hear("message_created.outgoing_by_human", created_at=FIRST_REPLY)
    hearing.hear("conversation_status_changed", updated_at=1_900_000_000.0, **PENDING)
    asks(hearing, FIRST_REPLY)

    assert hearing.muted_reason is None


def test_a_pending_conversation_that_was_a_persons_before_our_time_is_the_bots(hearing: Hearing) -> None:
    for _ in range(3):
        asks(hearing, FIRST_REPLY)

    assert hearing.muted_reason is None


def test_a_conversation_assigned_while_pending_is_opened_once(hearing: Hearing) -> None:
    for instant in (1.8e9, 1.9e9):
        hearing.hear("conversation_updated.assigned", updated_at=instant)

    assert [start.cause for start in hearing.accepted] == ["human_reply"]


def test_an_open_conversation_needs_no_opening(hearing: Hearing) -> None:
    hearing.hear("message_created.outgoing_by_human", conversation__status="open")

    assert hearing.accepted == []


def test_an_undelivered_reply_of_ours_opens_a_turn_and_one_of_a_person_does_not(hearing: Hearing) -> None:
    bench = hearing.bench
    hearing.hear("message_updated.send_failed_24h")
    assert hearing.accepted == []
    bench.receive(1)
    bench.answer(1, "Sí")
    receipt = hearing.hear("message_updated.send_failed_24h", id=901)

    assert (receipt.status, receipt.reason) == ("ignored", "delivery_failed")
    assert [start.cause for start in hearing.accepted] == ["delivery_failed"]


def test_the_new_words_of_an_edited_message_are_the_ones_that_are_answered(hearing: Hearing) -> None:
    written = next(message_ids)
    first = hearing.hear("message_created.whatsapp_text", id=written)
    hearing.hear("message_created.whatsapp_text", id=written, event="message_updated", content="¿Les queda en M?")

    assert first.status == "accepted"
    assert [message.text for message in hearing.bench.held(written)] == ["¿Les queda en M?"]


def test_a_deleted_message_is_answered_no_more_and_its_placeholder_is_no_edit(hearing: Hearing) -> None:
    written = next(message_ids)
    hearing.hear("message_created.whatsapp_text", id=written)
    gone = {"content": "This message was deleted", "content_attributes": {"deleted": True}}
    hearing.hear("message_created.whatsapp_text", id=written, event="message_updated", **gone)

    assert hearing.bench.held(written) == ()


def test_a_status_that_changes_on_our_own_message_edits_nothing(hearing: Hearing) -> None:
    written = next(message_ids)
    hearing.hear("message_created.whatsapp_text", id=written)
    hearing.hear("message_created.outgoing_by_bot", id=written, event="message_updated", content="otra cosa")

    assert [message.text for message in hearing.bench.held(written)] == ["¿Les queda la polera negra en L?"]
