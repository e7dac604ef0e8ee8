"""What the signs of people do to a conversation of an inbox that starts open, and to a hand-over's memory."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support import MemorySecrets
from tests.unit.store.queued import TurnQueue

from smarteros.channels.hand_overs import HandOverMemory
from smarteros.domain.tenants import InboxSettings, Tenant
from smarteros.domain.turns import TurnStart
from smarteros.edge.receive import Receipt, Receiver
from smarteros.flow.engine import Engine
from smarteros.kit.clock import SystemClock
from smarteros.store.database import Database
from smarteros.store.turns import remembered

FIXTURES = Path(__file__).parents[2] / "fixtures" / "chatwoot"
TENANT = Tenant(
    tenant_id="OPEN_SHOP",
    name="Tienda Abierta",
    rut="76123456-0",
    tenant_key="o" * 24,
    chatwoot_url="https://chat.example",
    chatwoot_account_ids=(31,),
    inboxes=(InboxSettings(inbox_id=52, channel="whatsapp", starts="open"),),
)
_ids = itertools.count(600_000)
NOON = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)


class Tenants:
    def by_key(self, tenant_key: str) -> Tenant:
        return TENANT


class Shop:
    """One conversation of the shop, as its account's webhook tells of it."""

    def __init__(self, database: Database, turn_queue: TurnQueue) -> None:
        self.database = database
        self.conversation_id = next(_ids)
        self.engine = Engine(database.owner_url, None)  # it accepts and runs nothing
        self._queue = turn_queue
        values = {"chatwoot/hmac_secret": "of the bot", "chatwoot/webhook_secret": "of the account"}
        secrets = MemorySecrets({(TENANT.tenant_id, path): value for path, value in values.items()})
        self._receiver = Receiver(database, cast("Any", Tenants()), secrets, self.engine, SystemClock())

    @property
    def accepted(self) -> list[TurnStart]:
        """The turns that wait, in the order they were opened."""
        return self._queue.starts()

    def customer_writes(self, at: datetime = NOON, **conversation: Any) -> Receipt:
        return self._message("message_created.whatsapp_text", at, **conversation)

    def person_writes(self, at: datetime) -> Receipt:
        return self._message("message_created.outgoing_by_human", at)

    def status_changes(self, before: str, after: str, at: datetime) -> Receipt:
        return self._change("conversation_status_changed", after, None, at, status=(before, after))

    def is_assigned(self, at: datetime) -> Receipt:
        return self._change("conversation_updated", "open", "User", at, assignee_id=(None, 19))

    def is_let_go(self, at: datetime) -> Receipt:
        return self._change("conversation_updated", "open", None, at, assignee_id=(19, None))

    @property
    def led_by(self) -> str | None:
        with self.database.tenant(TENANT.scope) as connection:
            return remembered(connection, TENANT.tenant_id, self.conversation_id).muted_reason

    def _message(self, fixture: str, at: datetime, **conversation: Any) -> Receipt:
        body: dict[str, Any] = json.loads((FIXTURES / f"{fixture}.json").read_bytes())
        body |= {"id": next(_ids), "account": {"id": 31}, "created_at": at.isoformat()}
        body["conversation"] |= {"id": self.conversation_id, "status": "open", **conversation}
        body["conversation"]["meta"] |= {"assignee": None, "assignee_type": None}
        return self._deliver(body)

    def _change(
        self, event: str, now: str, assignee_type: str | None, at: datetime, **fields: tuple[object, object]
    ) -> Receipt:
        body: dict[str, Any] = json.loads((FIXTURES / "conversation_status_changed.json").read_bytes())
        fields["updated_at"] = (at.isoformat(), at.isoformat())
        changes = [{name: {"previous_value": old, "current_value": new}} for name, (old, new) in fields.items()]
        body |= {"id": self.conversation_id, "account": {"id": 31}, "event": event, "status": now}
        body |= {"updated_at": at.timestamp(), "changed_attributes": changes}
        body["meta"] |= {"assignee": None, "assignee_type": assignee_type}
        return self._deliver(body)

    def _deliver(self, body: dict[str, Any]) -> Receipt:
        raw, stamp = json.dumps(body).encode(), str(int(time.time()))
        signature = hmac.new(b"of the account", stamp.encode() + b"." + raw, hashlib.sha256).hexdigest()
        headers = {"x-chatwoot-timestamp": stamp, "x-chatwoot-signature": f"sha256={signature}"}
        return self._receiver.receive(raw, headers, TENANT.tenant_key)


@pytest.fixture
def shop(database: Database, turn_queue: TurnQueue) -> Iterator[Shop]:
    shop = Shop(database, turn_queue)
    yield shop
    shop.engine.stop()


def later(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_a_customer_in_an_open_conversation_is_answered(shop: Shop) -> None:
    assert (shop.customer_writes().status, shop.led_by) == ("accepted", None)
    assert [start.cause for start in shop.accepted] == ["message"]


def test_a_person_who_writes_mutes_the_bot_and_nothing_has_to_be_opened(shop: Shop) -> None:
    shop.person_writes(NOON)

    assert (shop.led_by, shop.accepted) == ("human_reply", [])


def test_a_person_who_is_assigned_mutes_the_bot(shop: Shop) -> None:
    shop.is_assigned(NOON)

    assert shop.led_by == "human_assigned"


def test_a_resolved_conversation_in_which_the_customer_writes_again_is_the_bots(shop: Shop) -> None:
    shop.person_writes(NOON)
    shop.status_changes("open", "resolved", later(1))
    shop.status_changes("resolved", "open", later(2))

    assert (shop.customer_writes(later(2)).status, shop.led_by) == ("accepted", None)


def test_when_the_webhook_of_resolving_is_lost_that_of_opening_again_tells(shop: Shop) -> None:
    shop.person_writes(NOON)
    shop.status_changes("resolved", "open", later(2))

    assert shop.led_by is None


def test_a_conversation_taken_off_its_person_is_the_bots(shop: Shop) -> None:
    shop.is_assigned(NOON)
    shop.person_writes(later(1))
    shop.is_let_go(later(2))

    assert shop.led_by is None


def test_a_snoozed_conversation_that_wakes_up_stays_its_persons(shop: Shop) -> None:
    shop.status_changes("open", "snoozed", NOON)
    shop.status_changes("snoozed", "open", later(1))

    assert shop.led_by == "human_snoozed"


def test_a_person_who_wrote_before_we_came_is_not_talked_over(shop: Shop) -> None:
    receipt = shop.customer_writes(later(5), first_reply_created_at=NOON.isoformat())

    assert (receipt.status, shop.led_by) == ("accepted", "human_reply")


def test_a_persons_first_words_count_no_more_when_the_conversation_was_given_back_since(shop: Shop) -> None:
    shop.status_changes("open", "resolved", later(1))
    shop.customer_writes(later(5), first_reply_created_at=NOON.isoformat())

    assert shop.led_by is None


def test_a_hand_over_is_remembered_until_the_conversation_is_given_back(shop: Shop) -> None:
    handed_over = HandOverMemory(shop.database, SystemClock())
    handed_over(TENANT, shop.conversation_id, NOON)
    assert shop.led_by == "handed_over"

    shop.status_changes("open", "resolved", later(1))
    assert shop.led_by is None


@pytest.mark.parametrize("at", [None, NOON])
def test_a_hand_over_counts_whatever_was_seen_before_it(shop: Shop, at: datetime | None) -> None:
    shop.status_changes("open", "resolved", later(1))
    HandOverMemory(shop.database, SystemClock())(TENANT, shop.conversation_id, at)

    assert shop.led_by == "handed_over"
