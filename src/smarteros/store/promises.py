"""How many turns of a tenant kept their flow's promise, counted in the records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa

from smarteros.contracts.loader import ContractSet
from smarteros.contracts.models import Contract
from smarteros.contracts.objectives import patience_ms, window_of
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
