"""Making the sandbox's shops tenants of this installation, the way a real shop becomes one.

Besides, KB texts are imported. Done again (a second start on the same data) it changes only what differs.
"""

from __future__ import annotations

from typing import Any

from smarteros.bootstrap import Services
from smarteros.domain.limits import AgreedLimits
from smarteros.domain.tenants import Tenant
from smarteros.knowledge.markdown import parse_markdown
from smarteros.tenants.application import Application
from smarteros.tenants.enrolment import Enroller


def provision(services: Services, info: dict[str, Any], public_url: str) -> None:
    """Register every shop of the sandbox's ``/sandbox/info``."""
    for shop in info["tenants"]:
        _provision_one(services, info["base_urls"], shop, public_url)


def about_us(services: Services, public_url: str) -> dict[str, Any]:
    """What an outside program needs to talk to this demo; every value is made for the demo."""
    tenants = services.tenants.all()
    return {
        "url": public_url,
        "operator_token": services.operator_token,
        "agent_api_keys": {t.tenant_id: services.secrets.find(t.scope, "botpress/api_key") for t in tenants},
        "workspaces": {t.tenant_id: t.workspace_id for t in tenants},
        "webhook_urls": {t.tenant_id: f"{public_url}/webhooks/chatwoot/{t.tenant_key}" for t in tenants},
        "tool_tokens": {t.tenant_id: services.tokens.issue(t.scope) for t in tenants},
    }


def _provision_one(services: Services, urls: dict[str, str], shop: dict[str, Any], public_url: str) -> None:
    enroller = Enroller(services.http, services.tenants, services.secrets, services.database, public_url)
    tenant = enroller.enrol(_application(shop, urls)).tenant
    _import_documents(services, tenant, f"{urls['control']}{shop['kb_url']}")


def _application(shop: dict[str, Any], urls: dict[str, str]) -> Application:
    keys = {
        "chatwoot/user_token": shop["tokens"]["chatwoot_administrator"],
        "chatwoot/legacy_hmac_secret": shop["legacy_hmac_secret"],
        "shopify/admin_token": shop["shopify"]["admin_token"],
        "shopify/client_id": shop["shopify"]["client_id"],
        "shopify/client_secret": shop["shopify"]["client_secret"],
        "shopify/store_domain": shop["shopify"]["store_domain"],
        "odoo/api_key": shop["odoo"]["api_key"],
        "odoo/instance_url": shop["odoo"]["instance_url"],
        "ocr/api_key": shop["vision"]["api_key"],
    }
    return Application(
        tenant_id=shop["tenant_id"],
        name=shop["name"],
        rut=shop["rut"],
        tone=shop["tone"],
        chatwoot_url=urls["chatwoot"],
        account_id=shop["account_id"],
        signature_mode="both" if shop["legacy_hmac_secret"] else "v1",
        shopify_url=urls["shopify"],
        odoo_company_id=shop["odoo"]["company_id"],
        odoo_database=shop["odoo"]["database"],
        # Whoever tries the demo out is no shop's customers.
        limits=AgreedLimits(requests_per_minute="unlimited", conversations_per_month="unlimited"),
        secrets={path: value for path, value in keys.items() if value is not None},
    )


def _import_documents(services: Services, tenant: Tenant, url: str) -> None:
    listed = services.http.json("GET", url)["documents"]
    documents = tuple(parse_markdown(entry["name"], entry["markdown"]) for entry in listed)
    if documents != services.knowledge.documents(tenant.scope):
        services.knowledge.replace(tenant.scope, documents)
