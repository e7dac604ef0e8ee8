"""The upkeep of all tenants on one background thread, in one process at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from smarteros.domain.errors import SmosError
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import Clock
from smarteros.kit.recurring import Recurring
from smarteros.knowledge.upkeep.reports import WeeklyReports
from smarteros.knowledge.upkeep.upkeep import KnowledgeUpkeep
from smarteros.store.locks import OneProcess

_log = structlog.get_logger()

EVERY_S = 60.0
# A worker that has just come up has its customers to see to first.
FIRST_AFTER_S = 30.0
_STOP_WITHIN_S = 15.0
_AGAIN_AFTER = timedelta(hours=1)


class UpkeepLoop:
    """Reads every minute the sources that are due, and sends the weekly reports. A shop's trouble is its own."""

    def __init__(
        self,
        upkeep: KnowledgeUpkeep,
        reports: WeeklyReports,
        tenants: Callable[[], tuple[Tenant, ...]],
        leader: OneProcess,
        clock: Clock,
    ) -> None:
        self._upkeep = upkeep
        self._reports = reports
        self._tenants = tenants
        self._leader = leader
        self._clock = clock
        self._not_before: dict[str, datetime] = {}  # reports that could not be sent
        self._rounds = Recurring(
            "kb-upkeep",
            self.round,
            every_s=EVERY_S,
            first_after_s=FIRST_AFTER_S,
            stop_within_s=_STOP_WITHIN_S,
            expected=(SQLAlchemyError,),
        )

    def start(self) -> None:
        """Begin."""
        self._rounds.start()

    def stop(self) -> None:
        """End after the source that is being read; waits 15 seconds at most."""
        self._rounds.stop()
        self._leader.close()

    def round(self) -> None:
        """Look after every active tenant once; nothing when another process does."""
        if not self._leader.is_this():
            return
        for tenant in self._rounds.until_stopped(self._tenants()):
            if not tenant.active:
                continue
            for name in self._rounds.until_stopped(self._upkeep.due(tenant)):
                self._sync(tenant, name)
            self._report(tenant)

    def _sync(self, tenant: Tenant, name: str) -> None:
        try:
            proposed = self._upkeep.sync(tenant, name)
        except SmosError as error:  # it is written down with the source
            _log.warning("kb_source_not_read", tenant=tenant.tenant_id, source=name, code=error.code)
        except SQLAlchemyError:
            raise
        except Exception:  # a page that nobody can read must not keep the other sources from being read
            _log.exception("kb_source_not_read", tenant=tenant.tenant_id, source=name)
        else:
            _log.info("kb_source_read", tenant=tenant.tenant_id, source=name, outcome=proposed.outcome)

    def _report(self, tenant: Tenant) -> None:
        now = self._clock.now()
        if self._not_before.get(tenant.tenant_id, now) > now:
            return
        try:
            self._reports.send_if_due(tenant)
        except SmosError as error:
            self._not_before[tenant.tenant_id] = now + _AGAIN_AFTER
            _log.warning("kb_report_not_sent", tenant=tenant.tenant_id, error=error.operator_message)
