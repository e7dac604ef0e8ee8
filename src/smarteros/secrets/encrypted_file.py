"""Secrets in one encrypted file (Fernet: AES-128-CBC with HMAC-SHA-256), the default without Vault."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from smarteros.domain.errors import ConfigError
from smarteros.domain.tenants import TenantScope

# How long a secret written by another process may stay unseen here.
FRESH_FOR_S = 0.2


class EncryptedFileSecretStore:
    """SecretStore over a file that is re-read when another process has changed it.

    The key is 32 bytes in URL-safe base64 (``Fernet.generate_key()``) and must not lie beside the file in production.
    """

    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        try:
            self._fernet = Fernet(key.encode())
        except ValueError as error:
            raise ConfigError("secrets_key_invalid", "SMOS_SECRETS_KEY is not a Fernet key.") from error
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._looked_at = float("-inf")
        self._secrets: dict[str, dict[str, str]] = {}

    def read(self, scope: TenantScope, path: str) -> str:
        """Return one secret; ConfigError when there is none."""
        value = self.find(scope, path)
        if value is None:
            raise ConfigError("secret_missing", f"Tenant {scope.tenant_id} has no secret {path!r}.")
        return value

    def find(self, scope: TenantScope, path: str) -> str | None:
        """Return one secret or None."""
        if time.monotonic() - self._looked_at > FRESH_FOR_S:
            with self._lock:
                self._refresh()
        return self._secrets.get(scope.tenant_id, {}).get(path)

    def write(self, scope: TenantScope, path: str, value: str) -> None:
        """Set one secret."""
        with self._lock:
            self._refresh()
            self._secrets.setdefault(scope.tenant_id, {})[path] = value
            self._save()

    def _refresh(self) -> None:
        looked_at = time.monotonic()
        self._read_changed()
        # Last: until the file is read, whoever asks waits for it instead of finding nothing.
        self._looked_at = looked_at

    def _read_changed(self) -> None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return
        stamp = (status.st_mtime_ns, status.st_size)
        if stamp == self._stamp:
            return
        try:
            self._secrets = json.loads(self._fernet.decrypt(self._path.read_bytes()))
        except InvalidToken as error:
            raise ConfigError(
                "secrets_unreadable", f"{self._path} was written with another key, or was changed."
            ) from error
        self._stamp = stamp

    def _save(self) -> None:
        token = self._fernet.encrypt(json.dumps(self._secrets).encode())
        # Replaced in one move: a reader sees the old file or the new one, never half of it.
        handle, temporary = tempfile.mkstemp(dir=self._path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(token)
        Path(temporary).replace(self._path)
        status = self._path.stat()
        self._stamp = (status.st_mtime_ns, status.st_size)
