"""How many turns of a tenant kept their flow's promise, counted in the records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from smarteros.contracts.loader import ContractSet
from smarteros.contracts.models import Contract
from smarteros.contracts.objectives import LATENCY_SHARE, patience_ms, window_of
from smarteros.kit.clock import SANTIAGO, in_santiago
from smarteros.observability.slo import Budget, Promises, budgets
from smarteros.store.statements import run

# How fast a budget burns is judged by the turns of this time; the rules' ``slo:current_burn_rate:ratio`` looks at less.
_RECENT = timedelta(hours=1)

_KEPT = """
SELECT count(*) FILTER (WHERE verdict = 'kept') AS kept, count(*) FILTER (WHERE verdict = 'late') AS late,
       count(*) FILTER (WHERE verdict = 'broken') AS broken
  FROM (SELECT record ->> 'verdict' AS verdict FROM smos.turns
         WHERE tenant_id = %(tenant_id)s AND flow_id = %(flow_id)s
           AND finished_at > %(since)s AND finished_at <= %(until)s) AS ended
"""
_BY_DAY = """
SELECT (finished_at AT TIME ZONE %(zone)s)::date AS day,
       count(*) FILTER (WHERE record ->> 'verdict' = 'kept') AS kept,
       count(*) FILTER (WHERE record ->> 'verdict' = 'late') AS late,
       count(*) FILTER (WHERE record ->> 'verdict' = 'broken') AS broken
  FROM smos.turns
 WHERE tenant_id = %(tenant_id)s AND flow_id = %(flow_id)s AND finished_at > %(since)s AND finished_at <= %(until)s
 GROUP BY day
"""
# How long the customer waited is in the audit event of the turn, where the alerts read it too.
_LATENCY = """
SELECT percentile_disc(%(share)s) WITHIN GROUP (ORDER BY (a.event ->> 'latency_ms')::float) AS latency_ms
  FROM smos.turns t JOIN smos.audit_events a ON a.tenant_id = t.tenant_id AND a.event_id = 'turn:' || t.turn_id
 WHERE t.tenant_id = %(tenant_id)s AND t.flow_id = %(flow_id)s
   AND t.finished_at > %(since)s AND t.finished_at <= %(until)s
"""
_OVERDUE = """
SELECT count(*) AS overdue FROM smos.waiting_turns
 WHERE tenant_id = %(tenant_id)s AND start ->> 'cause' = 'message' AND enqueued_at < %(before)s
"""


def promises(
    connection: sa.Connection, tenant_id: str, contract: Contract, since: datetime, until: datetime
) -> Promises:
    """Count a flow's turns that ended in a time, by verdict."""
    values = {"tenant_id": tenant_id, "flow_id": contract.flow_id, "since": since, "until": until}
    (row,) = run(connection, _KEPT, values)
    return Promises(kept=row.kept, late=row.late, broken=row.broken)


def promises_by_day(
    connection: sa.Connection, tenant_id: str, contract: Contract, now: datetime
) -> tuple[tuple[date, Promises], ...]:
    """Count a flow's turns of every day of Chile in the SLO's window, oldest first, also of days nobody wrote on."""
    since = now - window_of(contract.slo)
    values = {"tenant_id": tenant_id, "flow_id": contract.flow_id, "since": since, "until": now, "zone": SANTIAGO.key}
    found = {row.day: row for row in run(connection, _BY_DAY, values)}
    first, last = in_santiago(since).date(), in_santiago(now).date()
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return tuple(
        (day, Promises(kept=row.kept, late=row.late, broken=row.broken) if (row := found.get(day)) else Promises())
        for day in days
    )


def latency_p95_ms(connection: sa.Connection, tenant_id: str, contract: Contract, now: datetime) -> float | None:
    """Return what 95 of 100 replies of the SLO's window did not exceed, in ms; None when nothing was replied."""
    values = {
        "tenant_id": tenant_id,
        "flow_id": contract.flow_id,
        "since": now - window_of(contract.slo),
        "until": now,
        "share": LATENCY_SHARE,
    }
    (row,) = run(connection, _LATENCY, values)
    return row.latency_ms


def overdue(connection: sa.Connection, tenant_id: str, contract: Contract, now: datetime) -> int:
    """Count the turns that have waited longer than the flow's customers would, and have not ended."""
    before = now - timedelta(milliseconds=patience_ms(contract.slo))
    (row,) = run(connection, _OVERDUE, {"tenant_id": tenant_id, "before": before})
    return row.overdue


def budgets_of(connection: sa.Connection, tenant_id: str, contracts: ContractSet, now: datetime) -> Iterator[Budget]:
    """Return what is left of a tenant's error budgets, flow by flow.

    A turn nobody has decided yet belongs to the flow that answers what no other does.
    """
    for contract in contracts.by_id.values():
        waits = overdue(connection, tenant_id, contract, now) if contract is contracts.default_flow else 0
        window, recent = (
            promises(connection, tenant_id, contract, now - length, now).model_copy(update={"overdue": waits})
            for length in (window_of(contract.slo), _RECENT)
        )
        yield from budgets(tenant_id, contract, window, recent)
