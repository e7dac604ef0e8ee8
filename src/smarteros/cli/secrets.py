"""``smos secrets``: a shop's secrets are set, listed and changed here, and never shown."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Collection, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from smarteros.cli.files import read_text
from smarteros.cli.options import AsJson, DataDir, duration, settings_with
from smarteros.cli.tables import print_table
from smarteros.domain.audit import SECURITY_TOPIC, AuditEvent
from smarteros.domain.errors import ConfigError
from smarteros.domain.secret_paths import PROVEN_WITH, SECRET_PATHS
from smarteros.domain.tenants import TenantScope
from smarteros.secrets.stored import fingerprint
from smarteros.store.audit import append_event

if TYPE_CHECKING:
    from smarteros.bootstrap import Services
    from smarteros.secrets.stored import SecretEntry

app = typer.Typer(help="Set, list and change the secrets of shops. Values are never shown.", no_args_is_help=True)
TenantId = Annotated[str, typer.Option("--tenant", help="Whose secrets.")]
SecretPath = Annotated[str, typer.Argument(metavar="PATH", help=f"One of: {', '.join(SECRET_PATHS)}.")]
_LONGEST_OVERLAP = timedelta(days=7)


@app.command(name="list")
def list_(tenant: TenantId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List a shop's secrets: path, age and fingerprint, which is the same as long as the value is."""
    with _open(tenant, data_dir) as (services, scope):
        entries = services.secrets.entries(scope)
    if as_json:
        typer.echo(json.dumps([entry.model_dump(mode="json") for entry in entries]))
        return
    table = Table("secret", "age", "fingerprint", "the one before it is accepted until")
    for entry in entries:
        table.add_row(entry.path, _age(entry), entry.fingerprint, _minute(entry.previous_until))
    print_table(table)


@app.command(name="set")
def set_(tenant: TenantId, path: SecretPath, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Set a secret. Its value is read from standard input, or asked for.

    An argument would be seen by everybody on the machine. The value before it is not accepted from then on.
    """
    value = _asked_value(path)
    with _open(tenant, data_dir, changes=True) as (services, scope):
        services.secrets.write(scope, path, value)
        _audit(services, scope, path, value, "set")
        changed = _entries(services, scope, [path])
    _print_changed(tenant, changed, as_json=as_json)


@app.command()
def rotate(
    tenant: TenantId,
    path: SecretPath,
    overlap: Annotated[str, typer.Option(help="How long the old value is accepted too, like 30m, 24h, 7d.")] = "24h",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Set a secret others prove themselves with, and accept the old value for a while. No restart is needed.

    The new value is read from standard input, or asked for.
    """
    length = duration(overlap, option="--overlap", at_most=_LONGEST_OVERLAP)
    if path not in PROVEN_WITH:
        names = ", ".join(PROVEN_WITH)
        raise typer.BadParameter(f"old and new are both accepted of {names} only; use `set`", param_hint="PATH")
    value = _asked_value(path)
    with _open(tenant, data_dir, changes=True) as (services, scope):
        services.secrets.rotate(scope, path, value, length)
        _audit(services, scope, path, value, "rotated")
        changed = _entries(services, scope, [path])
    _print_changed(tenant, changed, as_json=as_json)


@app.command(name="import")
def import_(
    tenant: TenantId,
    file: Annotated[str, typer.Argument(help="An .env or JSON file; - is standard input.")],
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Set all secrets a file names, and tell which names are unknown. Exit code 1 when it names none that we know.

    ``SHOPIFY_ADMIN_TOKEN=...`` and ``{"shopify": {"admin_token": "..."}}`` are ``shopify/admin_token``.
    """
    from smarteros.secrets.importing import read_secrets

    found = read_secrets(read_text(file, "secrets_unreadable"))
    with _open(tenant, data_dir, changes=True) as (services, scope):
        for path, value in found.values.items():
            services.secrets.write(scope, path, value)
            _audit(services, scope, path, value, "imported")
        changed = _entries(services, scope, found.values)
    if as_json:
        entries = [entry.model_dump(mode="json") for entry in changed]
        typer.echo(json.dumps({"imported": entries, "unknown": found.unknown, "empty": found.empty}))
    else:
        _print_changed(tenant, changed, as_json=False)
        for what, names in (("unknown, not imported", found.unknown), ("without a value", found.empty)):
            for name in names:
                typer.echo(f"{what}: {name}", err=True)
    if not found.values:
        raise typer.Exit(1)


@app.command(name="rotate-key")
def rotate_key(data_dir: DataDir = None) -> None:
    """Encrypt the secrets file with a new key. Processes that run go on when the key is in a file.

    With SMOS_SECRETS_KEY=NEW,OLD the file is encrypted with the first key; then OLD may go. Bearer tokens and the
    operator's token are derived from the key: they change with the next restart.
    """
    from smarteros.secrets.opening import secret_keys, secrets_file

    settings = settings_with(data_dir)
    if settings.secrets != "file":
        raise ConfigError("secrets_key_unused", "The secrets are in Vault, which has keys of its own.")
    secrets_file(settings, secret_keys(settings)).rotate_key()
    typer.echo("The secrets file is encrypted with the new key. Restart the processes to change the tokens' key too.")


@app.command(name="new-key")
def new_key() -> None:
    """Print a new key for SMOS_SECRETS_KEY or SMOS_SECRETS_KEY_FILE. It is kept nowhere else."""
    from cryptography.fernet import Fernet

    typer.echo(Fernet.generate_key().decode())


@contextmanager
def _open(tenant: str, data_dir: Path | None, *, changes: bool = False) -> Generator[tuple[Services, TenantScope]]:
    from smarteros.bootstrap import open_services

    with open_services(settings_with(data_dir)) as services:
        found = services.tenants.get_to_change if changes else services.tenants.get
        yield services, found(tenant).scope


def _asked_value(path: str) -> str:
    from smarteros.secrets.importing import LONGEST_VALUE, usable_value

    if path not in SECRET_PATHS:
        raise typer.BadParameter(f"one of {', '.join(SECRET_PATHS)}", param_hint="PATH")
    if sys.stdin.isatty():
        return usable_value(typer.prompt(path, hide_input=True), path)
    return usable_value(sys.stdin.read(LONGEST_VALUE + 2), path)


def _audit(services: Services, scope: TenantScope, path: str, value: str, change: str) -> None:
    """Write down what was changed, by fingerprint."""
    event = AuditEvent(
        event_id=f"secret:{uuid.uuid4().hex}",
        topic=SECURITY_TOPIC,
        kind="secret_changed",
        tenant_id=scope.tenant_id,
        timestamp=datetime.now(UTC),
        details={"path": path, "change": change, "fingerprint": fingerprint(scope, path, value)},
    )
    with services.database.tenant(scope) as connection:
        append_event(connection, event)


def _entries(services: Services, scope: TenantScope, paths: Collection[str]) -> list[SecretEntry]:
    return [entry for entry in services.secrets.entries(scope) if entry.path in paths]


def _print_changed(tenant: str, changed: list[SecretEntry], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([entry.model_dump(mode="json") for entry in changed]))
        return
    for entry in changed:
        until = f"; the one before it is accepted until {_minute(entry.previous_until)}" if entry.previous_until else ""
        typer.echo(f"{tenant}: {entry.path} is set ({entry.fingerprint}){until}")


def _age(entry: SecretEntry) -> str:
    if entry.written_at is None:
        return "?"
    age = datetime.now(UTC) - entry.written_at
    return f"{age.days} d" if age.days else f"{age.seconds // 3600} h {age.seconds // 60 % 60} min"


def _minute(instant: datetime | None) -> str:
    return "" if instant is None else instant.strftime("%Y-%m-%d %H:%M UTC")
