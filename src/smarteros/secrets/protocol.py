"""What a secret store must be able to do."""

from __future__ import annotations

from typing import Protocol

from smarteros.domain.secret_paths import SECRET_PATHS
from smarteros.domain.tenants import TenantScope

__all__ = ["SECRET_PATHS", "SecretStore"]


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
