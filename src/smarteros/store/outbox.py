"""What waits for the bus. Needs a connection of the owner: the relay takes the events of all tenants."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

import sqlalchemy as sa

from smarteros.domain.model import Model
from smarteros.store.statements import run
from smarteros.store.tables import outbox

# The first rows, of which those of a key (a conversation) are mine when its very first one is mine. So another relay
# works on other keys, and what it has taken from a key is gone or its own when its first row can be locked again.
_CLAIM = """
    WITH front AS (
      SELECT outbox_id, topic, key FROM smos.outbox
       WHERE refused_reason IS NULL AND topic <> ALL(%(held)s) ORDER BY outbox_id LIMIT %(window)s
    ), mine AS (
      SELECT o.topic, o.key FROM smos.outbox o
       WHERE o.outbox_id IN (SELECT min(f.outbox_id) FROM front f GROUP BY f.topic, f.key)
         AND o.refused_reason IS NULL
       FOR UPDATE SKIP LOCKED
    )
    SELECT o.outbox_id, o.topic, o.key, o.event->>'event_id' AS event_id, o.event::text AS value
      FROM front f JOIN mine USING (topic, key) JOIN smos.outbox o USING (outbox_id)
     ORDER BY o.outbox_id LIMIT %(most)s
    """
# Wide enough that two relays find work in it.
_WINDOW = 4


class WaitingEvent(Model):
    """An event on its way to the bus; ``value`` is its JSON."""

    outbox_id: int
    topic: str
    key: str
    event_id: str
    value: str


class OutboxSize(Model):
    """How much waits for the bus, how old the oldest of it is, and what the bus will never take."""

    waiting: int
    oldest_s: float
    refused: int


def claim_events(owner: sa.Connection, most: int, held_topics: Collection[str] = ()) -> tuple[WaitingEvent, ...]:
    """Lock the oldest events until the transaction ends, whole beginnings of conversations, in order."""
    values = {"held": list(held_topics), "window": most * _WINDOW, "most": most}
    return tuple(WaitingEvent.model_validate(row._asdict()) for row in run(owner, _CLAIM, values))


def remove_events(owner: sa.Connection, delivered: Sequence[int]) -> None:
    """Remove what the bus has."""
    run(owner, "DELETE FROM smos.outbox WHERE outbox_id = ANY(%(ids)s)", {"ids": delivered})


def refuse_event(owner: sa.Connection, outbox_id: int, reason: str) -> None:
    """Set an event aside that the bus will never take; those after it go on."""
    owner.execute(sa.update(outbox).where(outbox.c.outbox_id == outbox_id).values(refused_reason=reason[:500]))


def remove_older(owner: sa.Connection, age: timedelta) -> int:
    """Remove what has waited longer, where no bus takes it; returns how many."""
    return owner.execute(sa.delete(outbox).where(outbox.c.enqueued_at < sa.func.now() - age)).rowcount


def send_refused_again(owner: sa.Connection) -> int:
    """Let the bus be asked again for what it refused; returns how many events that are."""
    again = sa.update(outbox).where(outbox.c.refused_reason.is_not(None)).values(refused_reason=None)
    return owner.execute(again).rowcount


def outbox_size(owner: sa.Connection) -> OutboxSize:
    """Count what waits."""
    waiting = outbox.c.refused_reason.is_(None)
    age = sa.func.extract("epoch", sa.func.clock_timestamp() - sa.func.min(outbox.c.enqueued_at).filter(waiting))
    row = owner.execute(
        sa.select(
            sa.func.count().filter(waiting), sa.func.coalesce(age, 0), sa.func.count().filter(~waiting)
        ).select_from(outbox)
    ).one()
    return OutboxSize(waiting=row[0], oldest_s=max(0.0, float(row[1])), refused=row[2])
