"""Where the key of the encrypted secrets file comes from: the environment, or a file of its own."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from cryptography.fernet import Fernet

from smarteros.domain.errors import ConfigError


class Keys(Protocol):
    """Fernet keys (32 bytes in URL-safe base64), the newest first. The first encrypts, all of them decrypt."""

    def read(self) -> tuple[str, ...]:
        """Return the keys as they are now. ConfigError when there is none."""
        ...


class GivenKeys:
    """Keys as a setting gives them, separated by commas; they change with a restart."""

    def __init__(self, text: str, setting: str = "SMOS_SECRETS_KEY") -> None:
        self._keys = tuple(key.strip() for key in text.split(",") if key.strip())
        if not self._keys:
            raise ConfigError("secrets_key_invalid", f"{setting} is empty.")

    def read(self) -> tuple[str, ...]:
        """Return the keys."""
        return self._keys


class KeyFile:
    """Keys in a file, one a line, the newest first. Processes that run find a new one by themselves."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[str, ...]:
        """Return the keys of the file."""
        try:
            keys = tuple(self.path.read_text("ascii").split())
        except (OSError, ValueError) as error:
            raise ConfigError("secrets_key_missing", f"The key file {self.path} cannot be read.") from error
        if not keys:
            raise ConfigError("secrets_key_missing", f"The key file {self.path} is empty.")
        return keys

    def make_if_absent(self) -> None:
        """Make the file with a new key on first use."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # two first starts at once must not make two keys
            file.seek(0)
            if not file.read().strip():
                self.path.chmod(0o600)
                file.write(Fernet.generate_key().decode())

    def replace(self, keys: Sequence[str]) -> None:
        """Write these keys in place of those of the file. ConfigError when it cannot be written."""
        try:
            replace_file(self.path, "\n".join(keys).encode())
        except OSError as error:
            raise ConfigError("secrets_key_unwritable", f"The key file {self.path} cannot be written.") from error


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file in one move: a reader sees the old one or the new one, and a power cut leaves one of them.

    Who may read it stays as it was: the command that changes it need not run as the user who serves. Raises OSError.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            if path.exists():
                before = path.stat()
                os.fchown(handle, before.st_uid, before.st_gid)
                os.fchmod(handle, stat.S_IMODE(before.st_mode))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
