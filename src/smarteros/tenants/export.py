"""Everything held of a tenant, written to a directory for whoever it belongs to.

One JSONL file for each table that has rows of the tenant, its settings, and last a manifest with the files' hashes: a
directory without a manifest is an export that did not finish. What opens something is left out, and the manifest says
so: secrets, hashes of passwords and tokens, the keys of contacts, and the unguessable part of the webhook URL.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from smarteros import __version__
from smarteros.domain.errors import ConfigError
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.kit.exported_json import inert
from smarteros.secrets.protocol import SecretKeeper
from smarteros.store.database import Database
from smarteros.tenants.held_rows import HeldTable, held_tables, quoted

SETTINGS_FILE = "settings.json"
MANIFEST_FILE = "manifest.json"
_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"


class ExportedFile(Model):
    """A file of an export; ``rows`` is None for one that is no table. ``left_out`` are columns that open something."""

    name: str
    rows: int | None
    bytes: int
    sha256: str
    left_out: tuple[str, ...] = ()


class KeptSecretName(Model):
    """A secret the tenant has; its value is in no export."""

    path: str
    written_at: datetime | None


class Manifest(Model):
    """What an export holds. All tables are as they were at one instant, at or after ``exported_at``."""

    tenant_id: str
    exported_at: datetime
    version: str
    files: tuple[ExportedFile, ...]
    secrets_left_out: tuple[KeptSecretName, ...]


def export_tenant(database: Database, secrets: SecretKeeper, tenant: Tenant, directory: Path) -> Manifest:
    """Write everything held of a tenant; only this user may read the files.

    ConfigError(code ``export_exists``) when there is something in the directory already, and ``export_unwritable``.
    """
    exported_at = datetime.now(UTC)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if next(directory.iterdir(), None) is not None:
            raise ConfigError("export_exists", f"{directory} is not empty; an export begins with an empty directory.")
        files = [_settings(tenant, directory / SETTINGS_FILE)]
        with database.tenant(tenant.scope) as connection:
            connection.exec_driver_sql(_SNAPSHOT)
            for table in held_tables(connection):
                if table.name != "tenants":
                    files.append(_table(connection, table, tenant, directory / f"{table.name}.jsonl"))
        manifest = Manifest(
            tenant_id=tenant.tenant_id,
            exported_at=exported_at,
            version=__version__,
            files=tuple(sorted(files, key=lambda file: file.name)),
            secrets_left_out=tuple(
                KeptSecretName(path=entry.path, written_at=entry.written_at) for entry in secrets.entries(tenant.scope)
            ),
        )
        _private(directory / MANIFEST_FILE, inert(manifest.model_dump_json(indent=2)) + "\n")
    except OSError as error:
        raise ConfigError("export_unwritable", f"{directory} cannot be written: {error.strerror}.") from error
    return manifest


def _settings(tenant: Tenant, path: Path) -> ExportedFile:
    settings = tenant.model_dump(mode="json", exclude={"tenant_key"})
    text = inert(json.dumps(settings, ensure_ascii=False, indent=2)) + "\n"
    _private(path, text)
    content = text.encode()
    return ExportedFile(
        name=path.name,
        rows=None,
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        left_out=("tenant_key",),
    )


def _table(connection: sa.Connection, table: HeldTable, tenant: Tenant, path: Path) -> ExportedFile:
    shown = ", ".join(f"'{name}', {quoted(name)}" for name in table.columns if name not in table.credentials)
    order = f" ORDER BY {', '.join(quoted(name) for name in table.key)}" if table.key else ""
    # Names come from the database itself and are quoted; the tenant is a parameter.
    statement = f"SELECT json_build_object({shown})::text FROM {table.qualified} WHERE {table.is_held}{order}"  # noqa: S608
    digest, rows, size = hashlib.sha256(), 0, 0
    found = connection.execution_options(yield_per=500).execute(sa.text(statement), {"tenant_id": tenant.tenant_id})
    _private(path, "")
    with path.open("wb") as file:
        for (row,) in found:
            line = inert(row).encode() + b"\n"
            file.write(line)
            digest.update(line)
            rows, size = rows + 1, size + len(line)
    return ExportedFile(name=path.name, rows=rows, bytes=size, sha256=digest.hexdigest(), left_out=table.credentials)


def _private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, "utf-8")
