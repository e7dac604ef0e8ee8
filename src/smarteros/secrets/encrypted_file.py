"""Secrets in one encrypted file (Fernet: AES-128-CBC with HMAC-SHA-256), the default without Vault."""

from __future__ import annotations

import fcntl
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import TypeAdapter, ValidationError

from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import TenantScope
from smarteros.kit.clock import Clock, SystemClock
from smarteros.secrets.keeper import BaseKeeper
from smarteros.secrets.keys import KeyFile, Keys, replace_file
from smarteros.secrets.stored import SecretEntry, StoredSecret

# How long a secret written by another process may stay unseen here.
FRESH_FOR_S = 0.2
_FILE = TypeAdapter(dict[str, dict[str, StoredSecret]])


class EncryptedFileSecretStore(BaseKeeper):
    """SecretKeeper over a file that is re-read when another process has changed it. Thread-safe.

    Any number of processes of one machine may write: a lock file beside it lets one at a time.
    """

    def __init__(
        self,
        path: Path,
        keys: Keys,
        *,
        clock: Clock | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(clock or SystemClock())
        self._path = path
        self._keys = keys
        self._monotonic = monotonic
        self._fernet = _fernet(keys)
        self._lock = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._looked_at = float("-inf")
        self._secrets: dict[str, dict[str, StoredSecret]] = {}

    def look_again(self, scope: TenantScope) -> bool:
        """Return False: what is remembered is never older than a moment (FRESH_FOR_S)."""
        del scope
        return False

    def answers(self) -> bool:
        """Tell whether the file, if there is one yet, opens with the key."""
        try:
            with self._lock:
                self._refresh()
        except ConfigError:
            return False
        return True

    def entries(self, scope: TenantScope) -> tuple[SecretEntry, ...]:
        """Describe the tenant's secrets, by path."""
        with self._lock:
            self._refresh()
            stored = self._secrets.get(scope.tenant_id, {})
        return tuple(stored[path].entry(scope, path, self._clock.now()) for path in sorted(stored))

    def erase(self, scope: TenantScope) -> int:
        """Remove all secrets of the tenant."""
        with self._writing():
            erased = len(self._secrets.get(scope.tenant_id, {}))
            if erased:
                self._save({other: kept for other, kept in self._secrets.items() if other != scope.tenant_id})
        return erased

    def rotate_key(self) -> None:
        """Encrypt the file with a new key: a made one where a key file is used, else the first of those given.

        Processes that run go on: they read the key file again. Raises ConfigError(code ``secrets_key_single``) when a
        setting gives one key only, because there is nothing to change to.
        """
        old = self._keys.read()
        if not isinstance(self._keys, KeyFile):
            if len(old) == 1:
                raise ConfigError(
                    "secrets_key_single",
                    "SMOS_SECRETS_KEY has one key only: put a new one (`smos secrets new-key`) and a comma before it,"
                    " restart the processes, then ask again.",
                )
            with self._writing():
                self._save(self._secrets)
            return
        with self._writing():
            new = Fernet.generate_key().decode()
            # Both, until the file is written: whatever stops in between, one of them opens it.
            self._keys.replace((new, *self._keys.read()))
            self._fernet = _fernet(self._keys)
            self._save(self._secrets)
            self._keys.replace((new,))
            self._fernet = _fernet(self._keys)

    def _find(self, scope: TenantScope, path: str) -> StoredSecret | None:
        if self._monotonic() - self._looked_at > FRESH_FOR_S:
            with self._lock:
                self._refresh()
        return self._secrets.get(scope.tenant_id, {}).get(path)

    def _change(self, scope: TenantScope, path: str, changed: Callable[[StoredSecret | None], StoredSecret]) -> None:
        with self._writing():
            before = self._secrets.get(scope.tenant_id, {})
            after = {**before, path: changed(before.get(path))}
            self._save({**self._secrets, scope.tenant_id: after})

    @contextmanager
    def _writing(self) -> Generator[None]:
        """Be the only writer of all processes, with the file as it is now."""
        with self._lock, self._path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._refresh()
            yield

    def _refresh(self) -> None:
        looked_at = self._monotonic()
        self._read_changed()
        # Last: until the file is read, whoever asks waits for it instead of finding nothing.
        self._looked_at = looked_at

    def _read_changed(self) -> None:
        try:
            stamp = self._stamp_now()
        except FileNotFoundError:
            return
        if stamp == self._stamp:
            return
        try:
            self._secrets = _FILE.validate_json(self._decrypted(self._path.read_bytes()))
        except (InvalidToken, ValidationError):
            # Without its cause, which would show what could not be read.
            raise ConfigError(
                "secrets_unreadable", f"{self._path} was written with another key, or was changed."
            ) from None
        self._stamp = stamp

    def _decrypted(self, token: bytes) -> bytes:
        try:
            return self._fernet.decrypt(token)
        except InvalidToken:
            self._fernet = _fernet(self._keys)  # another process may have changed the key
            return self._fernet.decrypt(token)

    def _save(self, secrets: dict[str, dict[str, StoredSecret]]) -> None:
        try:
            replace_file(self._path, self._fernet.encrypt(_FILE.dump_json(secrets, exclude_none=True)))
        except OSError as error:
            raise ConfigError("secrets_unwritable", f"{self._path} cannot be written: {error.strerror}.") from error
        self._secrets = secrets
        self._stamp = self._stamp_now()

    def _stamp_now(self) -> tuple[int, int, int]:
        status = self._path.stat()
        return status.st_mtime_ns, status.st_size, status.st_ino


def _fernet(keys: Keys) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key.encode()) for key in keys.read()])
    except ValueError:
        raise ConfigError("secrets_key_invalid", "A key of the secrets file is not a Fernet key.") from None
