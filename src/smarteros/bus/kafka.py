"""Kafka, or anything that speaks its protocol, through librdkafka's idempotent producer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from smarteros.bus.protocol import DELIVERED, BusEvent, Delivery

_ANSWERS_WITHIN_S = 1.5
# What a single event is refused for; all else is the broker's state or the operator's to mend.
_EVENT_REFUSED = frozenset(
    {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG, KafkaError.INVALID_MSG_SIZE, KafkaError.INVALID_RECORD}
)
_TAKEN_BACK = frozenset({KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT})
# Not the installation's choice: with these an event that fails lets none of its partition pass before it.
_ORDERED = {
    "enable.idempotence": True,
    "enable.gapless.guarantee": True,
    "acks": "all",
    # Never by itself: a message that expires while the next one does not would come after it. We give up all at once.
    "message.timeout.ms": 0,
}
_DEFAULTS = {
    "client.id": "smarteros",
    "linger.ms": 5,
    "compression.type": "lz4",
    "socket.connection.setup.timeout.ms": 5000,
    "reconnect.backoff.max.ms": 2000,
    "log.connection.close": False,
}


class KafkaBus:
    """Publishes with key and header ``event_id``; every batch is acknowledged by all in-sync replicas, or given up."""

    def __init__(self, brokers: str, options: Mapping[str, str] | None = None, *, deliver_within_s: float = 10) -> None:
        """``brokers`` are host:port with commas; ``options`` are librdkafka's own, such as ``sasl.password``."""
        own = {"bootstrap.servers": brokers, "error_cb": self._note_trouble, **_ORDERED}
        self._options: dict[str, Any] = {**_DEFAULTS, **(options or {}), **own}
        self._trouble = "the brokers do not answer"
        self._deliver_within_s = deliver_within_s
        self._lock = threading.Lock()
        self._producer: Producer | None = None

    def publish(self, events: Sequence[BusEvent]) -> tuple[Delivery, ...]:
        """Produce the events and wait for the acknowledgements; the rest is taken back when the time is over."""
        producer = self._opened()
        deliveries = [Delivery("failed")] * len(events)
        for number, event in enumerate(events):
            try:
                producer.produce(
                    event.topic,
                    value=event.value.encode(),
                    key=event.key.encode(),
                    headers=[("event_id", event.event_id.encode())],
                    on_delivery=_noted_in(deliveries, number),
                )
            except KafkaException as error:  # too large for any broker by the producer's own limit
                deliveries[number] = _delivery_of(error.args[0])
                break  # nothing of its key may pass it
            except BufferError:
                deliveries[number] = Delivery("failed", "the producer's queue is full")
                break
        producer.flush(self._deliver_within_s)
        if any(delivery.outcome != "delivered" for delivery in deliveries):
            self._give_up(producer)
        in_time = f"no acknowledgement within {self._deliver_within_s:g} s: {self._trouble}"
        return tuple(
            each if each.outcome == "delivered" or each.reason else Delivery("failed", in_time) for each in deliveries
        )

    def answers(self) -> bool:
        """Ask the brokers for their metadata."""
        try:
            self._opened().list_topics(timeout=_ANSWERS_WITHIN_S)
        except KafkaException:
            return False
        return True

    def close(self) -> None:
        """End the producer."""
        if self._producer is not None:
            self._give_up(self._producer)

    def _note_trouble(self, error: KafkaError) -> None:
        """Remember what librdkafka tells of connections, names and credentials."""
        self._trouble = error.str()

    def _opened(self) -> Producer:
        with self._lock:
            if self._producer is None:
                self._producer = Producer(self._options, logger=_quiet())
            return self._producer

    def _give_up(self, producer: Producer) -> None:
        """Take back what was not acknowledged, with the producer: a new one begins a new sequence."""
        with self._lock:
            self._producer = None
        producer.purge(in_queue=True, in_flight=True)
        producer.flush(0)


def _noted_in(deliveries: list[Delivery], number: int) -> Any:
    def note(error: KafkaError | None, _message: Message) -> None:
        if error is None:
            deliveries[number] = DELIVERED
        elif error.code() not in _TAKEN_BACK:
            deliveries[number] = _delivery_of(error)

    return note


def _delivery_of(error: KafkaError) -> Delivery:
    return Delivery("refused" if error.code() in _EVENT_REFUSED else "failed", f"{error.name()}: {error.str()}")


def _quiet() -> logging.Logger:
    """Return where librdkafka's lines go: the relay tells what it comes to in words of its own."""
    logger = logging.getLogger("smarteros.kafka")
    logger.setLevel(logging.CRITICAL)
    return logger
