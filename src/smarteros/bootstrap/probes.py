"""What the contracts' health checks ask, and how often."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager

from smarteros.bootstrap.health import answers, outside_urls
from smarteros.bootstrap.services import Services
from smarteros.edge.health import HealthChecks
from smarteros.health.probing import Probe, ProbeLoop, Probing
from smarteros.kit.clock import Clock
from smarteros.settings import Role
from smarteros.store.database import NO_TENANT

# As long as Chatwoot waits for us. ``/health`` itself waits for outside systems: one that hangs is no outage of ours.
_EDGE_ANSWERS_WITHIN_S = 5.0


@contextmanager
def probes_asked(services: Services, health: HealthChecks, clock: Clock, role: Role) -> Generator[None]:
    """Ask the contracts' health checks while the block runs; an edge leaves that to the workers."""
    if role == "edge":
        yield
        return
    probing = Probing(services.database, lambda: tuple(contract_probes(services, health, role)), clock)
    loop = ProbeLoop(probing, services.database.owner_url)
    loop.start()
    try:
        yield
    finally:
        loop.stop()


def contract_probes(services: Services, health: HealthChecks, role: Role) -> Iterator[Probe]:
    """Return what the contracts want asked, of the installation and of every active tenant."""
    every_s = _intervals(services)
    public_url, http = services.settings.public_url, services.http
    if "edge" in every_s and public_url is not None:
        url = f"{public_url.rstrip('/')}/health"
        yield Probe(NO_TENANT, "edge", every_s["edge"], lambda: answers(http, url, _EDGE_ANSWERS_WITHIN_S))
    elif "edge" in every_s and role == "all":  # it is this process, and nobody has said how customers reach it
        yield Probe(NO_TENANT, "edge", every_s["edge"], lambda: health.now().status != "down")
    for service in ("agent", "tools", "vault"):
        if service in every_s and (service != "vault" or services.settings.secrets == "vault"):
            yield Probe(NO_TENANT, service, every_s[service], lambda name=service: health.now().checks[name] == "up")
    if "ocr" in every_s:  # of shops that read in the cloud alone their own is asked, below
        yield Probe(NO_TENANT, "ocr", every_s["ocr"], services.reader.worker.answers)
    for tenant in services.tenants.all():
        for service, url in outside_urls(services, tenant) if tenant.active else ():
            if service in every_s:
                yield Probe(tenant.tenant_id, service, every_s[service], lambda url=url: answers(http, url))


def _intervals(services: Services) -> dict[str, int]:
    """The shortest interval in seconds the contracts ask for, by service."""
    found: dict[str, int] = {}
    for contract in services.contracts.by_id.values():
        for check in contract.health:
            found[check.service] = min(check.every_s, found.get(check.service, check.every_s))
    return found
