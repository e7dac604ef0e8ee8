"""The leaf paths of ``secret/tenant/<TENANT_ID>/``: every secret a tenant can have (seed, "Vault Paths")."""

from __future__ import annotations

SECRET_PATHS = (
    "chatwoot/api_token",
    "chatwoot/user_token",
    "chatwoot/hmac_secret",
    "chatwoot/webhook_secret",
    "chatwoot/legacy_hmac_secret",
    "botpress/api_key",
    "botpress/workspace_id",
    "botpress/bot_id_sales",
    "botpress/bot_id_support",
    "botpress/bot_id_faq",
    "shopify/admin_token",
    "shopify/store_domain",
    "odoo/api_key",
    "odoo/instance_url",
    "ocr/api_key",
    "llm/api_key",
)
