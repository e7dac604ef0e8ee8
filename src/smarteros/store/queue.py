"""The queue of turns: table ``waiting_turns``, one row per accepted turn until it has ended.

A row is claimed by one worker at a time; ``claims`` counts the claims and is the fencing token: whoever writes for a
turn names the claim it holds, and a worker that was taken for dead finds that its claim is not the newest.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from smarteros.domain.model import Model
from smarteros.domain.turns import ClaimedTurn, Lane, TurnStart, TurnStory
from smarteros.store.events import ReceivedEvent, event_values
from smarteros.store.statements import run

# The channel on which PostgreSQL tells the workers that there is something to do.
WAKE_CHANNEL = "smos_turns"


class Backlog(Model):
    """Turns that were accepted and have not begun, and the age of the oldest in seconds."""

    waiting: int
    oldest_s: float


_ENQUEUE = (
    "SELECT smos.enqueue_turn(%(turn_id)s, %(tenant_id)s, %(conversation_id)s, %(lane)s, CAST(%(start)s AS jsonb),"
    " make_interval(secs => %(due_within_s)s), make_interval(secs => %(share_s)s))"
)
_ACCEPT = """
SELECT smos.accept_message(
  %(tenant_id)s, %(event_key)s, %(event)s, %(delivery_id)s, %(conversation_id)s, %(message_id)s,
  CAST(%(message)s AS jsonb), %(turn_id)s, %(lane)s, CAST(%(start)s AS jsonb),
  make_interval(secs => %(due_within_s)s), make_interval(secs => %(share_s)s))
"""
_CLAIM = (
    "SELECT start::text, claims, tries, news, lane, draft::text"
    " FROM smos.claim_turns(%(worker)s, %(most)s, %(most_slow)s, %(without)s) ORDER BY due_at"
)
_KEEP_DRAFT = (
    "UPDATE smos.waiting_turns SET draft = CAST(%(draft)s AS jsonb) WHERE turn_id = %(turn_id)s AND claims = %(claims)s"
)
_IS_OURS = "SELECT 1 FROM smos.waiting_turns WHERE turn_id = %(turn_id)s AND claims = %(claims)s"
_END = "DELETE FROM smos.waiting_turns WHERE turn_id = %(turn_id)s AND claims = %(claims)s"
# News that came while the turn looked means: look again at once.
_PUT_OFF = (
    "UPDATE smos.waiting_turns SET worker = NULL, tries = tries - %(forgiven)s, lane = %(lane)s,"
    " due_at = greatest(due_at, enqueued_at + make_interval(secs => %(due_within_s)s)),"
    " not_before = clock_timestamp() + make_interval(secs => CASE WHEN news = %(news)s THEN %(after_s)s ELSE 0 END)"
    " WHERE turn_id = %(turn_id)s AND claims = %(claims)s"
)
# A turn that has no draft gives its messages back too: an earlier one, whose webhook came late, is claimed before it.
_GIVE_BACK = (
    "WITH free AS (UPDATE smos.waiting_turns SET worker = NULL WHERE worker = %(worker)s"
    " AND turn_id <> ALL(%(running)s) RETURNING tenant_id, turn_id, draft),"
    " released AS (UPDATE smos.received_events e SET turn_id = NULL FROM free"
    " WHERE free.draft IS NULL AND e.tenant_id = free.tenant_id AND e.turn_id = free.turn_id)"
    " SELECT count(*), pg_notify(%(channel)s, '') FROM free"
)
# Whoever holds a turn by a lease is no process, and at work until the lease has ended (``store.leases``).
_WORKING = sa.text(
    "SELECT DISTINCT worker FROM smos.waiting_turns WHERE worker IS NOT NULL"
    " AND CASE WHEN starts_with(worker, 'lease:')"
    " THEN split_part(worker, ':', 2)::bigint <= extract(epoch FROM clock_timestamp()) ELSE true END"
)
_BACKLOG = sa.text(
    "SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(enqueued_at)), 0) FROM smos.waiting_turns"
    " WHERE worker IS NULL AND not_before <= clock_timestamp()"
)


class Place(Model):
    """Where a turn is put into the queue: its lane, when its reply is due, and the distance to its tenant's last turn.

    ``share_s`` lies between two waiting turns of one tenant in the order of the queue.
    """

    lane: Lane
    due_within_s: float
    share_s: float


def enqueue_turn(connection: sa.Connection, start: TurnStart, place: Place) -> None:
    """Put a turn into the queue and wake the workers when the transaction commits; a known turn changes nothing.

    Earlier turns of the conversation that wait for the customer to finish look again.
    """
    run(connection, _ENQUEUE, _placed(start, place) | {"conversation_id": start.conversation_id})


def accept_message(connection: sa.Connection, event: ReceivedEvent, start: TurnStart, place: Place) -> bool:
    """Store a customer's message and enqueue its turn; False when it was stored before.

    One statement that sets its own scope, for a connection without a transaction.
    """
    row = run(connection, _ACCEPT, event_values(event) | _placed(start, place)).fetchone()
    return row is not None and bool(row[0])


def claim_turns(
    connection: sa.Connection, worker: str, most: int, most_slow: int, without: Collection[str] = ()
) -> list[ClaimedTurn]:
    """Take at most ``most`` turns, of them at most ``most_slow`` of the slow lane; those due first come first.

    Turns of the tenants in ``without`` wait.
    """
    values = {"worker": worker, "most": most, "most_slow": most_slow, "without": list(without)}
    rows = run(connection, _CLAIM, values)
    return [
        ClaimedTurn(
            start=TurnStart.model_validate_json(row.start),
            claims=row.claims,
            tries=row.tries,
            news=row.news,
            lane=row.lane,
            draft=None if row.draft is None else TurnStory.model_validate_json(row.draft),
        )
        for row in rows
    ]


def keep_draft(connection: sa.Connection, turn: ClaimedTurn, draft: TurnStory) -> bool:
    """Keep what the turn is about to post; False when the turn is in other hands."""
    return _changed(connection, _KEEP_DRAFT, turn, draft=draft.model_dump_json())


def is_ours(connection: sa.Connection, turn: ClaimedTurn) -> bool:
    """Tell whether the turn is still in the hands of this claim."""
    return run(connection, _IS_OURS, _own(turn)).fetchone() is not None


def end_turn(connection: sa.Connection, turn: ClaimedTurn) -> bool:
    """Remove an ended turn from the queue; False when it was in other hands: roll everything back then."""
    return _changed(connection, _END, turn)


def put_off(
    connection: sa.Connection,
    turn: ClaimedTurn,
    after_s: float,
    *,
    lane: Lane | None = None,
    due_within_s: float = 0.0,
    failed: bool = False,
) -> None:
    """Give a turn back for later. A lane is changed together with when the reply is due after it was accepted."""
    values = {"after_s": after_s, "lane": lane or turn.lane, "due_within_s": due_within_s, "news": turn.news}
    run(connection, _PUT_OFF, _own(turn) | values | {"forgiven": 0 if failed else 1})


def give_back(connection: sa.Connection, worker: str, running: Collection[str] = ()) -> int:
    """Put a worker's turns, except those it runs, back into the queue; returns how many."""
    values = {"worker": worker, "running": list(running), "channel": WAKE_CHANNEL}
    row = run(connection, _GIVE_BACK, values).fetchone()
    return 0 if row is None else int(row[0])


def names_of_working(connection: sa.Connection) -> set[str]:
    """List the workers that hold turns."""
    return {row.worker for row in connection.execute(_WORKING)}


def backlog(connection: sa.Connection) -> Backlog:
    """Count the turns that wait for a worker, of all processes and tenants."""
    waiting, oldest_s = connection.execute(_BACKLOG).one()
    return Backlog(waiting=waiting, oldest_s=max(0.0, round(float(oldest_s), 3)))


def _placed(start: TurnStart, place: Place) -> dict[str, Any]:
    own = {"turn_id": start.turn_id, "tenant_id": start.tenant_id, "start": start.model_dump_json()}
    return own | place.model_dump()


def _own(turn: ClaimedTurn) -> dict[str, Any]:
    return {"turn_id": turn.start.turn_id, "claims": turn.claims}


def _changed(connection: sa.Connection, statement: str, turn: ClaimedTurn, **values: str) -> bool:
    return run(connection, statement, _own(turn) | values).rowcount == 1
