"""Redpanda's HTTP proxy (pandaproxy): ``POST /topics/{topic}`` in the form ``application/vnd.kafka.json.v2+json``.

Source: redpanda, src/v/pandaproxy/api/api-doc/post_topics_name.json. The proxy has no idempotent producer and takes no
headers: a request whose answer is lost is sent again, and a consumer finds ``event_id`` in the value.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from smarteros.bus.protocol import DELIVERED, BusEvent, Delivery
from smarteros.kit.http import HttpClient, HttpFault

_RECORDS = "application/vnd.kafka.json.v2+json"
_ANSWER = "application/vnd.kafka.v2+json"
# The proxy's default limit of a request is 1 MiB; an event has about 1 kB.
_AT_A_TIME = 250
_TIMEOUT_S = 10.0
# The body is not what the proxy can take; whatever else it says may pass or be mended.
_BODY_REFUSED = frozenset({400, 413, 422})


class _Offset(BaseModel):
    offset: int = -1
    error_code: int | None = None


class _Produced(BaseModel):
    offsets: tuple[_Offset, ...]


class RedpandaHttpBus:
    """Posts events through a Redpanda's HTTP proxy, topic by topic, one request after the other."""

    def __init__(self, http: HttpClient, url: str, credentials: str | None = None) -> None:
        """``url`` is the proxy's address; ``credentials`` are ``user:password`` for HTTP Basic."""
        self._http = http
        self._url = url.rstrip("/")
        basic = base64.b64encode(credentials.encode()).decode() if credentials else None
        self._access = {"Authorization": f"Basic {basic}"} if basic else {}

    def publish(self, events: Sequence[BusEvent]) -> tuple[Delivery, ...]:
        """Post the events of each topic, groups in order; a topic's first group that is not taken ends the topic."""
        deliveries = [Delivery("failed", "not sent: one before it was not taken")] * len(events)
        for topic in dict.fromkeys(event.topic for event in events):
            numbers = [number for number, event in enumerate(events) if event.topic == topic]
            for first in range(0, len(numbers), _AT_A_TIME):
                group = numbers[first : first + _AT_A_TIME]
                taken = self._post(topic, [events[number] for number in group])
                for number, delivery in zip(group, taken, strict=True):
                    deliveries[number] = delivery
                if any(delivery.outcome != "delivered" for delivery in taken):
                    break
        return tuple(deliveries)

    def answers(self) -> bool:
        """Ask the proxy which brokers there are."""
        try:
            self._http.request("GET", f"{self._url}/brokers", headers={"Accept": _ANSWER, **self._access}, timeout_s=2)
        except HttpFault:
            return False
        return True

    def close(self) -> None:
        """Nothing is held; the client belongs to the installation."""

    def _post(self, topic: str, events: Sequence[BusEvent]) -> tuple[Delivery, ...]:
        body = {"records": [{"key": event.key, "value": json.loads(event.value)} for event in events]}
        headers = {"Content-Type": _RECORDS, "Accept": _ANSWER, **self._access}
        address = f"{self._url}/topics/{quote(topic, safe='')}"
        try:
            answer = self._http.json("POST", address, headers=headers, json=body, timeout_s=_TIMEOUT_S)
            offsets = _Produced.model_validate(answer).offsets
        except HttpFault as fault:
            outcome = "refused" if fault.status in _BODY_REFUSED else "failed"
            return (Delivery(outcome, f"{fault}{_error_code(fault.body)}"),) * len(events)
        except ValidationError:
            return (Delivery("failed", "the proxy's answer has no offsets"),) * len(events)
        if len(offsets) != len(events):
            return (Delivery("failed", f"{len(offsets)} offsets for {len(events)} events"),) * len(events)
        return _in_order(offsets, events)


def _in_order(offsets: Iterable[_Offset], events: Sequence[BusEvent]) -> tuple[Delivery, ...]:
    """Read what became of each record; behind one that was not taken, those of its key count as not taken either.

    They may be in the topic already; sent again they are repetitions, behind the one that was missing.
    """
    missing: set[str] = set()
    deliveries: list[Delivery] = []
    for offset, event in zip(offsets, events, strict=True):
        if offset.error_code is not None or offset.offset < 0:
            missing.add(event.key)
            deliveries.append(Delivery("failed", f"error code {offset.error_code}"))
        elif event.key in missing:
            deliveries.append(Delivery("failed", "one before it was not taken"))
        else:
            deliveries.append(DELIVERED)
    return tuple(deliveries)


def _error_code(body: str) -> str:
    """Return the proxy's own number of the error (``error_code``), which says more than the status."""
    try:
        answer: Any = json.loads(body)
        return f" ({int(answer['error_code'])})"
    except (ValueError, TypeError, KeyError):
        return ""
