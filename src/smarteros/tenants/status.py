"""How a tenant is doing: what became of today's turns, what waits, and when Chatwoot was last heard of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant, TenantState
from smarteros.kit.clock import in_santiago
from smarteros.store.database import Database
from smarteros.store.health import down_since

_STANDING = sa.text(
    """
SELECT (SELECT count(*) FROM smos.waiting_turns WHERE tenant_id = :tenant_id) AS waiting,
       (SELECT extract(epoch FROM clock_timestamp() - min(enqueued_at)) FROM smos.waiting_turns
         WHERE tenant_id = :tenant_id) AS oldest_s,
       (SELECT max(received_at) FROM smos.received_events WHERE tenant_id = :tenant_id) AS last_webhook_at,
       today.* FROM (
         SELECT count(*) AS turns, count(*) FILTER (WHERE outcome = 'answered') AS answered,
                count(*) FILTER (WHERE outcome = 'escalated') AS handed_over,
                count(*) FILTER (WHERE outcome = 'failed') AS failed
           FROM smos.turns WHERE tenant_id = :tenant_id AND finished_at >= :midnight) AS today
"""
)


class TenantStatus(Model):
    """A tenant at a glance. Today is the day in Chile; ``turns`` also counts those that rightly ended in silence.

    ``oldest_waiting_s`` is the age of the turn that has waited longest. ``systems`` tells of every outside system of
    the tenant whether anybody answers there, ``down_since`` since when the worker's health checks have found one down.
    """

    tenant_id: str
    name: str
    state: TenantState
    turns: int
    answered: int
    handed_over: int
    failed: int
    waiting: int
    oldest_waiting_s: int
    last_webhook_at: datetime | None
    systems: dict[str, bool]
    down_since: dict[str, datetime]


def status_of(database: Database, tenant: Tenant, systems: dict[str, bool], now: datetime) -> TenantStatus:
    """Ask the database how a tenant is doing; ``systems`` was asked before."""
    midnight = in_santiago(now).replace(hour=0, minute=0, second=0, microsecond=0)
    with database.tenant(tenant.scope) as connection:
        values: dict[str, Any] = {"tenant_id": tenant.tenant_id, "midnight": midnight}
        row = connection.execute(_STANDING, values).one()
        away = down_since(connection, tenant.tenant_id, now)
    return TenantStatus(
        tenant_id=tenant.tenant_id,
        name=tenant.name,
        state=tenant.state,
        turns=row.turns,
        answered=row.answered,
        handed_over=row.handed_over,
        failed=row.failed,
        waiting=row.waiting,
        oldest_waiting_s=round(row.oldest_s or 0),
        last_webhook_at=row.last_webhook_at,
        systems=systems,
        down_since=away,
    )
