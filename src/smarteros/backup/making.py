"""Making a backup while everything runs: the database at one instant, the encrypted secrets, the contracts."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Literal

from smarteros import __version__
from smarteros.backup.manifest import (
    CONTRACTS,
    DATABASE,
    KEY_FILES,
    MANIFEST,
    SECRETS,
    BackedUpFile,
    Made,
    Manifest,
    file_hash,
)
from smarteros.contracts.lint import contract_files
from smarteros.domain.errors import ConfigError
from smarteros.settings import Settings
from smarteros.store.dump import dump, has_schema, owner_connection, snapshot


def make_backup(settings: Settings, owner_url: str, target: Path, now: datetime) -> Made:
    """Write the backup; the file is there when it is whole, and only this user may read it.

    ConfigError: ``backup_exists``, ``nothing_to_back_up``, ``backup_unwritable``, or why the database refused.
    """
    if target.exists():
        raise ConfigError("backup_exists", f"{target} is there already; a backup never replaces another one.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Beside the target: it has the space, and the finished file gets its name in one move.
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as work:
            manifest = _gather(settings, owner_url, Path(work), now)
            archive = Path(work) / "archive.tar"
            _pack(Path(work), manifest, archive)
            archive.rename(target)
    except OSError as error:
        raise ConfigError("backup_unwritable", f"{target} cannot be written: {error.strerror}.") from error
    return Made(file=target, bytes=target.stat().st_size, manifest=manifest, keys=_keys(settings))


def _gather(settings: Settings, owner_url: str, work: Path, now: datetime) -> Manifest:
    with owner_connection(owner_url) as connection:
        if not has_schema(connection):
            raise ConfigError("nothing_to_back_up", "The database holds no installation yet.")
        seen = snapshot(connection)
        dump(owner_url, seen.name, work / DATABASE)
    kept = settings.data_dir / SECRETS
    if settings.secrets == "file" and kept.exists():
        shutil.copyfile(kept, work / SECRETS)  # it is only ever replaced in one move
    (work / CONTRACTS).mkdir()
    for contract in contract_files(settings.contracts_dir):
        shutil.copyfile(contract, work / CONTRACTS / contract.name)
    files = sorted(path for path in work.rglob("*") if path.is_file())
    return Manifest(
        made_at=now,
        version=__version__,
        revision=seen.revision,
        files=tuple(
            BackedUpFile(path=path.relative_to(work).as_posix(), bytes=path.stat().st_size, sha256=file_hash(path))
            for path in files
        ),
        rows=dict(seen.rows),
        heads=dict(seen.heads),
        secrets=_secrets_kind(settings, work),
    )


def _secrets_kind(settings: Settings, work: Path) -> Literal["file", "vault", "none"]:
    if settings.secrets == "vault":
        return "vault"
    return "file" if (work / SECRETS).exists() else "none"


def _pack(work: Path, manifest: Manifest, archive: Path) -> None:
    archive.touch(mode=0o600)
    with tarfile.open(archive, "w") as tar:
        text = (manifest.model_dump_json(indent=2) + "\n").encode()
        first = tarfile.TarInfo(MANIFEST)
        first.size, first.mode, first.mtime = len(text), 0o600, int(manifest.made_at.timestamp())
        tar.addfile(first, io.BytesIO(text))
        for file in manifest.files:
            tar.add(work / file.path, arcname=file.path, recursive=False)


def _keys(settings: Settings) -> tuple[str, ...]:
    """Name where the keys of this installation are."""
    beside = [str(settings.data_dir / name) for name in KEY_FILES if (settings.data_dir / name).exists()]
    given = {
        "SMOS_SECRETS_KEY": settings.secrets_key,
        str(settings.secrets_key_file): settings.secrets_key_file,
        "SMOS_AUDIT_KEY": settings.audit_key,
    }
    return (*beside, *(name for name, value in given.items() if value is not None))
