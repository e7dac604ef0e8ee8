"""Keys somebody has given us and nobody has stored yet, so that they can be tried before they replace others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import TenantScope
from smarteros.secrets.protocol import SecretStore


@dataclass(frozen=True)
class ProposedSecrets:
    """The SecretStore of a tenant as it would be with the ``proposed`` values; nothing is written."""

    held: SecretStore
    proposed: Mapping[str, str]

    def read(self, scope: TenantScope, path: str) -> str:
        """Return the proposed value, else the one held."""
        return self.proposed.get(path) or self.held.read(scope, path)

    def find(self, scope: TenantScope, path: str) -> str | None:
        """Return the proposed value, else the one held, else None."""
        return self.proposed.get(path) or self.held.find(scope, path)

    def accepted(self, scope: TenantScope, path: str) -> tuple[str, ...]:
        """Return the proposed value alone, else those held."""
        proposed = self.proposed.get(path)
        return (proposed,) if proposed else self.held.accepted(scope, path)

    def look_again(self, scope: TenantScope) -> bool:
        """Ask what is held anew."""
        return self.held.look_again(scope)

    def write(self, scope: TenantScope, path: str, value: str) -> None:
        """Refuse: what is only proposed is stored by whoever takes the shop on."""
        del value
        raise ConfigError("secret_only_proposed", f"{scope.tenant_id}: {path} is not stored yet.")

    def write_if_missing(self, scope: TenantScope, path: str, value: str) -> str:
        """Refuse, as ``write`` does, unless there is one."""
        found = self.find(scope, path)
        if found is None:
            self.write(scope, path, value)
        return found or value
