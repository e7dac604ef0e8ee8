"""The relay from the outbox: everything arrives, in order by conversation, whatever the bus does."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from tests.kafka_broker import KafkaBroker, Taken, once

from smarteros.bus.loop import AuditLoop
from smarteros.bus.protocol import DELIVERED, BusEvent, Delivery
from smarteros.bus.relay import OutboxRelay
from smarteros.domain.audit import AuditEvent
from smarteros.domain.audit_chain import AuditSeal
from smarteros.domain.tenants import TenantScope
from smarteros.observability.metrics import exposition
from smarteros.store.audit import append_event
from smarteros.store.database import Database, owner_engine
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.store.outbox import outbox_size, remove_older, send_refused_again

FAQ, SALES = "smarteros.audit.faq", "smarteros.audit.shopify"
SEAL = AuditSeal(("key-of-the-tests",))
_shops = itertools.count(1)
Outcomes = Callable[[Sequence[BusEvent]], tuple[Delivery, ...]]


class ScriptedBus:
    """A bus that does what the test says; ``taken`` is what got through, in order."""

    def __init__(self, outcomes: Outcomes | None = None) -> None:
        self.outcomes: Outcomes = outcomes or (lambda events: (DELIVERED,) * len(events))
        self.taken: list[Taken] = []
        self.asked: list[int] = []

    def publish(self, events: Sequence[BusEvent]) -> tuple[Delivery, ...]:
        self.asked.append(len(events))
        outcomes = self.outcomes(events)
        pairs = zip(events, outcomes, strict=True)
        self.taken += [Taken(e.key, e.event_id, e.value) for e, done in pairs if done.outcome == "delivered"]
        return outcomes

    def answers(self) -> bool:
        return True

    def close(self) -> None:
        pass

    def ids(self) -> list[str]:
        return [event.event_id for event in self.taken]


class Time:
    """A stopwatch that stands still until it is set."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def owner(postgres: EmbeddedPostgres) -> Iterator[sa.Engine]:
    """The owner; the outbox is empty, whatever other tests have left in it."""
    engine = owner_engine(postgres.url())
    with engine.begin() as connection:
        remove_older(connection, timedelta(0))
    yield engine
    engine.dispose()


class Shop:
    """A tenant whose turns are audited."""

    def __init__(self, database: Database) -> None:
        self.scope = TenantScope(tenant_id=f"BUS_SHOP_{next(_shops)}")
        self._database = database
        self._numbers = itertools.count(1)

    def audits(self, *conversations: int, topic: str = FAQ) -> list[str]:
        """Append an event for each; returns their ids."""
        ids: list[str] = []
        for conversation in conversations:
            event = AuditEvent(
                event_id=f"{self.scope.tenant_id}-{next(self._numbers)}",
                topic=topic,
                kind="turn",
                tenant_id=self.scope.tenant_id,
                conversation_id=conversation,
                timestamp=datetime(2026, 11, 23, tzinfo=UTC),
            )
            with self._database.tenant(self.scope) as connection:
                append_event(connection, event)
            ids.append(event.event_id)
        return ids


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database)


def waiting(owner: sa.Engine) -> int:
    with owner.connect() as connection:
        return outbox_size(connection).waiting


def failing(events: Sequence[BusEvent]) -> tuple[Delivery, ...]:
    return (Delivery("failed", "away"),) * len(events)


def test_what_waits_is_published_once_and_in_order_and_leaves_the_outbox(owner: sa.Engine, shop: Shop) -> None:
    bus = ScriptedBus()
    relay = OutboxRelay(owner, bus, batch=4)
    ids = shop.audits(1, 2, 1, 3, 1, 2)

    assert [relay.relay_once(), relay.relay_once(), relay.relay_once()] == [True, True, False]
    assert bus.ids() == ids
    assert (bus.taken[0].key, waiting(owner)) == (f"{shop.scope.tenant_id}:1", 0)


def test_while_the_bus_is_away_nothing_is_lost_and_it_is_left_alone_longer_each_time(
    owner: sa.Engine, shop: Shop
) -> None:
    bus, time = ScriptedBus(failing), Time()
    relay = OutboxRelay(owner, bus, monotonic=time)
    ids = shop.audits(1, 2)
    for _ in range(60):
        relay.relay_once()
        time.now_s += 1
    tries = len(bus.asked)
    ids += shop.audits(1, 2)
    assert not relay.well
    assert waiting(owner) == 4

    bus.outcomes = ScriptedBus().outcomes
    time.now_s += 30
    relay.relay_once()

    assert 5 <= tries <= 9  # after 1, 2, 4, 8, 16 seconds, then every half minute
    assert bus.ids() == ids
    assert relay.well


def test_a_topic_the_bus_does_not_take_does_not_hold_up_the_others(owner: sa.Engine, shop: Shop) -> None:
    bus = ScriptedBus(lambda events: tuple(Delivery("failed", "no") if e.topic == SALES else DELIVERED for e in events))
    relay = OutboxRelay(owner, bus, batch=3, monotonic=Time())
    shop.audits(1, 2, 3, 4, topic=SALES)
    ids = shop.audits(1, 2, 3, 4)
    while relay.relay_once() or waiting(owner) > 4:
        pass

    assert bus.ids() == ids
    assert waiting(owner) == 4


def test_an_event_that_is_refused_is_set_aside_and_its_conversation_goes_on(owner: sa.Engine, shop: Shop) -> None:
    ids = shop.audits(1, 1, 1)

    def too_large(events: Sequence[BusEvent]) -> tuple[Delivery, ...]:
        spoilt = any(event.event_id == ids[1] for event in events)
        return (Delivery("refused", "too large"),) * len(events) if spoilt else (DELIVERED,) * len(events)

    bus = ScriptedBus(too_large)
    relay = OutboxRelay(owner, bus)
    relay.relay_once()
    assert bus.ids() == [ids[0], ids[2]]
    with owner.connect() as connection:
        size = outbox_size(connection)
    assert (size.waiting, size.refused) == (0, 1)

    bus.outcomes = ScriptedBus().outcomes
    with owner.begin() as connection:
        assert send_refused_again(connection) == 1
    relay.relay_once()
    assert bus.ids()[-1] == ids[1]


def test_what_was_published_before_the_relay_died_is_published_again(owner: sa.Engine, shop: Shop) -> None:
    ids = shop.audits(1, 1, 2)
    dying = ScriptedBus()
    relay = OutboxRelay(owner, dying)

    def cut(events: Sequence[BusEvent]) -> tuple[Delivery, ...]:
        with owner.connect() as other:
            other.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE state = 'idle in transaction' AND query LIKE '%outbox%' AND pid <> pg_backend_pid()"
                )
            )
        return (DELIVERED,) * len(events)

    dying.outcomes = cut
    with pytest.raises(SQLAlchemyError):
        relay.relay_once()
    dying.outcomes = ScriptedBus().outcomes
    relay.relay_once()

    assert dying.ids() == ids + ids
    assert [event.event_id for event in once(dying.taken)] == ids


def test_two_relays_at_once_never_have_the_same_conversation_and_turns_go_on(owner: sa.Engine, shop: Shop) -> None:
    first, second = ScriptedBus(), ScriptedBus()
    other = OutboxRelay(owner, second)
    ids = shop.audits(1, 2, 1, 2)
    late: list[str] = []

    def meanwhile(events: Sequence[BusEvent]) -> tuple[Delivery, ...]:
        late.extend(shop.audits(1, 3))  # a turn ends while our rows are locked
        other.relay_once()
        return (DELIVERED,) * len(events)

    first.outcomes = meanwhile
    OutboxRelay(owner, first).relay_once()
    assert first.ids() == ids
    assert second.ids() == late[1:]

    other.relay_once()
    assert second.ids() == [late[1], late[0]]


def test_whatever_fails_every_event_arrives_and_each_conversation_in_order(owner: sa.Engine, shop: Shop) -> None:
    dice, time = random.Random(20261123), Time()
    taken: list[Taken] = []

    def unreliable(events: Sequence[BusEvent]) -> tuple[Delivery, ...]:
        stuck: set[tuple[str, str]] = set()
        outcomes: list[Delivery] = []
        for event in events:
            if dice.random() < 0.1:
                stuck.add((event.topic, event.key))
            outcomes.append(Delivery("failed", "x") if (event.topic, event.key) in stuck else DELIVERED)
        return tuple(outcomes)

    relays = [OutboxRelay(owner, ScriptedBus(unreliable), batch=batch, monotonic=time) for batch in (3, 7)]
    for relay in relays:
        assert isinstance(relay.bus, ScriptedBus)
        relay.bus.taken = taken
    sent: dict[int, list[str]] = {}
    for _ in range(30):
        for conversation in dice.choices(range(4), k=3):
            sent.setdefault(conversation, []).extend(shop.audits(conversation))
        dice.choice(relays).relay_once()
        time.now_s += 5
    while waiting(owner):
        dice.choice(relays).relay_once()
        time.now_s += 60

    for conversation, ids in sent.items():
        assert [event.event_id for event in taken if event.key.endswith(f":{conversation}")] == ids


def test_without_a_bus_events_stay_for_as_long_as_they_are_kept(owner: sa.Engine, shop: Shop) -> None:
    shop.audits(1, 2)
    with owner.begin() as connection:
        assert remove_older(connection, timedelta(days=7)) == 0
        connection.execute(sa.text("UPDATE smos.outbox SET enqueued_at = now() - interval '8 days'"))
        assert remove_older(connection, timedelta(days=7)) == 2


def test_a_real_broker_that_was_away_gets_everything_in_order(
    postgres: EmbeddedPostgres, owner: sa.Engine, shop: Shop, kafka: KafkaBroker
) -> None:
    from smarteros.bus.kafka import KafkaBus

    topic = f"smarteros.audit.{shop.scope.tenant_id.lower()}"
    kafka.create_topic(topic)
    impatient = KafkaBus(kafka.address, deliver_within_s=0.3)
    engine = owner_engine(postgres.url())
    loop = AuditLoop(engine, SEAL, OutboxRelay(engine, KafkaBus(kafka.address)))
    with kafka.away():
        ids = shop.audits(*[number % 5 for number in range(40)], topic=topic)
        tried = OutboxRelay(owner, impatient)
        assert not tried.relay_once()
        assert not tried.well
        loop.start()
        ids += shop.audits(*[number % 5 for number in range(40)], topic=topic)
        figures = exposition()[0].decode()
    try:
        found = once(kafka.taken(topic, len(ids)))
    finally:
        loop.stop()
        impatient.close()

    assert "smos_outbox_waiting_events 80.0" in figures
    for conversation in range(5):
        mine = [taken.event_id for taken in found if taken.key.endswith(f":{conversation}")]
        assert mine == [each for number, each in enumerate(ids) if number % 5 == conversation]
