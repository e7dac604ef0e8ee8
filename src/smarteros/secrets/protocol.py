"""What a secret store must be able to do."""

from __future__ import annotations

from typing import Protocol

from smarteros.domain.tenants import TenantScope

SECRET_PATHS = (
    "chatwoot/api_token",
    "chatwoot/hmac_secret",
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
)


class SecretStore(Protocol):
    """Secrets of tenants, named by the leaf paths of ``secret/tenant/<TENANT_ID>/``."""

    def read(self, scope: TenantScope, path: str) -> str:
        """Return one secret, for example ``shopify/admin_token``.

        Raises ConfigError(code ``secret_missing``) when there is none: a missing scope or secret fails closed.
        """
        ...

    def find(self, scope: TenantScope, path: str) -> str | None:
        """Return one secret or None."""
        ...

    def write(self, scope: TenantScope, path: str, value: str) -> None:
        """Set one secret."""
        ...
