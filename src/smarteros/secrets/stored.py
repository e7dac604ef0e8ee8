"""One secret as a store keeps it: its value, since when, and the value before it during a rotation."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from pydantic import ConfigDict, Field, model_validator

from smarteros.domain.errors import ConfigError
from smarteros.domain.model import Model
from smarteros.domain.tenants import TenantScope

_FINGERPRINT_DIGITS = 8


class SecretEntry(Model):
    """A secret without its value. ``written_at`` is None for one that was written before times were kept.

    ``fingerprint`` is the same for the same value of the same tenant and path, and tells nothing else.
    """

    path: str
    written_at: datetime | None
    fingerprint: str
    previous_until: datetime | None = Field(default=None, description="End of a rotation that is under way")


class StoredSecret(Model):
    """A secret with its value; neither it nor its errors show the value when they are printed."""

    model_config = ConfigDict(hide_input_in_errors=True)

    value: str = Field(repr=False)
    written_at: datetime | None = None
    previous: str | None = Field(default=None, repr=False)
    previous_until: datetime | None = None

    @model_validator(mode="before")
    @classmethod
    def _value_alone(cls, given: Any) -> Any:
        # Files of the first versions held the value and nothing else.
        return {"value": given} if isinstance(given, str) else given

    def accepted(self, now: datetime) -> tuple[str, ...]:
        """Return the value, and the one before it while the rotation lasts."""
        if self.previous is None or self.previous_until is None or now >= self.previous_until:
            return (self.value,)
        return (self.value, self.previous)

    def rotated(self, value: str, now: datetime, overlap: timedelta) -> StoredSecret:
        """Return the secret with a new value; this one's is accepted for the length of ``overlap``."""
        if value == self.value:
            raise ConfigError("secret_unchanged", "The new value is the current one; nothing was changed.")
        return StoredSecret(value=value, written_at=now, previous=self.value, previous_until=now + overlap)

    def entry(self, scope: TenantScope, path: str, now: datetime) -> SecretEntry:
        """Describe the secret."""
        return SecretEntry(
            path=path,
            written_at=self.written_at,
            fingerprint=fingerprint(scope, path, self.value),
            previous_until=self.previous_until if len(self.accepted(now)) > 1 else None,
        )


def fingerprint(scope: TenantScope, path: str, value: str) -> str:
    """Return a short name of a value: two shops that use the same one cannot be told from it."""
    salted = f"{scope.tenant_id}:{path}:{value}".encode()
    return hashlib.sha256(salted).hexdigest()[:_FINGERPRINT_DIGITS]
