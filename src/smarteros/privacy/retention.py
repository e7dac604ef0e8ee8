"""Nothing is kept longer than the shop has set: a sweep over every tenant, again and again, in the worker."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from smarteros.domain.audit import PRIVACY_TOPIC, AuditEvent
from smarteros.domain.errors import SmosError
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import Clock
from smarteros.kit.recurring import Recurring
from smarteros.privacy.holdings import HOLDINGS
from smarteros.store.audit import append_event
from smarteros.store.database import Database
from smarteros.store.statements import run
from smarteros.tools.cache import FALLBACK_WINDOW

_log = structlog.get_logger()

EVERY_S = 6 * 3600.0
# A worker that has just come up has its customers to see to first.
FIRST_AFTER_S = 120.0
MOST_AT_ONCE = 2_000
"""Rows of one transaction: a sweep holds no locks that a turn would wait for."""

_EXPIRE = {
    **{holding.table: holding.expire for holding in HOLDINGS if holding.age is not None},
    "kb_gaps": (
        "DELETE FROM smos.kb_gaps WHERE tenant_id = %(tenant_id)s AND ctid = ANY(ARRAY(SELECT ctid FROM smos.kb_gaps"
        " WHERE tenant_id = %(tenant_id)s AND last_at < %(before)s LIMIT %(most)s))"
    ),
    # Without its key the personal part of the audit is nobody's any more. Whom the bot leaves alone stays so.
    "contacts": (
        "UPDATE smos.contacts SET key = NULL, key_id = NULL, wrapped_by = NULL"
        " WHERE tenant_id = %(tenant_id)s AND ctid = ANY(ARRAY("
        "SELECT ctid FROM smos.contacts WHERE tenant_id = %(tenant_id)s AND seen_at < %(before)s AND key IS NOT NULL"
        " LIMIT %(most)s))"
    ),
}
# Nothing reads an answer of a tool that is older than the time in which it may stand in for a new one.
_UNREADABLE = (
    "DELETE FROM smos.tool_cache WHERE tenant_id = %(tenant_id)s AND ctid = ANY(ARRAY(SELECT ctid FROM smos.tool_cache"
    " WHERE tenant_id = %(tenant_id)s AND seen_at < %(before)s LIMIT %(most)s))"
)


@dataclass(frozen=True)
class Retention:
    """Removes what is older than a tenant keeps, and of every tenant what nothing reads any more.

    ``most`` is the number of rows of one transaction.
    """

    database: Database
    clock: Clock
    most: int = MOST_AT_ONCE

    def sweep(self, tenant: Tenant) -> dict[str, int]:
        """Return how many rows of each table were removed or emptied.

        Of a tenant without a limit those are of the tools' cache only, and its audit says nothing of them.
        """
        now = self.clock.now()
        removed = self._removed(tenant, {"tool_cache": _UNREADABLE}, now - FALLBACK_WINDOW)
        if tenant.retention_days is None:
            return removed
        removed |= self._removed(tenant, _EXPIRE, now - timedelta(days=tenant.retention_days))
        if removed:
            event = AuditEvent(
                event_id=f"retention:{uuid.uuid4().hex}",
                topic=PRIVACY_TOPIC,
                kind="retention_swept",
                tenant_id=tenant.tenant_id,
                timestamp=now,
                details={"days": tenant.retention_days, "rows": removed},
            )
            with self.database.tenant(tenant.scope) as connection:
                append_event(connection, event)
        return removed

    def _removed(self, tenant: Tenant, statements: Mapping[str, str], before: datetime) -> dict[str, int]:
        values: dict[str, Any] = {"tenant_id": tenant.tenant_id, "before": before, "most": self.most}
        removed: dict[str, int] = {}
        for table, statement in statements.items():
            while count := self._some(tenant, statement, values):
                removed[table] = removed.get(table, 0) + count
        return removed

    def _some(self, tenant: Tenant, statement: str, values: dict[str, Any]) -> int:
        with self.database.tenant(tenant.scope) as connection:
            return run(connection, statement, values).rowcount


class RetentionLoop:
    """Does everything that has to do with age every six hours, on one background thread of each process."""

    def __init__(
        self,
        of_tenant: Sequence[Callable[[Tenant], object]],
        tenants: Callable[[], tuple[Tenant, ...]],
        of_installation: Sequence[Callable[[], object]] = (),
    ) -> None:
        """``of_tenant`` is done for every tenant, any number of processes may do it at once."""
        self._of_tenant = of_tenant
        self._tenants = tenants
        self._of_installation = of_installation
        self._rounds = Recurring("retention", self._round, every_s=EVERY_S, first_after_s=FIRST_AFTER_S)

    def start(self) -> None:
        """Begin; suspended tenants are swept too."""
        self._rounds.start()

    def stop(self) -> None:
        """End after the tenant that is being swept; waits for it, not longer than five seconds."""
        self._rounds.stop()

    def _round(self) -> None:
        for tenant in self._rounds.until_stopped(self._tenants()):
            for work in self._of_tenant:
                try:
                    work(tenant)
                except SmosError as error:  # its secret store is away, for example; the others have theirs
                    _log.warning("retention_left_out", tenant=tenant.tenant_id, code=error.code)
        for work in self._rounds.until_stopped(self._of_installation):
            work()
