"""What is looked at in a round, and what of it is amiss: the contracts' rules, the services, the queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from smarteros.alerts.signals import MOST_TURNS, measure
from smarteros.contracts.loader import ContractSet
from smarteros.contracts.models import AlertRule
from smarteros.domain.alerts import Alert, Severity, Signal, Sink
from smarteros.domain.model import Model
from smarteros.store.database import NO_TENANT
from smarteros.store.health import stretches
from smarteros.store.queue import Backlog
from smarteros.store.turn_facts import TurnFacts, newer_turns

# The installation's own alert about its queue, as the generated Prometheus rules have it.
_CUSTOMERS_WAIT = "smos_customers_wait"
_WAITING_AT_MOST_S = 60.0
_ALL_SINKS: tuple[Sink, ...] = ("pagerduty", "slack", "email")
_SERVICE_DOWN: Signal = "service_down"
# Raised by the upkeep of the tenants' texts, each under the name of its signal.
_OF_UPKEEP: tuple[Signal, ...] = ("kb_change_waits", "kb_source_failed")
# Two probes at least: one that failed alone is no outage, and who has just begun to work is not away.
_AWAY_FOR = timedelta(minutes=1)
_ORDER: tuple[Severity, ...] = ("page", "ticket", "info")


class Finding(Model):
    """What was found about one possible alert. ``holds`` None changes nothing: there was too little to judge by."""

    alert: Alert
    holds: bool | None


@dataclass
class TurnsSeen:
    """The last turns of every tenant, of which only new ones are read in a round."""

    _kept: dict[str, list[TurnFacts]] = field(default_factory=dict[str, list[TurnFacts]])

    def of(self, connection: sa.Connection, tenant_id: str) -> Sequence[TurnFacts]:
        """Return a tenant's last turns, oldest first; the transaction is the tenant's."""
        known = self._kept.get(tenant_id, [])
        after = known[-1].position if known else 0
        turns = (known + newer_turns(connection, tenant_id, after, MOST_TURNS))[-MOST_TURNS:]
        self._kept[tenant_id] = turns
        return turns


def flow_findings(
    contracts: ContractSet, tenant_id: str, turns: Sequence[TurnFacts], now: datetime
) -> Iterator[Finding]:
    """Hold a tenant's turns against the rules of all contracts."""
    for contract in contracts.by_id.values():
        for rule in contract.alerts:
            for measured in measure(rule, contract, turns, now):
                parts = filter(None, (rule.name, measured.subject))
                alert = Alert(
                    tenant_id=tenant_id,
                    key=":".join(parts),
                    name=rule.name,
                    signal=rule.signal,
                    flow_id=contract.flow_id,
                    subject=measured.subject,
                    severity=rule.severity,
                    notify=rule.notify,
                    value=measured.value,
                    threshold=rule.threshold,
                    started_at=now,
                )
                yield Finding(alert=alert, holds=measured.holds)


def services_away(connection: sa.Connection, tenant_id: str, now: datetime) -> dict[str, datetime | None]:
    """Return the services that were probed, each with since when it does not answer; None for one that does."""
    seen = stretches(connection, tenant_id, now, now + timedelta(microseconds=1))
    return {service: None if found[-1].up else found[-1].began_at for service, found in seen.items()}


def service_findings(
    contracts: ContractSet,
    tenant_id: str,
    services: Mapping[str, datetime | None],
    shared: Mapping[str, datetime | None],
    now: datetime,
) -> Iterator[Finding]:
    """Judge a tenant's services (or the installation's own). Many flows need one service: it is one alert.

    ``shared`` are those of the installation, which count where a rule wants several to be away.
    """
    away = {name for name, since in {**shared, **services}.items() if since is not None}
    for service, since in services.items():
        rules = list(_rules_about(contracts, service, away))
        if not rules:
            continue
        severities: set[Severity] = {rule.severity for rule in rules}
        alert = Alert(
            tenant_id=tenant_id,
            key=f"{_SERVICE_DOWN}:{service}",
            name=_SERVICE_DOWN,
            signal=_SERVICE_DOWN,
            subject=service,
            severity=min(severities, key=_ORDER.index),
            notify=tuple(dict.fromkeys(sink for rule in rules for sink in rule.notify)),
            started_at=since or now,
        )
        holds = False if since is None else True if now - since >= _AWAY_FOR else None
        yield Finding(alert=alert, holds=holds)


def _rules_about(contracts: ContractSet, service: str, away: Set[str]) -> Iterator[AlertRule]:
    for contract in contracts.by_id.values():
        needed = {check.service for check in contract.health}
        if service in needed:
            enough = len(away & needed)
            yield from (
                rule
                for rule in contract.alerts
                if rule.signal == _SERVICE_DOWN and (service not in away or enough >= rule.threshold)
            )


def backlog_finding(count: Callable[[], Backlog | None], now: datetime) -> Finding | None:
    """Tell whether customers wait and nobody has begun to answer them; None when nobody can count."""
    waiting = count()
    if waiting is None:
        return None
    alert = Alert(
        tenant_id=NO_TENANT,
        key=_CUSTOMERS_WAIT,
        name=_CUSTOMERS_WAIT,
        signal="backlog_oldest_s",
        severity="page",
        notify=_ALL_SINKS,
        value=waiting.oldest_s,
        threshold=_WAITING_AT_MOST_S,
        started_at=now,
    )
    return Finding(alert=alert, holds=waiting.oldest_s > _WAITING_AT_MOST_S)


def names_of_alerts(contracts: ContractSet) -> frozenset[str]:
    """Return the names alerts of this installation can have."""
    flows = contracts.by_id.values()
    rules = {rule.name for contract in flows for rule in contract.alerts if rule.signal != _SERVICE_DOWN}
    return frozenset(rules | {rule.name for contract in flows for rule in contract.escalation if rule.notify}) | {
        _SERVICE_DOWN,
        _CUSTOMERS_WAIT,
        *_OF_UPKEEP,
    }
