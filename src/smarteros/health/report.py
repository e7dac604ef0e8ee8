"""What a month was worth: availability by probe and by real traffic, minutes lost, outages, the arithmetic shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from smarteros.domain.availability import (
    Availability,
    Segment,
    Stretch,
    all_of,
    availability,
    incidents,
    month_bounds,
    percent,
    timeline,
)
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.store.database import NO_TENANT, Database
from smarteros.store.health import Traffic, stretches, traffic

OBJECTIVE = 0.999
"""What is promised (the flows' roadmap: 99.9 % SLA monitoring)."""
OURS = ("edge", "agent", "tools")
"""What must be up for a shop to be served by us. Outside systems are told beside it: nobody promises for others."""


class ServiceReport(Model):
    """A service's month."""

    service: str
    ours: bool
    probes: int
    availability: Availability


class SlaReport(Model):
    """A tenant's month. ``until`` is its end, or now in a month that is not over.

    ``by_probe`` is of the time in which all of our own services were up; ``allowed_down_s`` is what the objective lets
    be lost of the known time. ``kept`` is None when nothing is known, by neither measure.
    """

    tenant_id: str
    name: str
    month: str
    begins_at: datetime
    until: datetime
    objective: float
    by_probe: Availability
    allowed_down_s: float
    by_traffic: Traffic
    services: tuple[ServiceReport, ...]
    outages: tuple[Segment, ...]

    @property
    def kept(self) -> bool | None:
        """Whether the objective was kept by every measure there is."""
        known = [ratio for ratio in (self.by_probe.ratio, self.by_traffic.ratio) if ratio is not None]
        return all(ratio >= self.objective for ratio in known) if known else None

    @property
    def minutes_lost(self) -> float:
        """Minutes in which we were down, by probe."""
        return self.by_probe.down_s / 60

    @property
    def arithmetic(self) -> tuple[str, ...]:
        """How the figures come about, line by line."""
        seen, known_s = self.by_traffic, self.by_probe.up_s + self.by_probe.down_s
        served = "nobody wrote"
        if seen.ratio is not None:
            served = (
                f"({seen.answered} answered + {seen.handed_over} handed over) / ({seen.served} served +"
                f" {seen.failed} failed + {seen.too_late} found too late) = {percent(seen.ratio)}"
            )
        return (
            f"by probe: {self.by_probe.arithmetic}",
            f"allowed: {known_s:.0f} s known x (1 - {self.objective}) = {self.allowed_down_s:.0f} s;"
            f" lost: {self.by_probe.down_s:.0f} s = {self.minutes_lost:.1f} min in {len(self.outages)} outages",
            f"by traffic: {served}; {seen.minutes_lost} min in which somebody wrote and nobody was served",
        )


def sla_report(database: Database, tenant: Tenant, month: str, now: datetime) -> SlaReport:
    """Report on a month of Chile's calendar (2026-11). ValueError for one that has not begun."""
    start, end = month_bounds(month)
    if start >= now:
        raise ValueError(f"{month} has not begun")
    until = min(end, now)
    ours, others = seen_of(database, tenant, start, until)
    with database.tenant(tenant.scope) as connection:
        seen = traffic(connection, tenant.tenant_id, start, until)
    whole = all_of([timeline(ours.get(service, ()), start, until) for service in OURS])
    by_probe = availability(whole)
    return SlaReport(
        tenant_id=tenant.tenant_id,
        name=tenant.name,
        month=month,
        begins_at=start,
        until=until,
        objective=OBJECTIVE,
        by_probe=by_probe,
        allowed_down_s=(by_probe.up_s + by_probe.down_s) * (1 - OBJECTIVE),
        by_traffic=seen,
        services=(*_services(ours, start, until, ours=True), *_services(others, start, until, ours=False)),
        outages=incidents(whole),
    )


def seen_of(
    database: Database, tenant: Tenant, start: datetime, until: datetime
) -> tuple[dict[str, tuple[Stretch, ...]], dict[str, tuple[Stretch, ...]]]:
    """Return what probes saw of our own services, and of the tenant's outside systems."""
    with database.unclaimed() as connection:
        ours = stretches(connection, NO_TENANT, start, until)
    with database.tenant(tenant.scope) as connection:
        return ours, stretches(connection, tenant.tenant_id, start, until)


def _services(
    found: Mapping[str, tuple[Stretch, ...]], start: datetime, until: datetime, *, ours: bool
) -> list[ServiceReport]:
    return [
        ServiceReport(
            service=service,
            ours=ours and service in OURS,
            probes=sum(stretch.probes for stretch in seen),
            availability=availability(timeline(seen, start, until)),
        )
        for service, seen in sorted(found.items())
    ]
