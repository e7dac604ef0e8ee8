"""One of the two installations of a move, and its secrets brought to the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smarteros.domain.audit_chain import AuditSeal
from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import Tenant, TenantScope
from smarteros.kit.http import HttpClient, HttpFault
from smarteros.secrets.protocol import SecretKeeper
from smarteros.store.database import Database
from smarteros.tenants.directory import TenantDirectory


@dataclass(frozen=True)
class Side:
    """An installation as a move sees it.

    ``url`` is where Chatwoot reaches it, without trailing slash; ``place`` is how its operator knows it; ``store``
    names where its secrets lie, so that two which share one are found out.
    """

    database: Database
    tenants: TenantDirectory
    secrets: SecretKeeper
    store: str
    seal: AuditSeal
    operator_token: str
    url: str
    place: str

    def tenant(self, tenant_id: str) -> Tenant | None:
        """Return a tenant as the database knows it now."""
        self.tenants.forget()
        return self.tenants.find(tenant_id)

    def serves(self, http: HttpClient) -> bool:
        """Tell whether this installation, and no other one, answers at its address.

        Only its own operator's token is told how much work waits.
        """
        try:
            answer = http.json("GET", f"{self.url}/health", headers={"Authorization": f"Bearer {self.operator_token}"})
        except HttpFault:
            return False
        return isinstance(answer, dict) and "backlog" in answer


def copy_secrets(source: SecretKeeper, target: SecretKeeper, scope: TenantScope, now: datetime) -> int:
    """Give the target the tenant's secrets as they are, with the rotations under way; returns how many there are.

    ConfigError(code ``secret_differs``) when one reads otherwise afterwards.
    """
    held = {entry.path: entry for entry in target.entries(scope)}
    entries = source.entries(scope)
    for entry in entries:
        there = held.get(entry.path)
        rotates = entry.previous_until is not None
        if there is not None and (there.fingerprint, there.previous_until is not None) == (entry.fingerprint, rotates):
            continue
        value, *before = source.accepted(scope, entry.path)
        if before and entry.previous_until is not None:
            target.write(scope, entry.path, before[0])
            target.rotate(scope, entry.path, value, entry.previous_until - now)
        else:
            target.write(scope, entry.path, value)
    differing = [
        each.path for each in entries if source.accepted(scope, each.path) != target.accepted(scope, each.path)
    ]
    if differing:
        raise ConfigError("secret_differs", f"Not as they were after they were copied: {', '.join(differing)}.")
    return len(entries)
