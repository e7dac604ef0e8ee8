"""Tokens: the installation's own, which may only mint, and a tenant's, which lives five minutes and reads one shop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from smarteros.contracts.exporters.vault import READERS, WRITERS, policy_of, role_in
from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import TenantScope
from smarteros.secrets.vault.api import Lease, VaultApi, VaultRefusedError

# A token is changed when so much of its life is over.
_DUE = 2 / 3


@dataclass(frozen=True)
class _Held:
    lease: Lease
    since: float

    def is_due(self, now: float) -> bool:
        return now - self.since >= self.lease.seconds * _DUE


class VaultTokens:
    """Logs in, renews and mints when a token is needed. Thread-safe; tokens are kept in memory only."""

    def __init__(
        self,
        api: VaultApi,
        role_id: str,
        secret_id: Callable[[], str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``secret_id`` is asked at every login, so that one that was replaced is found without a restart."""
        self._api = api
        self._role_id = role_id
        self._secret_id = secret_id
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._own: _Held | None = None
        self._first_seconds = 0.0
        self._of_tenants: dict[tuple[str, str], _Held] = {}

    def of_tenant(self, scope: TenantScope, *, writes: bool = False) -> str:
        """Return a token that reads (or writes) one tenant's secrets and nothing else.

        Raises ConfigError(code ``vault_refused``) when this installation's role may not have such a token.
        """
        role = role_in(self._api.mount, WRITERS if writes else READERS)
        with self._lock:
            now = self._monotonic()
            held = self._of_tenants.get((scope.tenant_id, role))
            if held is None or held.is_due(now):
                held = _Held(self._mint(role, policy_of(scope.tenant_id, role)), now)
                self._of_tenants[scope.tenant_id, role] = held
            return held.lease.token

    def forget(self, scope: TenantScope) -> None:
        """Drop the own token and the tenant's: a refusal may mean that either was revoked."""
        with self._lock:
            self._own = None
            for role in (READERS, WRITERS):
                self._of_tenants.pop((scope.tenant_id, role_in(self._api.mount, role)), None)

    def _mint(self, role: str, policy: str) -> Lease:
        try:
            return self._api.mint(self._own_token(), role, policy)
        except VaultRefusedError:
            self._own = None  # it has expired or was revoked: once more with a new one
        try:
            return self._api.mint(self._own_token(), role, policy)
        except VaultRefusedError:
            raise ConfigError(
                "vault_refused", f"Vault does not let this installation's role mint tokens of {role!r}."
            ) from None

    def _own_token(self) -> str:
        now = self._monotonic()
        if self._own is not None and self._own.is_due(now):
            self._own = self._renewed(self._own, now)
        if self._own is None:
            self._own = _Held(self._api.login(self._role_id, self._secret_id()), now)
            self._first_seconds = self._own.lease.seconds
        return self._own.lease.token

    def _renewed(self, held: _Held, now: float) -> _Held | None:
        """Renew a token; None when it is at the end of its longest life and a new one is due."""
        try:
            lease = self._api.renew(held.lease.token)
        except (VaultRefusedError, ConfigError):
            return None
        return _Held(lease, now) if lease.seconds >= self._first_seconds * _DUE else None
