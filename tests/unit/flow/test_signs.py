"""What the webhooks that are not answered do to their conversation."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import time
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support import MemorySecrets
from tests.unit.flow.bench import TENANT, Bench

from smarteros.domain.turns import TurnStart
from smarteros.edge.receive import Receipt, Receiver
from smarteros.kit.clock import SystemClock
from smarteros.store.turns import leadership

FIXTURES = Path(__file__).parents[2] / "fixtures" / "chatwoot"
_ids = itertools.count(700_000)


class AcceptedTurns(list[TurnStart]):
    """An engine that only keeps what it is given."""

    def accept(self, connection: object, start: TurnStart) -> None:
        self.append(start)


class Tenants:
    def by_key(self, tenant_key: str) -> Any:
        return TENANT

    def get(self, tenant_id: str) -> Any:
        return TENANT


class Hearing:
    """The receiver, hearing of one conversation."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.accepted = AcceptedTurns()
        secrets = MemorySecrets({(TENANT.tenant_id, "chatwoot/hmac_secret"): "s3cret"})
        engine = cast("Any", self.accepted)
        self._receiver = Receiver(bench.database, cast("Any", Tenants()), secrets, engine, SystemClock())

    def hear(self, name: str, **changes: Any) -> Receipt:
        body: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_bytes())
        body |= {"account": {"id": 31}}
        if "message" in name:
            body |= {"id": next(_ids)}
            body["conversation"]["id"] = self.bench.conversation_id
        else:
            body |= {"id": self.bench.conversation_id}
        for path, value in changes.items():
            *parents, last = path.split("__")
            target = body
            for parent in parents:
                target = target[parent]
            target[last] = value
        raw = json.dumps(body).encode()
        stamp = str(int(time.time()))
        signature = hmac.new(b"s3cret", stamp.encode() + b"." + raw, hashlib.sha256).hexdigest()
        headers = {"x-chatwoot-timestamp": stamp, "x-chatwoot-signature": f"sha256={signature}"}
        return self._receiver.receive(raw, headers, TENANT.tenant_key)

    @property
    def muted_reason(self) -> str | None:
        with self.bench.database.tenant(TENANT.scope) as connection:
            return leadership(connection, TENANT.tenant_id, self.bench.conversation_id).muted_reason


@pytest.fixture
def hearing(bench: Bench) -> Hearing:
    return Hearing(bench)


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
    bench.fence(1, bench.drafted(1)).send("Sí")
    receipt = hearing.hear("message_updated.send_failed_24h", id=901)

    assert (receipt.status, receipt.reason) == ("ignored", "delivery_failed")
    assert [start.cause for start in hearing.accepted] == ["delivery_failed"]


def test_the_new_words_of_an_edited_message_are_the_ones_that_are_answered(hearing: Hearing) -> None:
    written = next(_ids)
    first = hearing.hear("message_created.whatsapp_text", id=written)
    hearing.hear("message_created.whatsapp_text", id=written, event="message_updated", content="¿Les queda en M?")

    assert first.status == "accepted"
    assert [message.text for message in hearing.bench.drafted(written).messages] == ["¿Les queda en M?"]


def test_a_deleted_message_is_answered_no_more_and_its_placeholder_is_no_edit(hearing: Hearing) -> None:
    written = next(_ids)
    hearing.hear("message_created.whatsapp_text", id=written)
    gone = {"content": "This message was deleted", "content_attributes": {"deleted": True}}
    hearing.hear("message_created.whatsapp_text", id=written, event="message_updated", **gone)

    assert hearing.bench.drafted(written).messages == ()


def test_a_status_that_changes_on_our_own_message_edits_nothing(hearing: Hearing) -> None:
    written = next(_ids)
    hearing.hear("message_created.whatsapp_text", id=written)
    hearing.hear("message_created.outgoing_by_bot", id=written, event="message_updated", content="otra cosa")

    assert [message.text for message in hearing.bench.drafted(written).messages] == ["¿Les queda la polera negra en L?"]
