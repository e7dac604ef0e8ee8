"""What a secret store must be able to do."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from smarteros.domain.tenants import TenantScope
from smarteros.secrets.stored import SecretEntry


class SecretStore(Protocol):
    """Secrets of tenants, named by the leaf paths of ``secret/tenant/<TENANT_ID>/``; what a running turn needs.

    Every method raises ConfigError(code ``secret_path_unknown``) for a path that is none of SECRET_PATHS, and
    TransientError when the store cannot be reached and nothing young enough is remembered.
    """

    def read(self, scope: TenantScope, path: str) -> str:
        """Return one secret, for example ``shopify/admin_token``.

        Raises ConfigError(code ``secret_missing``) when there is none: a missing scope or secret fails closed.
        """
        ...

    def find(self, scope: TenantScope, path: str) -> str | None:
        """Return one secret or None."""
        ...

    def accepted(self, scope: TenantScope, path: str) -> tuple[str, ...]:
        """Return the values of a secret that others may prove themselves with, the current one first.

        During a rotation the one before it is among them; after its end, and of a secret nobody set, it is not.
        """
        ...

    def look_again(self, scope: TenantScope) -> bool:
        """Ask for the tenant's secrets anew at the next read: they may have been changed elsewhere a moment ago.

        False when what is remembered is no older than a few seconds; asking again would bring nothing new.
        """
        ...

    def write(self, scope: TenantScope, path: str, value: str) -> None:
        """Set one secret. The value before it is not accepted any more, not even during a rotation."""
        ...

    def write_if_missing(self, scope: TenantScope, path: str, value: str) -> str:
        """Set one secret unless there is one; returns the one there is then, whoever was faster."""
        ...


class SecretKeeper(SecretStore, Protocol):
    """A secret store as the operator's commands use it."""

    def rotate(self, scope: TenantScope, path: str, value: str, overlap: timedelta) -> None:
        """Set one secret and go on accepting the value before it for the length of ``overlap``.

        Raises ConfigError(code ``secret_missing``) when there is nothing to rotate and ``secret_unchanged`` when the
        value is the current one.
        """
        ...

    def erase(self, scope: TenantScope) -> int:
        """Remove all secrets of the tenant, their earlier versions too; returns how many there were. For good."""
        ...

    def answers(self) -> bool:
        """Tell whether the store can be read now, for the installation's health."""
        ...

    def entries(self, scope: TenantScope) -> tuple[SecretEntry, ...]:
        """Describe the tenant's secrets, by path, without their values."""
        ...
