"""Restoring: beside the data first, checked there, and moved into its place when everything is right.

Nothing is ever written over an installation. What is checked: the hashes of the files, the rows of every table, the
audit chains from their beginning to the ends the backup saw, and that the secrets open with the key. A chain that was
broken before is restored as it was, and said.
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Literal

from smarteros.backup.archive import unpack
from smarteros.backup.manifest import CONTRACTS, DATABASE, KEY_FILES, SECRETS, Manifest, Restored, file_hash
from smarteros.contracts.lint import contract_files
from smarteros.domain.audit import SECURITY_TOPIC, AuditEvent
from smarteros.domain.audit_chain import AuditSeal, ChainFinding, ChainReport
from smarteros.domain.errors import ConfigError
from smarteros.secrets.opening import secret_keys, secrets_file
from smarteros.settings import Settings
from smarteros.store.audit import append_event
from smarteros.store.audit_chain import chain_tenants, verify_chain
from smarteros.store.database import knows_revision, migrate, owner_engine
from smarteros.store.dump import has_schema, load, owner_connection, row_counts
from smarteros.store.turns import doubt_waiting

# The directory's own data comes last: with it there is an installation.
_PLACES = (*KEY_FILES, CONTRACTS, SECRETS, "postgres")
_STAGE = ".restoring-"
# Fits no seal that a key has signed.
_NO_SEAL = AuditSeal(("",))

OpenDatabase = Callable[[Settings], AbstractContextManager[str]]
"""Opens the PostgreSQL that settings name and gives its owner's URL."""


def restore(
    settings: Settings,
    archive: Path,
    opened: OpenDatabase,
    seal_of: Callable[[Settings], AuditSeal | None],
    now: datetime,
    *,
    keys: Path | None = None,
    with_secrets: bool = True,
) -> Restored:
    """Restore an installation into the data directory of ``settings``, or its database into the one they name.

    ``keys`` is a folder with the key files; without it those of the data directory or the settings are used.
    ConfigError: ``data_there`` when there is an installation already, ``backup_damaged``, ``backup_too_new``,
    ``secrets_key_needed``, ``secrets_key_wrong``, or ``restore_differs``. Then the data directory is as it was before.
    """
    _require_empty(settings.data_dir)
    with _stage(settings.data_dir) as stage:
        manifest = unpack(archive, stage)
        if not knows_revision(manifest.revision):
            said = f"{archive} is of version {manifest.version}; restore it with that one or a newer."
            raise ConfigError("backup_too_new", said)
        _bring_keys(stage, settings.data_dir, keys)
        staged = settings.model_copy(update={"data_dir": stage})
        secrets = _check_secrets(staged, manifest, with_secrets=with_secrets)
        seal = seal_of(staged)
        with opened(staged) as owner_url:
            _load(owner_url, stage / DATABASE, manifest)
            audit = _check_audit(owner_url, manifest, seal)
            migrate(owner_url)
            waiting = _take_up(owner_url, archive, manifest, now)
        _move(stage, settings.data_dir)
    return Restored(
        data_dir=settings.data_dir,
        made_at=manifest.made_at,
        version=manifest.version,
        rows=sum(manifest.rows.values()),
        chains=len(audit),
        audit_events=sum(report.events for report in audit),
        audit_findings=tuple(_said(report.tenant_id, finding) for report in audit for finding in report.findings),
        sealed=seal is not None,
        secrets=secrets,
        waiting_turns=waiting,
        contracts_differ=_other_contracts(settings, manifest),
    )


def _require_empty(data_dir: Path) -> None:
    held = [name for name in _PLACES if name not in KEY_FILES and (data_dir / name).exists()]
    if held:
        raise ConfigError(
            "data_there", f"{data_dir} holds data already ({', '.join(held)}); restore into another directory."
        )


@contextmanager
def _stage(data_dir: Path) -> Generator[Path]:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(dir=data_dir, prefix=_STAGE))
    except OSError as error:
        raise ConfigError("data_dir_unusable", f"Cannot write to {data_dir}: {error.strerror}.") from error
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _move(stage: Path, data_dir: Path) -> None:
    for name in _PLACES:
        if (stage / name).exists() and not (data_dir / name).exists():
            (stage / name).rename(data_dir / name)


def _bring_keys(stage: Path, data_dir: Path, keys: Path | None) -> None:
    for name in KEY_FILES:
        found = next((f / name for f in (data_dir, keys) if f is not None and (f / name).is_file()), None)
        if found is not None:
            shutil.copy2(found, stage / name)


def _check_secrets(
    staged: Settings, manifest: Manifest, *, with_secrets: bool
) -> Literal["opened", "left_out", "vault", "none"]:
    if manifest.secrets != "file":
        return manifest.secrets
    if not with_secrets:
        (staged.data_dir / SECRETS).unlink()
        return "left_out"
    if staged.secrets_key is None and staged.secrets_key_file is None and not (staged.data_dir / KEY_FILES[0]).exists():
        raise ConfigError(
            "secrets_key_needed",
            "The backup's secrets need the key they were encrypted with: --keys DIR with secrets.key in it, or"
            " SMOS_SECRETS_KEY. If it is lost, --without-secrets restores the rest.",
        )
    if not secrets_file(staged, secret_keys(staged)).answers():
        raise ConfigError("secrets_key_wrong", "The backup's secrets do not open with the key that was given.")
    return "opened"


def _load(owner_url: str, file: Path, manifest: Manifest) -> None:
    with owner_connection(owner_url) as connection:
        if has_schema(connection):
            raise ConfigError("data_there", "The database holds an installation already; restore into an empty one.")
    load(owner_url, file)
    with owner_connection(owner_url) as connection:
        found = row_counts(connection)
    differing = {name for name in found.keys() | manifest.rows.keys() if found.get(name) != manifest.rows.get(name)}
    if differing:
        tables = ", ".join(sorted(differing))
        raise ConfigError("restore_differs", f"Not as many rows were restored as were backed up: {tables}.")


def _check_audit(owner_url: str, manifest: Manifest, seal: AuditSeal | None) -> list[ChainReport]:
    """Verify every chain up to the end the backup saw. How long ago a worker sealed it says nothing here."""
    not_asked = {"unsealed"} if seal is not None else {"unsealed", "seal_broken"}
    with owner_connection(owner_url) as connection:
        tenants = {*chain_tenants(connection), *manifest.heads}
    owner = owner_engine(owner_url)
    reports: list[ChainReport] = []
    try:
        for tenant_id in sorted(tenants):
            earlier = (manifest.heads[tenant_id],) if tenant_id in manifest.heads else ()
            with owner.begin() as connection:
                report = verify_chain(connection, tenant_id, seal or _NO_SEAL, manifest.made_at, earlier)
            findings = tuple(finding for finding in report.findings if finding.kind not in not_asked)
            reports.append(report.model_copy(update={"findings": findings}))
    finally:
        owner.dispose()
    return reports


def _said(tenant_id: str, finding: ChainFinding) -> str:
    return f"{tenant_id}: {finding.kind} at {finding.position}: {finding.said}"


def _take_up(owner_url: str, archive: Path, manifest: Manifest, now: datetime) -> int:
    """Let what has happened since the backup count, and write the restore into the audit; returns the waiting turns."""
    event = AuditEvent(
        event_id=f"restored:{uuid.uuid4().hex}",
        topic=SECURITY_TOPIC,
        kind="installation_restored",
        tenant_id=None,
        timestamp=now,
        details={"made_at": manifest.made_at.isoformat(), "version": manifest.version, "sha256": file_hash(archive)},
    )
    owner = owner_engine(owner_url)
    try:
        with owner.begin() as connection:
            append_event(connection, event)
            return doubt_waiting(connection)
    finally:
        owner.dispose()


def _other_contracts(settings: Settings, manifest: Manifest) -> tuple[str, ...]:
    here = {path.name: file_hash(path) for path in contract_files(settings.contracts_dir) if path.is_file()}
    names = here.keys() | manifest.contracts.keys()
    return tuple(sorted(name for name in names if here.get(name) != manifest.contracts.get(name)))
