"""What all secret stores do alike once they can find a secret and change it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import timedelta

from smarteros.domain.errors import ConfigError
from smarteros.domain.secret_paths import SECRET_PATHS
from smarteros.domain.tenants import TenantScope
from smarteros.kit.clock import Clock
from smarteros.secrets.stored import StoredSecret


class BaseKeeper(ABC):
    """The part of SecretKeeper that does not depend on where secrets lie."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def read(self, scope: TenantScope, path: str) -> str:
        """Return one secret; ConfigError when there is none."""
        value = self.find(scope, path)
        if value is None:
            raise _missing(scope, path)
        return value

    def find(self, scope: TenantScope, path: str) -> str | None:
        """Return one secret or None."""
        stored = self._find(scope, _known(path))
        return None if stored is None else stored.value

    def accepted(self, scope: TenantScope, path: str) -> tuple[str, ...]:
        """Return the current value and, during a rotation, the one before it."""
        stored = self._find(scope, _known(path))
        return () if stored is None else stored.accepted(self._clock.now())

    def write(self, scope: TenantScope, path: str, value: str) -> None:
        """Set one secret."""
        self._change(scope, _known(path), lambda _before: StoredSecret(value=value, written_at=self._clock.now()))

    def write_if_missing(self, scope: TenantScope, path: str, value: str) -> str:
        """Set one secret unless there is one; returns the one there is then."""
        kept: list[StoredSecret] = []

        def absent(before: StoredSecret | None) -> StoredSecret:
            kept.append(before or StoredSecret(value=value, written_at=self._clock.now()))
            return kept[-1]

        self._change(scope, _known(path), absent)
        return kept[-1].value

    def rotate(self, scope: TenantScope, path: str, value: str, overlap: timedelta) -> None:
        """Set one secret and accept the value before it for the length of ``overlap``."""

        def rotated(before: StoredSecret | None) -> StoredSecret:
            if before is None:
                raise _missing(scope, path)
            return before.rotated(value, self._clock.now(), overlap)

        self._change(scope, _known(path), rotated)

    @abstractmethod
    def _find(self, scope: TenantScope, path: str) -> StoredSecret | None:
        """Return the secret of a known path."""

    @abstractmethod
    def _change(self, scope: TenantScope, path: str, changed: Callable[[StoredSecret | None], StoredSecret]) -> None:
        """Put what ``changed`` makes of a secret in its place, so that changes by others are not lost.

        ``changed`` may be called again when somebody else was faster.
        """


def _known(path: str) -> str:
    """Refuse a path that is no secret's: what is not in the list is never put into a file or a URL."""
    if path not in SECRET_PATHS:
        raise ConfigError("secret_path_unknown", f"There is no secret {path!r}; see `smos secrets set --help`.")
    return path


def _missing(scope: TenantScope, path: str) -> ConfigError:
    return ConfigError("secret_missing", f"Tenant {scope.tenant_id} has no secret {path!r}.")
