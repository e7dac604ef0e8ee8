"""Who is told of the upkeep: the operator by an alert, the shop's owner by e-mail."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage

import sqlalchemy as sa
import structlog

from smarteros.alerts.email import Mailer
from smarteros.domain.alerts import Alert, Signal
from smarteros.domain.errors import ConfigError, SmosError
from smarteros.domain.tenants import Tenant
from smarteros.domain.upkeep import TextSource, WaitingChange
from smarteros.kit.clock import Clock
from smarteros.knowledge.upkeep.mails import addressed, waiting_mail
from smarteros.store.alerts import raise_alert
from smarteros.store.database import Database
from smarteros.store.people import list_people

_log = structlog.get_logger()


@dataclass(frozen=True)
class UpkeepNotices:
    """Tells. An alert is a row of the transaction at hand; the alert loop brings it to the sinks."""

    database: Database
    mailer: Mailer
    clock: Clock

    def change_waits(self, connection: sa.Connection, tenant: Tenant, waiting: WaitingChange) -> None:
        """Tell the operator that a change waits for approval."""
        touched = waiting.report.changed + waiting.report.lost
        self._raise(connection, tenant, "kb_change_waits", waiting.change.origin, touched)

    def source_failed(self, connection: sa.Connection, tenant: Tenant, source: TextSource) -> None:
        """Tell the operator that a source cannot be read."""
        self._raise(connection, tenant, "kb_source_failed", source.name, source.failures)

    def tell_owner(self, tenant: Tenant, waiting: WaitingChange) -> None:
        """Tell the shop's owner that a change waits, where somebody can be told; the change waits in any case."""
        try:
            self.send(tenant, waiting_mail(tenant.name, waiting))
        except SmosError as error:
            _log.warning("kb_owner_not_told", tenant=tenant.tenant_id, code=error.code, error=error.operator_message)

    def owners(self, tenant: Tenant) -> tuple[str, ...]:
        """Return the addresses of those who look after the shop's texts."""
        if tenant.kb.owner_email is not None:
            return (tenant.kb.owner_email,)
        with self.database.tenant(tenant.scope) as connection:
            people = list_people(connection)
        return tuple(each.email for each in people if each.role == "tenant_admin" and each.disabled_at is None)

    def send(self, tenant: Tenant, mail: EmailMessage) -> tuple[str, ...]:
        """Send a mail to the owners and return their addresses.

        ConfigError when there are none, and what the mail server's refusals are (``alerts.email``).
        """
        to = self.owners(tenant)
        if not to:
            how = f"smos kb settings --tenant {tenant.tenant_id} --owner-email ADDRESS"
            raise ConfigError("kb_owner_unknown", f"Nobody is named to be told of {tenant.tenant_id}: {how}")
        self.mailer.deliver(addressed(mail, self.mailer.sender, to, self.clock.now()))
        return to

    def _raise(self, connection: sa.Connection, tenant: Tenant, signal: Signal, subject: str, value: float) -> None:
        alert = Alert(
            tenant_id=tenant.tenant_id,
            key=f"{signal}:{subject}",
            name=signal,
            signal=signal,
            subject=subject,
            severity="ticket",
            notify=("slack", "email"),
            value=value,
            moment=True,
            started_at=self.clock.now(),
        )
        raise_alert(connection, alert)
