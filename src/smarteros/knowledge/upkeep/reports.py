"""The weekly report of unanswered questions: made of what is stored, sent once a week."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import Clock
from smarteros.knowledge.upkeep.mails import weekly_mail
from smarteros.knowledge.upkeep.notices import UpkeepNotices
from smarteros.knowledge.upkeep.times import last_report
from smarteros.knowledge.upkeep.weekly import A_WEEK, WeeklyReport, weekly_report
from smarteros.store.database import Database
from smarteros.store.gaps import MOST_GAPS, list_gaps
from smarteros.store.upkeep import list_waiting, note_report, reported_until

_log = structlog.get_logger()


@dataclass(frozen=True)
class WeeklyReports:
    """Makes and sends the reports."""

    database: Database
    notices: UpkeepNotices
    clock: Clock

    def report(self, tenant: Tenant) -> WeeklyReport:
        """Return the report of the last seven days."""
        until = self.clock.now()
        with self.database.tenant(tenant.scope) as connection:
            gaps = list_gaps(connection, tenant.tenant_id, limit=MOST_GAPS)
            waiting = [each.change.origin for each in list_waiting(connection, tenant.tenant_id)]
        return weekly_report(tenant.tenant_id, tenant.name, gaps, since=until - A_WEEK, until=until, waiting=waiting)

    def send(self, tenant: Tenant) -> tuple[str, ...]:
        """Send the report now, whatever is in it; returns to whom. Raises what ``UpkeepNotices.send`` raises."""
        return self.notices.send(tenant, weekly_mail(self.report(tenant)))

    def send_if_due(self, tenant: Tenant) -> bool:
        """Send the report of the week that has ended, once, where there is something to tell and somebody to be told.

        The first Monday is the one after the tenant was first looked at. Raises TransientError when the mail server
        is away: the report stays due.
        """
        now = self.clock.now()
        with self.database.tenant(tenant.scope) as connection:
            told = reported_until(connection, tenant.tenant_id)
            if told is None:
                note_report(connection, tenant.tenant_id, now)
        if told is None or told >= last_report(now):
            return False
        report, sent = self.report(tenant), False
        if tenant.kb.weekly_report and not report.empty:
            try:
                self.notices.send(tenant, weekly_mail(report))
                sent = True
            except ConfigError as error:  # nobody is named, or the server refuses us: next week perhaps not
                _log.warning("kb_report_not_sent", tenant=tenant.tenant_id, error=error.operator_message)
        with self.database.tenant(tenant.scope) as connection:
            note_report(connection, tenant.tenant_id, now)
        return sent
