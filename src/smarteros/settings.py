"""Settings of one installation, read from ``SMOS_*`` environment variables, and from the project's ``.env``."""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from smarteros.domain.errors import ConfigError

# What a process does: take webhooks and requests in, run turns, or both.
Role = Literal["all", "edge", "worker"]
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


# The contracts that come with us, as `smos init` copies them.
_PACKAGED_CONTRACTS = Path(__file__).parent / "project" / "template" / "contracts"
_SETTINGS_FILE = "SMOS_SETTINGS_FILE"
_PATHS: tuple[Any, ...] = (Path, Path | None)
_JSON_LIST = re.compile(r'\s*\[\s*["\]]')
_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?", re.IGNORECASE)


def settings_file() -> Path | None:
    """Return the file with the project's settings: SMOS_SETTINGS_FILE (empty: none), else ``.env`` where we are."""
    named = os.environ.get(_SETTINGS_FILE)
    return Path(".env") if named is None else Path(named) if named else None


@contextmanager
def without_settings_file() -> Generator[None]:
    """Read no settings file in this block, nor in processes it starts: only the environment counts."""
    before = os.environ.get(_SETTINGS_FILE)
    os.environ[_SETTINGS_FILE] = ""
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SETTINGS_FILE]
        else:
            os.environ[_SETTINGS_FILE] = before


def default_contracts_dir() -> Path:
    """Return ``contracts/`` beside the settings file if it holds contracts, else those that come with us."""
    own = (settings_file() or Path(".env")).parent / "contracts"
    return own if any(own.glob("*.yml")) else _PACKAGED_CONTRACTS


class _SettingsFile(DotEnvSettingsSource):
    """The project's settings file. Relative paths in it start where it lies, not where the command is run."""

    def __init__(self, settings_cls: type[BaseSettings], file: Path | None) -> None:
        super().__init__(settings_cls, env_file=file)
        self._base = Path() if file is None else file.parent

    def __call__(self) -> dict[str, Any]:
        values = super().__call__()
        for name, field in self.settings_cls.model_fields.items():
            if values.get(name) and field.annotation in _PATHS:
                values[name] = self._base / values[name]
        return values


class ProjectSettings(BaseSettings):
    """Settings that are read from the environment and, below it, from the project's settings file.

    Raises ConfigError(code ``setting_invalid``), which names what is amiss and never its value: it may be a secret.
    """

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            amiss = error.errors(include_input=False, include_url=False, include_context=False)
            said = "; ".join(
                f"{self._variable(each['loc'])}: {each['msg'].removeprefix('Value error, ')}" for each in amiss
            )
            raise ConfigError("setting_invalid", f"{said}.") from None
        except SettingsError as error:
            raise ConfigError("setting_invalid", f"A setting is not written as it must be: {error}.") from None

    @classmethod
    def _variable(cls, place: tuple[int | str, ...]) -> str:
        return f"{cls.model_config.get('env_prefix', '')}{place[0]}".upper() if place else cls.__name__

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the file is known only now, not when we are imported
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Look for the file at the moment the settings are made."""
        return init_settings, env_settings, _SettingsFile(settings_cls, settings_file()), file_secret_settings


class Settings(ProjectSettings):
    """One installation. Secrets of tenants are not settings; they live in the SecretStore."""

    model_config = SettingsConfigDict(env_prefix="SMOS_", extra="ignore")

    host: str = Field(default="127.0.0.1", description="Address to listen on; loopback unless told otherwise")
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str | None = Field(default=None, description="URL under which Chatwoot reaches this server")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Host names /mcp may be asked by, with commas; loopback and public_url's always are"
    )
    private_hosts: Annotated[tuple[str, ...] | None, NoDecode] = Field(
        default=None,
        description="Hosts with private addresses that may be asked, with commas; unset lets every private host be",
    )
    requests_per_minute: int = Field(
        default=100,
        ge=1,
        le=1_000_000,
        description="A tenant's messages, and as many requests of its programs, in one process",
    )
    data_dir: Path = Field(default=Path(".smos"), description="Embedded PostgreSQL, secrets file")
    database_url: str | None = Field(
        default=None, description="SQLAlchemy URL of a PostgreSQL owner role; unset means the embedded server"
    )
    app_database_url: str | None = Field(default=None, description="The same database as role smos_app")
    contracts_dir: Path = Field(default_factory=default_contracts_dir)
    secrets: Literal["file", "vault"] = Field(default="file", description="Where the tenants' secrets are kept")
    secrets_key: SecretStr | None = Field(
        default=None, description="Fernet key of the encrypted secrets file; while it is changed NEW,OLD"
    )
    secrets_key_file: Path | None = Field(
        default=None, description="File with that key, outside the data directory; unset means one beside the data"
    )
    vault_addr: str | None = Field(default=None, description="Vault or OpenBao, for example https://vault.lan:8200")
    vault_role_id: str | None = Field(default=None, description="AppRole of this installation")
    vault_secret_id: SecretStr | None = None
    vault_secret_id_file: Path | None = Field(default=None, description="File with the secret id, read at every login")
    vault_mount: str = Field(default="secret", pattern="^[a-z0-9_-]{1,64}$", description="Key-value engine, version 2")
    vault_ca_file: Path | None = Field(default=None, description="PEM of the authority of Vault's certificate")
    audit_key: SecretStr | None = Field(
        default=None,
        description="Seals the audit, the same in all processes; while it is changed NEW,OLD; unset means a file",
    )
    audit_keep_days: int | None = Field(
        default=None, ge=30, le=36_500, description="Audit events are removed after so long; unset keeps them"
    )
    bus: Literal["none", "kafka", "redpanda-http"] = Field(
        default="none", description="Where audit events go; none leaves them in the outbox for outbox_keep_days"
    )
    kafka_brokers: str | None = Field(default=None, description="host:port, several with commas")
    kafka_options: dict[str, SecretStr] = Field(
        default={}, description='librdkafka\'s own, as JSON: {"security.protocol": "SASL_SSL", "sasl.password": "..."}'
    )
    redpanda_url: str | None = Field(default=None, description="Redpanda's HTTP proxy, for example http://bus.lan:8082")
    redpanda_credentials: SecretStr | None = Field(default=None, description="user:password for that proxy")
    outbox_keep_days: int = Field(
        default=7, ge=1, le=3650, description="Without a bus, how long audit events stay in the outbox"
    )
    otlp_url: str | None = Field(
        default=None, description="OTLP collector of traces, for example http://collector:4318/v1/traces"
    )
    operator_token: SecretStr | None = Field(default=None, description="Bearer of the operator's API")
    brain: Literal["words", "lite", "full"] = Field(
        default="full", description="Which sentence encoders the embedded brain uses: none, the small one, both"
    )
    timbre_keys: Path | None = Field(
        default=None, description="Keys of a test authority for timbres; unset means SII's own and no others"
    )
    vision_url: str = "https://vision.googleapis.com"
    shopify_api_version: str = Field(
        default="2026-10",
        pattern=r"^20\d\d-(01|04|07|10)$",
        description="Version of Shopify's APIs; each is supported for twelve months",
    )
    reconcile_answer_within_min: int = Field(
        default=30, ge=5, le=1440, description="A message found late is answered up to this age, in minutes"
    )
    reconcile_apologise_within_h: int = Field(
        default=24, ge=1, le=24, description="An older one is apologised for and handed over up to this age, in hours"
    )
    shadow: Literal["native"] | None = Field(
        default=None, description="A second agent that decides live turns along, unheard"
    )
    shadow_contracts: Path | None = Field(
        default=None, description="Contracts whose examples the second agent learns; unset means the same ones"
    )
    queue_poll_ms: int = Field(
        default=500, ge=5, le=5000, description="Workers are woken by PostgreSQL; so often they look all the same"
    )
    drain_s: int = Field(default=10, ge=1, le=300, description="How long running turns may take to finish at a stop")
    document_workers: int = Field(
        default=2, ge=1, le=16, description="Processes that read photos, at most; each takes 0.2 to 0.7 GB"
    )
    warm_documents: bool = Field(
        default=True, description="Load what reads photos at the start; otherwise the first photo waits for it"
    )
    worker_threads: int = Field(default=8, ge=1, le=128)

    page_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Like http://site.lan:8090, with commas: shops' pages are read there though the address is private",
    )

    @field_validator("allowed_hosts", "page_origins", "private_hosts", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        """Read a list with commas, or one written as JSON."""
        if not isinstance(value, str):
            return value
        if _JSON_LIST.match(value):
            try:
                return json.loads(value)
            except ValueError:
                raise ValueError("is neither a list with commas nor one of JSON") from None
        return [name.strip() for name in value.split(",") if name.strip()]

    @field_validator("private_hosts")
    @classmethod
    def _hosts_only(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """Refuse what would match no host: an address with scheme or port, a pattern, a whole network."""
        for host in value or ():
            if not (_HOST_NAME.fullmatch(host) or _is_address(host)):
                raise ValueError(f"{host!r} is not the bare name or address of a host, like chat.lan or 10.0.0.5")
        return value

    @property
    def people_url(self) -> str:
        """The address at which people open our console."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def is_installed(self) -> bool:
        """Whether there is an installation, or opening one would make it."""
        return self.database_url is not None or (self.data_dir / "postgres").is_dir()

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host names that requests which a browser could forge may be addressed to."""
        public = urlsplit(self.public_url).hostname if self.public_url else None
        return tuple(dict.fromkeys((*self.allowed_hosts, *((public,) if public else ()), *_LOOPBACK)))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
