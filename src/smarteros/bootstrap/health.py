"""What ``/health`` asks: our own parts, and the outside systems of the tenants."""

from __future__ import annotations

from smarteros.bootstrap.services import Services
from smarteros.bus.loop import AuditLoop
from smarteros.domain.tenants import Tenant
from smarteros.edge.health import Check
from smarteros.flow.engine import Engine
from smarteros.kit.http import HttpClient, HttpFault
from smarteros.settings import Role


def health_checks(services: Services, engine: Engine, role: Role, audit: AuditLoop | None) -> dict[str, Check]:
    """Name the dependencies: our own parts, and the outside systems of the tenants, each address once."""
    checks: dict[str, Check] = {
        "store": services.database.ping,
        "engine": lambda: engine.running,
        "agent": lambda: services.agent.usable if role == "edge" else services.agent.ready,
        "tools": lambda: bool(services.tools.specs()),
    }
    if services.settings.secrets == "vault":
        checks["vault"] = services.secrets.answers
    if services.settings.bus != "none" and audit is not None:
        checks["bus"] = audit.well
    for tenant in services.tenants.all():
        for name, url in outside_urls(services, tenant):
            checks.setdefault(name, lambda url=url: answers(services.http, url))
    return checks


def outside_urls(services: Services, tenant: Tenant) -> list[tuple[str, str]]:
    """Name the outside systems a tenant uses, each with an address at which it answers anybody."""
    uses_odoo = any("odoo/instance_url" in each.secrets for each in services.contracts.by_id.values())
    odoo = services.secrets.find(tenant.scope, "odoo/instance_url") if uses_odoo else None
    urls = [("chatwoot", f"{tenant.chatwoot_url}/health")]
    shop = services.catalogues.client.known_url(tenant)
    if shop:
        urls.append(("shopify", shop))
    if odoo:
        urls.append(("odoo", f"{odoo}/web/version"))
    if tenant.ocr_engine == "vision":  # with any other policy this machine reads when the cloud does not
        urls.append(("ocr", services.settings.vision_url))
    return urls


def answers(http: HttpClient, url: str, within_s: float = 1.5) -> bool:
    """Tell whether anybody answers there; a refusal is an answer, a broken server is not."""
    try:
        http.request("GET", url, timeout_s=within_s)
    except HttpFault as fault:
        return fault.status is not None and fault.status < 500
    return True
