"""Making the sandbox's shops tenants of this installation, the way a real shop becomes one.

Chatwoot's own API creates the bot and gives its secret; keys go to the SecretStore; KB texts are imported. Done again
(a second start on the same data) it changes only what differs.
"""

from __future__ import annotations

import secrets as random_secrets
from typing import Any

from smarteros.bootstrap import Services, new_tenant_key
from smarteros.channels.chatwoot.registration import Registration, register
from smarteros.domain.tenants import InboxSettings, Tenant
from smarteros.knowledge.markdown import parse_markdown

BOT_NAME = "SmarterOS"


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
    known = services.tenants.find(shop["tenant_id"])
    tenant_key = known.tenant_key if known else new_tenant_key()
    registration = register(
        services.http,
        chatwoot_url=urls["chatwoot"],
        account_id=shop["account_id"],
        user_token=shop["tokens"]["chatwoot_administrator"],
        webhook_url=f"{public_url}/webhooks/chatwoot/{tenant_key}",
        bot_name=BOT_NAME,
    )
    tenant = _tenant(shop, urls, tenant_key)
    services.tenants.save(tenant)
    _write_secrets(services, tenant, shop, registration)
    _import_documents(services, tenant, f"{urls['control']}{shop['kb_url']}")


def _tenant(shop: dict[str, Any], urls: dict[str, str], tenant_key: str) -> Tenant:
    return Tenant(
        tenant_id=shop["tenant_id"],
        name=shop["name"],
        rut=shop["rut"],
        tenant_key=tenant_key,
        tone=shop["tone"],
        chatwoot_url=urls["chatwoot"],
        chatwoot_account_ids=(shop["account_id"],),
        inboxes=tuple(InboxSettings(inbox_id=i["id"], channel=i["channel"]) for i in shop["inboxes"]),
        signature_mode="both" if shop["legacy_hmac_secret"] else "v1",
        shopify_url=urls["shopify"],
        odoo_company_id=shop["odoo"]["company_id"],
        odoo_database=shop["odoo"]["database"],
    )


def _write_secrets(services: Services, tenant: Tenant, shop: dict[str, Any], registration: Registration) -> None:
    wanted = {
        "chatwoot/api_token": registration.bot_token,
        "chatwoot/hmac_secret": registration.secret,
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
    if services.secrets.find(tenant.scope, "botpress/api_key") is None:
        wanted["botpress/api_key"] = random_secrets.token_urlsafe(24)
    for path, value in wanted.items():
        if value is not None and services.secrets.find(tenant.scope, path) != value:
            services.secrets.write(tenant.scope, path, value)


def _import_documents(services: Services, tenant: Tenant, url: str) -> None:
    listed = services.http.json("GET", url)["documents"]
    documents = tuple(parse_markdown(entry["name"], entry["markdown"]) for entry in listed)
    if documents != services.knowledge.documents(tenant.scope):
        services.knowledge.replace(tenant.scope, documents)
