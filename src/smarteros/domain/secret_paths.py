"""The leaf paths of ``secret/tenant/<TENANT_ID>/``: every secret a tenant can have (seed, "Vault Paths")."""

from __future__ import annotations

SECRET_PATHS = (
    "chatwoot/api_token",
    "chatwoot/user_token",
    "chatwoot/hmac_secret",
    "chatwoot/webhook_secret",
    "chatwoot/legacy_hmac_secret",
    "botpress/api_key",
    "botpress/bot_key",
    "botpress/workspace_id",
    "botpress/bot_id_sales",
    "botpress/bot_id_support",
    "botpress/bot_id_faq",
    "shopify/admin_token",
    "shopify/client_id",
    "shopify/client_secret",
    "shopify/storefront_token",
    "shopify/store_domain",
    "odoo/api_key",
    "odoo/instance_url",
    "odoo/login",
    "ocr/api_key",
    "llm/api_key",
    "privacy/contact_keys",
)

# Secrets that others prove themselves with to us; the rest we only show to others. Of these two can be right at once.
PROVEN_WITH = (
    "chatwoot/hmac_secret",
    "chatwoot/webhook_secret",
    "chatwoot/legacy_hmac_secret",
    "botpress/api_key",
    "shopify/client_secret",
)
# What other programs call them in an .env file; ``SHOPIFY_ADMIN_TOKEN`` for ``shopify/admin_token`` needs no line here.
OTHER_NAMES = {
    "CHATWOOT_BOT_TOKEN": "chatwoot/api_token",
    "CHATWOOT_API_ACCESS_TOKEN": "chatwoot/user_token",
    "CHATWOOT_ACCESS_TOKEN": "chatwoot/user_token",
    "CHATWOOT_BOT_SECRET": "chatwoot/hmac_secret",
    "BOTPRESS_TOKEN": "botpress/api_key",
    "SHOPIFY_ACCESS_TOKEN": "shopify/admin_token",
    "SHOPIFY_ADMIN_API_ACCESS_TOKEN": "shopify/admin_token",
    "SHOPIFY_API_KEY": "shopify/client_id",
    "SHOPIFY_API_SECRET": "shopify/client_secret",
    "SHOPIFY_STOREFRONT_ACCESS_TOKEN": "shopify/storefront_token",
    "SHOPIFY_SHOP": "shopify/store_domain",
    "SHOPIFY_SHOP_DOMAIN": "shopify/store_domain",
    "SHOPIFY_STORE": "shopify/store_domain",
    "ODOO_URL": "odoo/instance_url",
    "ODOO_USER": "odoo/login",
    "ODOO_USERNAME": "odoo/login",
    "ODOO_PASSWORD": "odoo/api_key",
    "GOOGLE_VISION_API_KEY": "ocr/api_key",
    "OPENAI_API_KEY": "llm/api_key",
    "ANTHROPIC_API_KEY": "llm/api_key",
}
