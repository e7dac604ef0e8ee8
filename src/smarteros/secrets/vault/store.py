"""SecretKeeper over Vault or OpenBao, with a memory for outages.

A secret lies in one of two shapes: ``tenant/<ID>/shopify/admin_token`` with the key ``value``, or
``tenant/<ID>/shopify`` with the key ``admin_token`` among others. The first is looked for first; a change is written
where the secret lies.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeGuard, TypeVar

import structlog
from pydantic import ValidationError

from smarteros.domain.errors import ConfigError, TransientError
from smarteros.domain.secret_paths import SECRET_PATHS
from smarteros.domain.tenants import TenantScope
from smarteros.kit.clock import Clock, SystemClock
from smarteros.observability.metrics import SECRET_STORE_REQUESTS
from smarteros.secrets.keeper import BaseKeeper
from smarteros.secrets.stored import SecretEntry, StoredSecret
from smarteros.secrets.vault.api import ChangedMeanwhileError, KeptSecret, VaultApi, VaultRefusedError
from smarteros.secrets.vault.tokens import VaultTokens

FRESH_FOR_S = 60.0
STALE_FOR_S = 900.0
# An outage costs one time-out in so many seconds, not one for every read.
ASK_AGAIN_AFTER_S = 5.0
_WRITE_TRIES = 5
_log = structlog.get_logger()
AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True)
class _Remembered:
    secret: StoredSecret | None
    at: float


class VaultSecretStore(BaseKeeper):
    """SecretKeeper over Vault. Thread-safe.

    What was read is used for a minute; when Vault is away, for fifteen, in memory only. A refusal ends that at once,
    and of a suspended tenant (``suspended`` tells) nothing is remembered.
    """

    def __init__(
        self,
        api: VaultApi,
        tokens: VaultTokens,
        suspended: Callable[[str], bool],
        *,
        clock: Clock | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(clock or SystemClock())
        self._api = api
        self._tokens = tokens
        self._suspended = suspended
        self._monotonic = monotonic
        self._remembered: dict[str, dict[str, _Remembered]] = {}
        self._not_before: dict[str, float] = {}
        self._away_until = float("-inf")
        self._asking: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def look_again(self, scope: TenantScope) -> bool:
        """Ask Vault at the next read, at most every few seconds; what is remembered stays for an outage."""
        now = self._monotonic()
        if now - self._not_before.get(scope.tenant_id, float("-inf")) < ASK_AGAIN_AFTER_S:
            return False
        self._not_before[scope.tenant_id] = now
        return True

    def answers(self) -> bool:
        """Tell whether Vault is there and unsealed."""
        return self._api.is_well()

    def entries(self, scope: TenantScope) -> tuple[SecretEntry, ...]:
        """Describe the tenant's secrets, by path, as they are in Vault now."""

        def described(token: str) -> tuple[SecretEntry, ...]:
            read = cache(partial(self._api.read, token))  # a system's shared secret is read once for all its paths
            found = ((path, _secret_at(_place(read, scope, path))) for path in sorted(SECRET_PATHS))
            return tuple(stored.entry(scope, path, self._clock.now()) for path, stored in found if stored is not None)

        return self._allowed(scope, described)

    def erase(self, scope: TenantScope) -> int:
        """Remove all versions of all secrets of the tenant, in both shapes."""
        erased = len(self.entries(scope))
        places = {*SECRET_PATHS, *(path.split("/")[0] for path in SECRET_PATHS)}

        def remove(token: str) -> None:
            for place in sorted(places):
                self._api.remove(token, f"tenant/{scope.tenant_id}/{place}")

        self._allowed(scope, remove, writes=True)
        with self._asking[scope.tenant_id]:
            self._remembered.pop(scope.tenant_id, None)
        return erased

    def _find(self, scope: TenantScope, path: str) -> StoredSecret | None:
        if self._suspended(scope.tenant_id):
            self._remembered.pop(scope.tenant_id, None)
            return self._asked(scope, path)
        known = self._remembered.get(scope.tenant_id, {}).get(path)
        if self._is_fresh(known, scope):
            return known.secret
        with self._asking[scope.tenant_id]:
            known = self._remembered.get(scope.tenant_id, {}).get(path)
            if self._is_fresh(known, scope):  # another thread has asked meanwhile
                return known.secret
            now = self._monotonic()
            try:
                secret = self._asked(scope, path)
            except TransientError:
                if known is None or now - known.at >= STALE_FOR_S:
                    raise
                return known.secret
            except ConfigError:
                self._remembered.pop(scope.tenant_id, None)
                raise
            self._remembered.setdefault(scope.tenant_id, {})[path] = _Remembered(secret, now)
            return secret

    def _is_fresh(self, known: _Remembered | None, scope: TenantScope) -> TypeGuard[_Remembered]:
        if known is None or self._monotonic() - known.at >= FRESH_FOR_S:
            return False
        return known.at >= self._not_before.get(scope.tenant_id, float("-inf"))

    def _asked(self, scope: TenantScope, path: str) -> StoredSecret | None:
        """Ask Vault, unless it was away a moment ago."""
        if self._monotonic() < self._away_until:
            raise TransientError("vault_unavailable", "Vault was away a moment ago.")
        try:
            return self._allowed(scope, lambda token: _secret_at(_place(partial(self._api.read, token), scope, path)))
        except TransientError as error:
            self._away_until = self._monotonic() + ASK_AGAIN_AFTER_S
            _log.warning("secret_store_away", error=error.operator_message)
            raise

    def _allowed(self, scope: TenantScope, ask: Callable[[str], AnswerT], *, writes: bool = False) -> AnswerT:
        """Ask with the tenant's token; a refusal is believed when it comes again after a new login."""
        try:
            try:
                answer = ask(self._tokens.of_tenant(scope, writes=writes))
            except VaultRefusedError:
                self._tokens.forget(scope)
                answer = ask(self._tokens.of_tenant(scope, writes=writes))
        except VaultRefusedError:
            SECRET_STORE_REQUESTS.labels("refused").inc()
            raise ConfigError(
                "vault_refused",
                f"Vault does not give {scope.tenant_id}'s secrets: is its policy there (`smos contract export vault`)?",
            ) from None
        except TransientError:
            SECRET_STORE_REQUESTS.labels("away").inc()
            raise
        except ConfigError as error:  # of Vault, or of what it answered
            SECRET_STORE_REQUESTS.labels("refused" if error.code.startswith("vault_") else "answered").inc()
            raise
        SECRET_STORE_REQUESTS.labels("answered").inc()
        return answer

    def _change(self, scope: TenantScope, path: str, changed: Callable[[StoredSecret | None], StoredSecret]) -> None:
        def change(token: str) -> None:
            place = _place(partial(self._api.read, token), scope, path)
            after = changed(_secret_at(place))
            self._api.write(token, place.path, _with_secret(place, after), place.kept.version)

        for _ in range(_WRITE_TRIES):
            try:
                self._allowed(scope, change, writes=True)
                break
            except ChangedMeanwhileError:
                continue
        else:
            raise TransientError("vault_busy", f"{scope.tenant_id}: {path} is being changed by others all the time.")
        with self._asking[scope.tenant_id]:  # a read that began before the change has ended then
            self._remembered.get(scope.tenant_id, {}).pop(path, None)


@dataclass(frozen=True)
class _Place:
    path: str
    key: str
    kept: KeptSecret


_OWN_KEY = "value"
_PREVIOUS = ".previous"
_PREVIOUS_UNTIL = ".previous_until"


def _place(read: Callable[[str], KeptSecret], scope: TenantScope, path: str) -> _Place:
    """Find where a secret lies, or would lie: on its own, unless its system has one secret that names it."""
    own_path = f"tenant/{scope.tenant_id}/{path}"
    own = read(own_path)
    if _OWN_KEY not in own.data:
        system, name = path.split("/")
        shared_path = f"tenant/{scope.tenant_id}/{system}"
        shared = read(shared_path)
        if name in shared.data:
            return _Place(shared_path, name, shared)
    return _Place(own_path, _OWN_KEY, own)


def _secret_at(place: _Place) -> StoredSecret | None:
    kept, key = place.kept, place.key
    if key not in kept.data:
        return None
    value, previous = kept.data[key], kept.data.get(key + _PREVIOUS)
    try:
        return StoredSecret(
            value=str(value) if isinstance(value, int) else value,
            written_at=kept.written_at,
            previous=previous,
            previous_until=kept.data.get(key + _PREVIOUS_UNTIL),
        )
    except ValidationError:
        raise ConfigError("secret_malformed", f"{place.path} in Vault: {key} is no text.") from None


def _with_secret(place: _Place, secret: StoredSecret) -> dict[str, Any]:
    """Return the keys of the place with the changed secret; the other keys stay as they are."""
    own = (place.key, place.key + _PREVIOUS, place.key + _PREVIOUS_UNTIL)
    data = {name: value for name, value in place.kept.data.items() if name not in own}
    data[place.key] = secret.value
    if secret.previous is not None and secret.previous_until is not None:
        data[place.key + _PREVIOUS] = secret.previous
        data[place.key + _PREVIOUS_UNTIL] = secret.previous_until.isoformat()
    return data
