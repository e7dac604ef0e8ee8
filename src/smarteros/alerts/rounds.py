"""One round: look at everything, write down what began and what is over, tell who must know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain

import sqlalchemy as sa

from smarteros.alerts.courier import Courier
from smarteros.alerts.watch import (
    Finding,
    TurnsSeen,
    backlog_finding,
    flow_findings,
    service_findings,
    services_away,
)
from smarteros.contracts.loader import ContractSet
from smarteros.domain.alerts import Alert, Silence
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import Clock
from smarteros.store.alerts import (
    forget_alerts,
    note_round,
    open_alerts,
    raise_alert,
    save_alert,
    silences_at,
)
from smarteros.store.database import NO_TENANT, Database
from smarteros.store.queue import Backlog

KEPT_FOR = timedelta(days=400)
"""How long alerts that are over are remembered: a year and the report about it."""


@dataclass
class AlertRounds:
    """The built-in evaluator. Everything it must not forget is in the database: any process may run the next round.

    ``backlog`` counts the turns that wait. One that does not watch, because Prometheus does, tells of moments only:
    impatient customers are nothing Prometheus knows of.
    """

    database: Database
    tenants: Callable[[], tuple[Tenant, ...]]
    contracts: ContractSet
    courier: Courier
    clock: Clock
    backlog: Callable[[], Backlog | None]
    watches: bool = True
    _turns: TurnsSeen = field(default_factory=TurnsSeen)

    def run_once(self) -> None:
        """Run one round. Raises SQLAlchemyError when the database is away; nothing is lost by that."""
        now = self.clock.now()
        with self.database.scoped(NO_TENANT) as connection:
            everywhere = silences_at(connection, NO_TENANT, now)
        shared: Mapping[str, datetime | None] = self._look_at_own(now) if self.watches else {}
        self._tell(NO_TENANT, everywhere, now)
        for tenant in self.tenants():
            if tenant.active:
                if self.watches:
                    self._look(tenant.tenant_id, shared, now)
                self._tell(tenant.tenant_id, everywhere, now)
        with self.database.installation() as connection:
            note_round(connection, now)

    def _look_at_own(self, now: datetime) -> Mapping[str, datetime | None]:
        """Look at what all tenants share; returns since when each of the services is away."""
        waiting = backlog_finding(self.backlog, now)
        with self.database.scoped(NO_TENANT) as connection:
            services = services_away(connection, NO_TENANT, now)
            found = service_findings(self.contracts, NO_TENANT, services, {}, now)
            self._note(connection, NO_TENANT, [*found, *((waiting,) if waiting else ())], now)
        return services

    def _look(self, tenant_id: str, shared: Mapping[str, datetime | None], now: datetime) -> None:
        with self.database.scoped(tenant_id) as connection:
            services = services_away(connection, tenant_id, now)
            turns = self._turns.of(connection, tenant_id)
            found = chain(
                service_findings(self.contracts, tenant_id, services, shared, now),
                flow_findings(self.contracts, tenant_id, turns, now),
            )
            self._note(connection, tenant_id, found, now)

    def _tell(self, tenant_id: str, everywhere: Sequence[Silence], now: datetime) -> None:
        with self.database.scoped(tenant_id) as connection:
            alerts = [alert for alert in open_alerts(connection, tenant_id) if self.watches or alert.moment]
            silences = everywhere if tenant_id == NO_TENANT else [*everywhere, *silences_at(connection, tenant_id, now)]
            forget_alerts(connection, tenant_id, now - KEPT_FOR)
        # Sinks take seconds when they are ill: no transaction waits for them.
        told = {alert.alert_id: alert for alert in self.courier.tell(alerts, silences, now)}
        for before in alerts:
            alert = told.get(before.alert_id, before)
            closed_at = now if self.courier.finished(alert, silences, now) else None
            if alert is not before or closed_at:
                with self.database.scoped(tenant_id) as connection:
                    save_alert(connection, alert, closed_at)

    def _note(self, connection: sa.Connection, tenant_id: str, found: Iterable[Finding], now: datetime) -> None:
        """Write down what began, goes on, is over, or has come back before everybody heard that it was over."""
        known: dict[str, Alert] = {alert.key: alert for alert in open_alerts(connection, tenant_id)}
        for finding in found:
            alert = known.get(finding.alert.key)
            if alert is None:
                if finding.holds:
                    raise_alert(connection, finding.alert)
            elif finding.holds:
                changed = {"value": finding.alert.value, "resolved_at": None}
                save_alert(connection, alert.model_copy(update=changed))
            elif finding.holds is False and alert.resolved_at is None:
                save_alert(connection, alert.model_copy(update={"resolved_at": now}))
