"""What takes audit events to the outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

# refused: this event as it is will never be taken (too large, not readable). failed: anything else, worth another try.
Outcome = Literal["delivered", "failed", "refused"]


@dataclass(frozen=True)
class BusEvent:
    """One event: JSON ``value`` for a ``topic``. Events of one topic and ``key`` keep their order.

    ``event_id`` is what a consumer knows a repetition by.
    """

    topic: str
    key: str
    event_id: str
    value: str


@dataclass(frozen=True)
class Delivery:
    """What became of one event; ``reason`` is the bus' own word when it was not delivered."""

    outcome: Outcome
    reason: str = ""


DELIVERED = Delivery("delivered")


class EventBus(Protocol):
    """Takes events at least once, in order by topic and key. Used by one thread, except ``answers``."""

    def publish(self, events: Sequence[BusEvent]) -> tuple[Delivery, ...]:
        """Hand events over and wait, within a bound of seconds, until the bus has them for good.

        Returns one Delivery for each event, in their order. After the first event of a topic and key that was not
        delivered, none of the same is: it may be sent again without coming too late. A bus that takes events in
        groups may answer ``refused`` for a group of which only one cannot be taken; alone, the answer counts.
        Raises nothing for what the other side does.
        """
        ...

    def answers(self) -> bool:
        """Tell within two seconds whether the other side is there."""
        ...

    def close(self) -> None:
        """End; what was not delivered is given up, for it is still in the outbox."""
        ...
