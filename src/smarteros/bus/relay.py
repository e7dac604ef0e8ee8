"""The way from the outbox to the bus: at least once, in order by conversation, nothing lost while the bus is away."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

import sqlalchemy as sa
import structlog

from smarteros.bus.metrics import BUS_EVENTS
from smarteros.bus.protocol import BusEvent, Delivery, EventBus
from smarteros.store.outbox import WaitingEvent, claim_events, refuse_event, remove_events

_log = structlog.get_logger()
_random = random.SystemRandom()

BATCH = 1000
_FIRST_PAUSE_S = 1.0
# So long after its return the bus gets the first event at the latest.
_LONGEST_PAUSE_S = 30.0


class OutboxRelay:
    """Publishes what waits, a batch at a time. Any number of processes may: each conversation is in one's hands.

    Rows are locked while they are on their way and removed in the same transaction. A process that dies gives them
    back, so an event may be published twice, with the same ``event_id``; turns only add rows and wait for nothing.
    """

    def __init__(
        self,
        owner: sa.Engine,
        bus: EventBus,
        *,
        batch: int = BATCH,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._owner = owner
        self.bus = bus
        self._batch = batch
        self._monotonic = monotonic
        # Topics the bus did not take: how often in a row, and until when it is left alone with them. Topics have no
        # order between them, so one that is missing at the broker does not hold up the others.
        self._held: dict[str, tuple[int, float]] = {}

    @property
    def well(self) -> bool:
        """Whether the bus took what it was last given."""
        return not self._held

    def relay_once(self) -> bool:
        """Publish one batch; True when more may be waiting. Raises SQLAlchemyError when the database is away."""
        now = self._monotonic()
        held = [topic for topic, (_, until) in self._held.items() if until > now]
        with self._owner.begin() as connection:
            waiting = claim_events(connection, self._batch, held)
            if not waiting:
                return False
            deliveries = self._publish(waiting)
            pairs = tuple(zip(waiting, deliveries, strict=True))
            remove_events(connection, [event.outbox_id for event, done in pairs if done.outcome == "delivered"])
            for event, done in pairs:
                if done.outcome == "refused":
                    refuse_event(connection, event.outbox_id, done.reason)
                    _log.error("bus_event_refused", event_id=event.event_id, topic=event.topic, reason=done.reason)
        self._judge(pairs)
        return any(done.outcome != "failed" for done in deliveries)

    def _publish(self, waiting: Sequence[WaitingEvent]) -> tuple[Delivery, ...]:
        """Publish; what was refused in a group is tried alone, because one bad event may have spoilt the others."""
        events = [BusEvent(event.topic, event.key, event.event_id, event.value) for event in waiting]
        deliveries = list(self.bus.publish(events))
        if len(events) == 1:
            return tuple(deliveries)
        stuck: set[str] = set()
        for number, event in enumerate(events):
            if deliveries[number].outcome == "refused":
                alone = Delivery("failed", "one before it was not taken")
                if event.topic not in stuck:
                    (alone,) = self.bus.publish((event,))
                deliveries[number] = alone
            if deliveries[number].outcome == "failed":
                stuck.add(event.topic)
        return tuple(deliveries)

    def _judge(self, pairs: Sequence[tuple[WaitingEvent, Delivery]]) -> None:
        """Count, and leave topics alone of which nothing was taken, longer each time."""
        for outcome in ("delivered", "failed", "refused"):
            BUS_EVENTS.labels(outcome).inc(sum(done.outcome == outcome for _, done in pairs))
        for topic in {event.topic for event, _ in pairs}:
            of_topic = [done for event, done in pairs if event.topic == topic]
            if any(done.outcome != "failed" for done in of_topic):
                self._held.pop(topic, None)
                continue
            times = self._held.get(topic, (0, 0.0))[0] + 1
            pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(times - 1, 10)) * _random.uniform(0.8, 1.0)
            self._held[topic] = (times, self._monotonic() + pause)
            _log.warning("bus_topic_failed", topic=topic, reason=of_topic[0].reason, times=times, pause_s=round(pause))
