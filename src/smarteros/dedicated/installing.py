"""The settings of one tenant's own installation: a file that every process of it reads."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from smarteros.domain.errors import ConfigError
from smarteros.settings import Settings

FILE = ".env"
_PREFIX = "SMOS_"
# What two installations must not share, or what says where one of them is. Everything else is taken over.
_OWN = frozenset(
    {
        "host", "port", "public_url", "allowed_hosts", "data_dir", "database_url", "app_database_url", "secrets",
        "secrets_key", "secrets_key_file", "audit_key", "operator_token", "vault_addr", "vault_role_id",
        "vault_secret_id", "vault_secret_id_file", "vault_mount", "vault_ca_file", "contracts_dir",
    }
)  # fmt: skip
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=?&*-]*")
_HEAD = "# Settings of the installation of {tenant_id} alone; read by `smos` in this directory. Keep it private.\n"


class _OfFile(Settings):
    """Settings as a file says them: the environment of whoever asks is another installation's."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read what is given and the file, and nothing else."""
        del settings_cls, env_settings, file_secret_settings
        return (init_settings, dotenv_settings)


def own_settings(
    here: Settings, directory: Path, tenant_id: str, public_url: str | None, port: int | None, further: str | None
) -> Settings:
    """Return the settings of the installation in ``directory``; the first time they are made there.

    Everything that does not say where an installation is, and holds no key, is taken over from ``here``. ``further``
    is the text of an .env file with what is this one's own: its database, its secrets' mount. ConfigError:
    ``public_url_missing``, ``settings_invalid``, ``settings_there`` when they were made before and others are given.
    """
    directory = directory.absolute()
    file = directory / FILE
    if not file.exists():
        if not public_url:
            said = "Say with --public-url at which address Chatwoot will reach the tenant's own installation."
            raise ConfigError("public_url_missing", said)
        own: dict[str, Any] = {
            **{name: getattr(here, name) for name in here.model_fields_set - _OWN},
            "contracts_dir": here.contracts_dir.absolute(),
            "public_url": public_url.rstrip("/"),
            "port": here.port + 1 if port is None else port,
            "data_dir": directory,
        }
        values = {f"{_PREFIX}{name.upper()}": _text(value) for name, value in own.items() if value is not None}
        _write(file, tenant_id, values | _further(further))
    elif further is not None or port is not None:
        raise ConfigError("settings_there", f"{file} is there already: change it instead of giving other settings.")
    settings = _read(file)
    if public_url and settings.public_url != public_url.rstrip("/"):
        raise ConfigError("settings_there", f"{file} says that its address is {settings.public_url}.")
    return settings


def _read(file: Path) -> Settings:
    try:
        return _OfFile(_env_file=file)  # pyright: ignore[reportCallIssue]
    except ValidationError as error:
        names = ", ".join(sorted({f"{_PREFIX}{each['loc'][0]}".upper() for each in error.errors()}))
        raise ConfigError("settings_invalid", f"{file}: {names} cannot be used.") from None


def _further(text: str | None) -> dict[str, str]:
    given = dotenv_values(stream=io.StringIO(text or ""), interpolate=False)
    unknown = [name for name in given if not name.startswith(_PREFIX)]
    if unknown:
        raise ConfigError("settings_invalid", f"Settings begin with {_PREFIX}; {', '.join(unknown)} does not.")
    return {name: value for name, value in given.items() if value is not None}


def _write(file: Path, tenant_id: str, values: Mapping[str, str]) -> None:
    lines = [f"{name}={_quoted(value)}\n" for name, value in sorted(values.items())]
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(_HEAD.format(tenant_id=tenant_id) + "".join(lines), "utf-8")
    except OSError as error:
        raise ConfigError("data_dir_unusable", f"{file} cannot be written: {error.strerror}.") from error


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _text(value: Any) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case bool():
            return str(value).lower()
        case tuple():
            return ",".join(str(item) for item in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case dict():
            return json.dumps({name: _text(item) for name, item in value.items()})  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case Path():
            return str(value.absolute())
        case _:
            return str(value)
