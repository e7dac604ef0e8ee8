"""What the audit tells of a tenant's turns, as far as alerts ask: how they ended, how long they took, what failed."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from smarteros.domain.model import Model
from smarteros.domain.turns import Outcome
from smarteros.store.statements import run

# Of every tool it is known how its last call in the turn ended: ``<tool>_outcome`` of the event.
_TOOL_ENDING = "_outcome"
_NEWER = """
SELECT position, event->>'flow_id' AS flow_id, (event->>'timestamp')::timestamptz AS at,
       (event->>'latency_ms')::float AS latency_ms, (event->>'confidence')::float AS confidence,
       event->'details' AS details
  FROM smos.audit_events
 WHERE tenant_id = %(tenant_id)s AND position > %(after)s AND event->>'kind' = 'turn'
 ORDER BY position DESC LIMIT %(most)s
"""


class TurnFacts(Model):
    """One turn. ``position`` is its event's in the tenant's chain, which has no gaps: what is later is higher.

    ``timed_out`` are the tools the outside system behind which did not answer in time, also when what was remembered
    was answered instead; ``called`` are all that were asked.
    """

    position: int
    flow_id: str
    at: datetime
    outcome: Outcome
    rule: str | None
    latency_ms: float | None
    confidence: float | None
    ocr_confidence: float | None
    invoice_found: bool | None
    called: frozenset[str]
    timed_out: frozenset[str]


def newer_turns(connection: sa.Connection, tenant_id: str, after: int, most: int) -> list[TurnFacts]:
    """Return the newest turns written after a position, at most ``most``, oldest first."""
    rows = run(connection, _NEWER, {"tenant_id": tenant_id, "after": after, "most": most}).fetchall()
    found: list[TurnFacts] = []
    for row in reversed(rows):
        details = row.details
        tools = {
            name.removesuffix(_TOOL_ENDING): ended for name, ended in details.items() if name.endswith(_TOOL_ENDING)
        }
        found.append(
            TurnFacts(
                position=row.position,
                flow_id=row.flow_id,
                at=row.at,
                outcome=details["outcome"],
                rule=details.get("rule"),
                latency_ms=row.latency_ms,
                confidence=row.confidence,
                ocr_confidence=details.get("ocr_confidence"),
                invoice_found=details.get("invoice_found"),
                called=frozenset(tools),
                timed_out=frozenset(name for name, ended in tools.items() if ended in ("timeout", "fallback")),
            )
        )
    return found
