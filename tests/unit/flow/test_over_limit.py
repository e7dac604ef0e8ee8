"""Beyond what a shop's plan allows nobody meets silence: one sentence, a person, and the operator hears of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.unit.flow.bench import TENANT, Bench
from tests.unit.flow.hearing import Hearing
from tests.unit.flow.shoe_shop import CONTRACTS

from smarteros.domain.audit import AuditEvent
from smarteros.domain.limits import AgreedLimits
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import TurnRecord
from smarteros.edge.rate_limit import TenantRate
from smarteros.flow.over_limit import PERSON_COMES, LimitGate
from smarteros.flow.workflow import TurnWorkflow
from smarteros.kit.clock import FixedClock, SystemClock
from smarteros.store.audit import list_events
from smarteros.store.turns import list_turns
from smarteros.store.usage import MonthOfConversations, month_of_conversations
from smarteros.tenants.limit_notices import LimitNotices

# Each test counts in a month of its own.
_months = (datetime(year, 6, 15, 12, tzinfo=UTC) for year in itertools.count(2031))
_message_ids = itertools.count(90_000)


@dataclass
class Shop:
    """A shop with its own limits, and conversations in it. Nothing that answers is there: only a limit replies."""

    bench: Bench
    tenant: Tenant
    clock: FixedClock

    def write(self, text: str = "¿Tienen zapatillas?", over: str | None = None) -> TurnRecord:
        """The customer of the bench's conversation writes; returns the record of the turn."""
        message_id = next(_message_ids)
        self.bench.receive(message_id, text, ago_s=60)
        turn = self.bench.claim(message_id)
        turn = turn.model_copy(update={"start": turn.start.model_copy(update={"over": over})})
        parts = replace(
            self.bench.parts,
            tenants=cast("Any", SimpleNamespace(get=lambda _id: self.tenant)),
            contracts=CONTRACTS,
            clock=self.clock,
        )
        TurnWorkflow(parts).run(turn)
        with self.bench.database.tenant(TENANT.scope) as connection:
            records = list_turns(connection, TENANT.tenant_id, self.bench.conversation_id, 50)
        return records[-1]

    def has_answered_in(self, conversations: int, *, after: int = 0) -> None:
        """So many other conversations of the month, besides ``after`` that were told of before."""
        self.bench.queue.ask(
            "INSERT INTO smos.conversation_months (tenant_id, month, conversation_id, turns)"
            " SELECT %s, %s, 7000000 + %s + n, 1 FROM generate_series(1, %s) n",
            TENANT.tenant_id,
            self.month,
            after,
            conversations,
        )

    def has_answered_here(self) -> None:
        self.bench.queue.ask(
            "INSERT INTO smos.conversation_months (tenant_id, month, conversation_id, turns) VALUES (%s, %s, %s, 1)",
            TENANT.tenant_id,
            self.month,
            self.bench.conversation_id,
        )

    @property
    def month(self) -> str:
        return self.clock.instant.strftime("%Y-%m")

    def used(self) -> MonthOfConversations:
        with self.bench.database.tenant(TENANT.scope) as connection:
            return month_of_conversations(connection, TENANT.tenant_id, self.month)

    def notices(self) -> list[AuditEvent]:
        with self.bench.database.tenant(TENANT.scope) as connection:
            events = list_events(connection, TENANT.tenant_id, None, 500)
        return [e for e in events if e.kind == "limit_reached" and self.month in e.details["period"]]


@pytest.fixture
def shop(bench: Bench) -> Shop:
    limits = AgreedLimits(conversations_per_month=3, requests_per_minute=2)
    return Shop(bench, TENANT.model_copy(update={"limits": limits}), FixedClock(next(_months)))


def test_the_conversation_beyond_the_months_last_is_told_once_and_a_persons(shop: Shop) -> None:
    shop.has_answered_in(3)
    record = shop.write()

    assert (record.outcome, record.reason, record.rule) == ("escalated", "conversations_per_month", "over_limit")
    assert shop.bench.channel.posted == [PERSON_COMES["es"]]
    assert "máximo de conversaciones del mes" in shop.bench.channel.notes[0]
    assert "¿Tienen zapatillas?" in shop.bench.channel.notes[0]
    assert shop.bench.channel.state.status == "open"


def test_what_other_processes_let_in_is_seen_after_a_hundredth_of_what_was_left(shop: Shop) -> None:
    tenant = shop.tenant.model_copy(update={"limits": AgreedLimits(conversations_per_month=300)})
    gate, start = LimitGate(shop.clock), shop.bench.start(next(_message_ids))

    def over() -> str | None:
        with shop.bench.database.tenant(TENANT.scope) as connection:
            return gate.over(connection, tenant, start)[0]

    assert over() is None
    shop.has_answered_in(300)
    assert [over() for _ in range(4)] == [None, None, "conversations_per_month", "conversations_per_month"]


def test_the_last_conversations_of_a_month_are_counted_one_by_one(shop: Shop) -> None:
    gate, start = LimitGate(shop.clock), shop.bench.start(next(_message_ids))
    answers: list[str | None] = []
    for conversations in range(5):
        with shop.bench.database.tenant(TENANT.scope) as connection:
            answers.append(gate.over(connection, shop.tenant, start)[0])
        shop.has_answered_in(1, after=conversations)

    assert answers == [None, None, None, "conversations_per_month", "conversations_per_month"]


def test_who_was_told_and_is_given_back_to_the_bot_goes_to_a_person_without_hearing_it_again(shop: Shop) -> None:
    shop.has_answered_in(3)
    shop.write()
    shop.bench.channel.state = shop.bench.channel.state.model_copy(update={"status": "pending"})
    record = shop.write("¿hola?")

    assert record.outcome == "escalated"
    assert len(shop.bench.channel.posted) == 1
    assert len(shop.bench.channel.notes) == 2
    assert shop.bench.channel.state.status == "open"


@pytest.mark.parametrize(
    ("text", "language"), [("Hello, do you have running shoes?", "en"), ("¿Tienen zapatillas?", "es")]
)
def test_it_is_said_in_the_customers_language(shop: Shop, text: str, language: str) -> None:
    shop.has_answered_in(3)
    shop.write(text)

    assert shop.bench.channel.posted == [PERSON_COMES[language]]


def test_the_operator_is_told_once_a_month_however_many_turns_are_over(shop: Shop) -> None:
    shop.has_answered_in(3)
    for _ in range(3):
        shop.bench.channel.state = shop.bench.channel.state.model_copy(update={"status": "pending"})
        shop.write()

    (event,) = shop.notices()
    assert event.details == {"limit": "conversations_per_month", "period": shop.month}
    assert shop.used().refused_turns == 3


def test_a_conversation_the_bot_works_in_goes_on_when_the_month_is_full(shop: Shop) -> None:
    shop.has_answered_here()
    shop.has_answered_in(3)
    record = shop.write()

    assert record.rule == "error"  # it was decided as ever; here nobody is who could answer
    assert shop.notices() == []


def test_what_is_refused_uses_nothing_of_the_month(shop: Shop) -> None:
    shop.has_answered_in(3)
    shop.write()

    used = shop.used()
    assert (used.conversations, used.turns) == (3, 3)
    assert (used.refused_conversations, used.refused_turns) == (1, 1)


def test_a_turn_is_counted_in_its_month(shop: Shop) -> None:
    shop.write()
    shop.bench.channel.state = shop.bench.channel.state.model_copy(update={"status": "pending"})
    shop.write()

    assert shop.used() == MonthOfConversations(conversations=1, turns=2)


def test_another_month_begins_anew(shop: Shop) -> None:
    shop.has_answered_in(3)
    shop.clock.instant = next(_months)
    record = shop.write()

    assert record.rule == "error"


def test_a_message_beyond_the_minutes_share_is_a_persons(shop: Shop) -> None:
    record = shop.write(over="requests_per_minute")

    assert (record.outcome, record.reason) == ("escalated", "requests_per_minute")
    assert shop.bench.channel.posted == [PERSON_COMES["es"]]
    assert [e.details["limit"] for e in shop.notices()] == ["requests_per_minute"]


@pytest.fixture
def hurried(bench: Bench) -> Iterator[Hearing]:
    """A receiver that takes two messages a minute as usual."""
    hearing = Hearing(bench, TenantRate(2, LimitNotices(bench.database, SystemClock())))
    yield hearing
    hearing.engine.stop()


def test_messages_beyond_the_minutes_share_are_accepted_and_say_so(hurried: Hearing) -> None:
    receipts = [hurried.hear("message_created.whatsapp_text") for _ in range(4)]

    assert [receipt.status for receipt in receipts] == ["accepted"] * 4
    assert [start.over for start in hurried.accepted] == [None, None, "requests_per_minute", "requests_per_minute"]


def test_replies_and_other_events_use_nothing_of_the_minutes_share(hurried: Hearing) -> None:
    for _ in range(5):
        hurried.hear("message_created.outgoing_by_bot")
    hurried.hear("message_created.whatsapp_text")

    assert [start.over for start in hurried.accepted if start.cause == "message"] == [None]
