"""Telling the operator that a tenant has reached a limit: a metric, a line in the log, and an audit event."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import structlog
from sqlalchemy.exc import SQLAlchemyError

from smarteros.domain.audit import SECURITY_TOPIC, AuditEvent
from smarteros.domain.limits import LimitName
from smarteros.domain.tenants import TenantScope
from smarteros.kit.clock import Clock, in_santiago
from smarteros.observability.bounded import Counter
from smarteros.observability.metrics import REGISTRY
from smarteros.store.audit import append_event
from smarteros.store.database import Database

_log = structlog.get_logger()

LIMIT_REACHED = Counter(
    "smos_limit_reached_total",
    "Turns, requests and purchases that a tenant's limit kept from being served as usual",
    ["tenant", "limit"],
    registry=REGISTRY,
)
# How much of the instant in Chile names the time in which a limit is told of once.
_TOLD_ONCE_IN: dict[LimitName, str] = {
    "requests_per_minute": "%Y-%m-%dT%H",
    "conversations_per_month": "%Y-%m",
    "monthly_spend": "%Y-%m",
}
_MOST_REMEMBERED = 10_000


class LimitNotices:
    """Counts every time, and writes the log line and the audit event once per limit and hour or month. Thread-safe."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._told: set[str] = set()
        self._lock = threading.Lock()
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="limit-notices")

    def close(self) -> None:
        """Return when what is being told has been written."""
        self._writing.shutdown()

    def tell(self, scope: TenantScope, limit: LimitName) -> None:
        """Tell of it; a database that is away takes nothing from whoever reached the limit."""
        event = self._news(scope, limit)
        if event is not None:
            self._write(scope, event)

    def tell_soon(self, scope: TenantScope, limit: LimitName) -> None:
        """Tell of it without waiting for the database."""
        event = self._news(scope, limit)
        if event is not None:
            self._writing.submit(self._write, scope, event)

    def _news(self, scope: TenantScope, limit: LimitName) -> AuditEvent | None:
        LIMIT_REACHED.labels(scope.tenant_id, limit).inc()
        now = self._clock.now()
        period = in_santiago(now).strftime(_TOLD_ONCE_IN[limit])
        event_id = f"limit:{scope.tenant_id}:{limit}:{period}"
        with self._lock:
            if event_id in self._told:
                return None
            if len(self._told) >= _MOST_REMEMBERED:
                self._told.clear()
            self._told.add(event_id)
        _log.warning("limit_reached", tenant=scope.tenant_id, limit=limit, period=period)
        return AuditEvent(
            event_id=event_id,
            topic=SECURITY_TOPIC,
            kind="limit_reached",
            tenant_id=scope.tenant_id,
            timestamp=now,
            details={"limit": limit, "period": period},
        )

    def _write(self, scope: TenantScope, event: AuditEvent) -> None:
        try:
            with self._database.tenant(scope) as connection:
                append_event(connection, event)  # another process may have told of it: there is one event of this name
        except SQLAlchemyError as error:
            _log.error("limit_not_audited", tenant=scope.tenant_id, detail=type(error).__name__)
            with self._lock:
                self._told.discard(event.event_id)
