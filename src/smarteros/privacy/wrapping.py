"""The keys of contacts, wrapped in a key of their tenant's that lies in the secret store: a copy of the database alone
opens nobody's part of the audit (ADR 25).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from cryptography.fernet import Fernet, InvalidToken

from smarteros.domain.errors import ConfigError, SmosError
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant, TenantScope
from smarteros.secrets.protocol import SecretStore
from smarteros.store.contacts import ContactKey, keys_wrapped_otherwise, replace_key
from smarteros.store.database import Database

PATH = "privacy/contact_keys"
"""Secret with the tenant's wrapping keys (Fernet): the one in use, and after a comma the one before it."""

_log = structlog.get_logger()
_AT_A_TIME = 500
_ASK_AGAIN_AFTER_S = 60.0


class Rewrapped(Model):
    """What a rewrapping did. ``lost`` keys are wrapped in a key that the secret store does not have."""

    tenant_id: str
    rewrapped: int = 0
    lost: int = 0


@dataclass(frozen=True)
class KeyWrapping:
    """Wraps contacts' keys. The wrapping key is made when a tenant has none."""

    secrets: SecretStore
    monotonic: Callable[[], float] = time.monotonic
    _failed_at: dict[str, float] = field(default_factory=dict[str, float], init=False, repr=False, compare=False)

    def look_up(self, scope: TenantScope) -> None:
        """Have the secret store asked now, so that no transaction waits for it. Raises nothing."""
        self._current(scope)

    def wrapped(self, scope: TenantScope, key: bytes, key_id: str) -> ContactKey:
        """Return a contact's key as it is stored.

        It is stored as it is while the secret store cannot be read or written: a turn must be recorded whatever is
        away, and the next ``rewrap`` makes up for it. A store that has failed is asked again after a minute.
        """
        current = self._current(scope)
        if current is None:
            return ContactKey(key, key_id, None)
        return ContactKey(Fernet(current).encrypt(key), key_id, _id(current))

    def opened(self, scope: TenantScope, stored: ContactKey) -> bytes | None:
        """Return a contact's key; None when what it is wrapped in cannot be had."""
        if stored.wrapped_by is None:
            return stored.key
        try:
            found = self._named(scope, stored.wrapped_by)
            if found is None and self.secrets.look_again(scope):  # another process may have changed it
                found = self._named(scope, stored.wrapped_by)
            return None if found is None else Fernet(found).decrypt(stored.key)
        except (SmosError, InvalidToken) as error:
            _log.error("contact_key_unreadable", tenant=scope.tenant_id, error=type(error).__name__)
            return None

    def rewrap(self, database: Database, tenant: Tenant) -> Rewrapped:
        """Wrap every key of a tenant in its wrapping key of now, some at a time.

        Raises what the secret store raises.
        """
        current = self._keys(tenant.scope)[0]
        done, lost, after = 0, 0, ""
        while True:
            with database.tenant(tenant.scope) as connection:
                rows = keys_wrapped_otherwise(connection, tenant.tenant_id, _id(current), after, _AT_A_TIME)
                for contact, stored in rows:
                    key = self.opened(tenant.scope, stored)
                    if key is None:
                        lost += 1
                        continue
                    new = ContactKey(Fernet(current).encrypt(key), stored.key_id, _id(current))
                    replace_key(connection, tenant.tenant_id, contact, new)
                    done += 1
            if len(rows) < _AT_A_TIME:
                return Rewrapped(tenant_id=tenant.tenant_id, rewrapped=done, lost=lost)
            after = rows[-1][0]

    def rotate(self, database: Database, tenant: Tenant) -> Rewrapped:
        """Make a new wrapping key, and wrap every key in it.

        The one before it stays beside it until the next rotation, because other processes may remember it for some
        seconds: do not rotate twice within two minutes. Raises what the secret store raises; nothing is lost when it is
        interrupted.
        """
        self.rewrap(database, tenant)  # nothing may need the key that is dropped now
        current = self._keys(tenant.scope)[0]
        self.secrets.write(tenant.scope, PATH, f"{Fernet.generate_key().decode()},{current.decode()}")
        return self.rewrap(database, tenant)

    def make_key(self, scope: TenantScope) -> bool:
        """Make the tenant's wrapping key; False when it has one. Raises what the secret store raises."""
        missing = self.secrets.find(scope, PATH) is None
        self._keys(scope)
        return missing

    def _current(self, scope: TenantScope) -> bytes | None:
        failed_at = self._failed_at.get(scope.tenant_id)
        if failed_at is not None and self.monotonic() - failed_at < _ASK_AGAIN_AFTER_S:
            return None
        try:
            return self._keys(scope)[0]
        except SmosError as error:
            self._failed_at[scope.tenant_id] = self.monotonic()
            _log.warning("contact_key_not_wrapped", tenant=scope.tenant_id, code=error.code)
            return None

    def _keys(self, scope: TenantScope) -> list[bytes]:
        held = self.secrets.find(scope, PATH)
        if held is None:
            held = self.secrets.write_if_missing(scope, PATH, Fernet.generate_key().decode())
        keys = [key.strip().encode() for key in held.split(",")]
        for key in keys:
            try:
                Fernet(key)
            except ValueError:
                raise ConfigError("secret_malformed", f"{PATH} of {scope.tenant_id} holds no Fernet keys.") from None
        return keys

    def _named(self, scope: TenantScope, key_id: str) -> bytes | None:
        return next((key for key in self._keys(scope) if _id(key) == key_id), None)


def _id(key: bytes) -> str:
    return hashlib.sha256(b"contact-keys:" + key).hexdigest()[:16]
