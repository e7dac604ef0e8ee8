"""Opening the secret store an installation's settings name; nothing is asked of it yet."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from smarteros.domain.errors import ConfigError
from smarteros.kit.http import HttpClient
from smarteros.secrets.encrypted_file import EncryptedFileSecretStore
from smarteros.secrets.keys import GivenKeys, KeyFile, Keys
from smarteros.secrets.protocol import SecretKeeper
from smarteros.secrets.vault.api import VaultApi
from smarteros.secrets.vault.store import VaultSecretStore
from smarteros.secrets.vault.tokens import VaultTokens
from smarteros.settings import Settings

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def open_secret_store(
    settings: Settings, keys: Keys, suspended: Callable[[str], bool], stack: ExitStack
) -> SecretKeeper:
    """Return the store; ``suspended`` tells of which tenants nothing may be remembered.

    ConfigError(code ``vault_not_configured``) names what is missing or unsafe.
    """
    if settings.secrets == "file":
        return secrets_file(settings, keys)
    address, role_id = _vault_address(settings), settings.vault_role_id or ""
    http = HttpClient(ca_file=settings.vault_ca_file)
    stack.callback(http.close)
    api = VaultApi(http, address, settings.vault_mount)
    return VaultSecretStore(api, VaultTokens(api, role_id, lambda: _secret_id(settings)), suspended)


def secret_keys(settings: Settings) -> Keys:
    """Return the installation's keys: those given, those of a file, or one kept beside the data.

    The last is for the demo and for trying out: whoever copies the data directory then has the key as well. A file
    that is named must lie elsewhere; ConfigError(code ``secrets_key_beside_data``) when it does not. A key that was
    lost is not made anew, for it would open nothing: ConfigError(code ``secrets_key_missing``).
    """
    if settings.secrets_key is not None:
        return GivenKeys(settings.secrets_key.get_secret_value())
    file, data_dir = settings.secrets_key_file, settings.data_dir
    if file is None:
        own = KeyFile(data_dir / "secrets.key")
        if settings.secrets == "file" and _file_of(settings).exists() and not own.path.exists():
            raise ConfigError(
                "secrets_key_missing",
                f"The key {own.path} is gone, and {_file_of(settings)} opens with no other: put it back, or set"
                " SMOS_SECRETS_KEY to it. If it is lost for good, move that file away and enter the shops' keys again.",
            )
        own.make_if_absent()
        return own
    if file.resolve().is_relative_to(data_dir.resolve()):
        raise ConfigError(
            "secrets_key_beside_data",
            f"SMOS_SECRETS_KEY_FILE is inside the data directory {data_dir}; a copy of one must not be a copy of both.",
        )
    return KeyFile(file)


def is_key_beside_data(settings: Settings) -> bool:
    """Tell whether a copy of the data directory would tell all secrets."""
    return settings.secrets == "file" and settings.secrets_key is None and settings.secrets_key_file is None


def secrets_file(settings: Settings, keys: Keys) -> EncryptedFileSecretStore:
    """Return the encrypted file of the data directory."""
    return EncryptedFileSecretStore(_file_of(settings), keys)


def _file_of(settings: Settings) -> Path:
    return settings.data_dir / "secrets.enc"


def _vault_address(settings: Settings) -> str:
    wanted = {
        "SMOS_VAULT_ADDR": settings.vault_addr,
        "SMOS_VAULT_ROLE_ID": settings.vault_role_id,
        "SMOS_VAULT_SECRET_ID or SMOS_VAULT_SECRET_ID_FILE": settings.vault_secret_id or settings.vault_secret_id_file,
    }
    absent = [name for name, value in wanted.items() if not value]
    if settings.vault_addr is None or absent:
        raise ConfigError("vault_not_configured", f"SMOS_SECRETS=vault also needs {', '.join(absent)}.")
    url = urlsplit(settings.vault_addr)
    if url.scheme != "https" and not (url.scheme == "http" and url.hostname in _LOOPBACK):
        raise ConfigError(
            "vault_not_configured", "SMOS_VAULT_ADDR must begin with https://; http:// is for this machine only."
        )
    if settings.vault_ca_file is not None and not settings.vault_ca_file.is_file():
        raise ConfigError("vault_not_configured", f"SMOS_VAULT_CA_FILE {settings.vault_ca_file} is not there.")
    return settings.vault_addr.rstrip("/")


def _secret_id(settings: Settings) -> str:
    if settings.vault_secret_id is not None:
        return settings.vault_secret_id.get_secret_value()
    file = settings.vault_secret_id_file or Path()
    try:
        return file.read_text("ascii").strip()
    except (OSError, ValueError):
        raise ConfigError("vault_not_configured", f"SMOS_VAULT_SECRET_ID_FILE {file} cannot be read.") from None
