"""What every EventBus must do: keep the order of a conversation, say what was not taken, lose nothing."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest
from tests.kafka_broker import KafkaBroker, Taken, once
from tests.redpanda_proxy import RedpandaProxy
from tests.support import serving

from smarteros.bus.protocol import BusEvent, EventBus
from smarteros.bus.redpanda_http import RedpandaHttpBus
from smarteros.kit.http import HttpClient

_topics = itertools.count(1)


@dataclass
class Place:
    """A bus, the same for somebody who does not wait long, and the other side of them."""

    bus: EventBus
    impatient: EventBus
    taken: Callable[[str, int], list[Taken]]
    away: Callable[[], AbstractContextManager[None]]
    create_topic: Callable[[str], None]

    def topic(self) -> str:
        name = f"smarteros.audit.test{next(_topics)}"
        self.create_topic(name)
        return name


def _kafka(request: pytest.FixtureRequest) -> Iterator[Place]:
    broker: KafkaBroker = request.getfixturevalue("kafka")
    from smarteros.bus.kafka import KafkaBus

    bus, impatient = KafkaBus(broker.address), KafkaBus(broker.address, deliver_within_s=0.3)
    yield Place(bus, impatient, broker.taken, broker.away, broker.create_topic)
    bus.close()
    impatient.close()


def _redpanda_http(_request: pytest.FixtureRequest) -> Iterator[Place]:
    proxy, http = RedpandaProxy(), HttpClient()
    with serving(proxy) as url:
        bus = RedpandaHttpBus(http, url)
        yield Place(bus, bus, proxy.taken, proxy.away, proxy.create_topic)
    http.close()


PLACES = {"kafka": _kafka, "redpanda-http": _redpanda_http}


@pytest.fixture(params=sorted(PLACES))
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    yield from PLACES[request.param](request)


def event(topic: str, number: int, conversation: int = 7, text: str = "¿ñandú?") -> BusEvent:
    value = json.dumps({"event_id": f"e{number}", "details": {"text": text}}, ensure_ascii=False)
    return BusEvent(topic, f"SHOP:{conversation}", f"e{number}", value)


def test_events_arrive_as_they_were_sent(place: Place) -> None:
    topic = place.topic()
    sent = event(topic, 1)

    assert [done.outcome for done in place.bus.publish((sent,))] == ["delivered"]
    (taken,) = place.taken(topic, 1)
    assert (taken.key, taken.event_id, json.loads(taken.value)) == (sent.key, "e1", json.loads(sent.value))


def test_a_thousand_events_of_many_conversations_keep_the_order_of_each(place: Place) -> None:
    topic = place.topic()
    sent = [event(topic, number, conversation=number % 9) for number in range(1000)]

    assert {done.outcome for done in place.bus.publish(sent)} == {"delivered"}
    taken = place.taken(topic, 1000)
    for conversation in range(9):
        ours = [t.event_id for t in taken if t.key == f"SHOP:{conversation}"]
        assert ours == [f"e{number}" for number in range(1000) if number % 9 == conversation]


def test_topics_are_kept_apart(place: Place) -> None:
    one, other = place.topic(), place.topic()
    place.bus.publish((event(one, 1), event(other, 2), event(one, 3)))

    assert [taken.event_id for taken in place.taken(one, 2)] == ["e1", "e3"]
    assert [taken.event_id for taken in place.taken(other, 1)] == ["e2"]


def test_nothing_is_lost_or_out_of_order_when_the_other_side_is_away_for_a_while(place: Place) -> None:
    topic = place.topic()
    sent = [event(topic, number) for number in range(20)]
    assert place.bus.answers()
    place.bus.publish(sent[:5])
    with place.away():
        failed = place.impatient.publish(sent[5:])
        assert not place.bus.answers()
    again = place.bus.publish(sent[5:])

    assert {done.outcome for done in failed} == {"failed"}
    assert all(done.reason for done in failed)
    assert {done.outcome for done in again} == {"delivered"}
    # What was on its way may have arrived too: twice, and never after what came later.
    taken = once(place.taken(topic, 20))
    assert [each.event_id for each in taken] == [f"e{number}" for number in range(20)]


def test_an_event_that_is_too_large_is_refused_alone_and_nothing_of_its_conversation_passes_it(place: Place) -> None:
    topic = place.topic()
    events = (event(topic, 1), event(topic, 2, text="x" * 1_500_000), event(topic, 3))

    first = place.bus.publish(events)
    assert [done.outcome for done in first][1:] != ["delivered", "delivered"]
    assert first[2].outcome != "delivered"
    assert [done.outcome for done in place.bus.publish(events[1:2])] == ["refused"]
    assert [done.outcome for done in place.bus.publish(events[2:])] == ["delivered"]


def test_publishing_nothing_is_no_fault(place: Place) -> None:
    assert place.bus.publish(()) == ()


@pytest.fixture
def proxy() -> Iterator[tuple[RedpandaProxy, str, HttpClient]]:
    proxy, http = RedpandaProxy(), HttpClient()
    with serving(proxy) as url:
        yield proxy, url, http
    http.close()


def test_the_proxy_is_asked_in_groups_with_credentials(proxy: tuple[RedpandaProxy, str, HttpClient]) -> None:
    there, url, http = proxy
    there.create_topic("smarteros.audit.faq")
    RedpandaHttpBus(http, f"{url}/", "shop:secret").publish([event("smarteros.audit.faq", n) for n in range(251)])

    assert there.asked == ["POST /topics/smarteros.audit.faq"] * 2
    assert {headers["authorization"] for headers in there.headers} == {"Basic c2hvcDpzZWNyZXQ="}


def test_a_topic_the_proxy_does_not_know_fails_with_its_reason(proxy: tuple[RedpandaProxy, str, HttpClient]) -> None:
    _, url, http = proxy
    (done,) = RedpandaHttpBus(http, url).publish((event("smarteros.audit.unknown", 1),))

    assert (done.outcome, done.reason) == ("failed", "error code 3")


def test_of_a_group_taken_in_part_the_rest_of_the_conversation_is_sent_again(
    proxy: tuple[RedpandaProxy, str, HttpClient],
) -> None:
    there, url, http = proxy
    there.create_topic("smarteros.audit.faq")
    there.partial = {1: 7}
    sent = [event("smarteros.audit.faq", number, conversation=7 if number < 3 else 8) for number in range(4)]
    done = RedpandaHttpBus(http, url).publish(sent)

    assert [each.outcome for each in done] == ["delivered", "failed", "failed", "delivered"]
