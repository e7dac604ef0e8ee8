"""Turns in the hands of another orchestrator: claimed like a worker's, held by a lease instead of a process' life.

The orchestrator's claim is a row of the queue whose worker is called ``lease:<end>:<turn>``. Whoever watches over dead
workers (``flow.takeover``) takes such a worker for dead once its lease has ended, and gives its turn back as any other.
"""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa

from smarteros.domain.turns import ClaimedTurn, TurnStart
from smarteros.store.statements import run

# Seconds an orchestrator has from one request to the next.
LEASE_S = 30.0
Standing = Literal[
    "free",     # it waits for a worker, or for the turns before it
    "leased",   # an orchestrator leads it already
    "working",  # one of our workers runs it, or another turn of the conversation runs
    "ended",    # it is not in the queue any more
]  # fmt: skip

_NAME = "'lease:' || ceil(extract(epoch FROM clock_timestamp()) + %(lease_s)s)::bigint || ':' || turn_id"
# The lock of ``smos.claim_turns``: of one conversation never two turns are taken. The server frees it after a second
# should this process freeze in between.
_ALONE = "SET LOCAL idle_in_transaction_session_timeout = '1s'; SELECT pg_advisory_xact_lock(772302)"
# As ``smos.claim_turns`` takes it, but for the time before which a worker leaves it alone: that is the orchestrator's.
_LEASE = f"""
UPDATE smos.waiting_turns w SET worker = {_NAME}, claims = w.claims + 1, tries = w.tries + 1
 WHERE w.tenant_id = %(tenant_id)s AND w.turn_id = %(turn_id)s AND w.worker IS NULL AND w.draft IS NULL
   AND NOT EXISTS (
     SELECT FROM smos.waiting_turns e
      WHERE e.tenant_id = w.tenant_id AND e.conversation_id = w.conversation_id AND e.turn_id <> w.turn_id
        AND (e.worker IS NOT NULL OR e.turn_id < w.turn_id))
RETURNING start::text, claims, tries, news
"""  # noqa: S608 - made of constants
_RENEW = (
    f"UPDATE smos.waiting_turns SET worker = {_NAME}"  # noqa: S608 - made of constants
    " WHERE turn_id = %(turn_id)s AND claims = %(claims)s AND worker LIKE 'lease:%%'"
)
_STANDING = "SELECT worker, draft IS NOT NULL AS drafted FROM smos.waiting_turns WHERE turn_id = %(turn_id)s"


def lease_turn(connection: sa.Connection, tenant_id: str, turn_id: str) -> ClaimedTurn | None:
    """Claim a turn for an orchestrator in the tenant's transaction; None when it cannot be had now (``standing``).

    Its lane is the quick one whatever it was accepted in: it takes its place when it comes to slow work.
    """
    run(connection, _ALONE, {})
    values = {"tenant_id": tenant_id, "turn_id": turn_id, "lease_s": LEASE_S}
    row = run(connection, _LEASE, values).fetchone()
    if row is None:
        return None
    start = TurnStart.model_validate_json(row.start)
    return ClaimedTurn(start=start, claims=row.claims, tries=row.tries, news=row.news)


def renew_lease(connection: sa.Connection, turn: ClaimedTurn) -> bool:
    """Let the lease begin anew; False when the turn has ended or was taken up by somebody else."""
    values = {"turn_id": turn.start.turn_id, "claims": turn.claims, "lease_s": LEASE_S}
    return run(connection, _RENEW, values).rowcount == 1


def standing(connection: sa.Connection, turn_id: str) -> Standing:
    """Tell why a turn cannot be had."""
    row = run(connection, _STANDING, {"turn_id": turn_id}).fetchone()
    if row is None:
        return "ended"
    if row.worker is None and not row.drafted:
        return "free"
    return "leased" if (row.worker or "").startswith("lease:") else "working"
