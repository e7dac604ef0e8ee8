"""``smos restore``: an installation from a backup, into an empty place, checked."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smarteros.cli.options import AsJson, settings_with
from smarteros.settings import Settings

if TYPE_CHECKING:
    from smarteros.backup.manifest import Restored
    from smarteros.domain.audit_chain import AuditSeal


def restore(
    source: Annotated[Path, typer.Option("--from", help="File that `smos backup` wrote.", exists=True)],
    data_dir: Annotated[Path, typer.Option(help="Data directory to restore into; it may hold key files, no data.")],
    keys: Annotated[
        Path | None, typer.Option(help="Folder with secrets.key and audit.key of the installation.", exists=True)
    ] = None,
    without_secrets: Annotated[
        bool, typer.Option("--without-secrets", help="Leave the secrets out, because their key is lost.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Restore an installation and check it: hashes, rows of every table, audit chains, and that the secrets open.

    It refuses to touch data that is there. With SMOS_DATABASE_URL the database goes into that one, which must be empty.
    Stop the old installation first: two of them would answer the same customers. Exit code 1 when an audit chain was
    not whole already in the backup; the installation is restored nevertheless.
    """
    from smarteros.backup import restoring

    restored = restoring.restore(
        settings_with(data_dir),
        source,
        _opened,
        _seal,
        datetime.now(UTC),
        keys=keys,
        with_secrets=not without_secrets,
    )
    if as_json:
        typer.echo(restored.model_dump_json(indent=2))
    else:
        _print(restored)
    if restored.audit_findings:
        raise typer.Exit(1)


@contextmanager
def _opened(settings: Settings) -> Generator[str]:
    from smarteros.bootstrap.services import database_urls

    with ExitStack() as stack:
        owner_url, _ = database_urls(settings, stack)
        yield owner_url


def _seal(settings: Settings) -> AuditSeal | None:
    """Return what seals the audit if its key is there; none is made."""
    from smarteros.bootstrap.audit import audit_seal

    has_key = settings.audit_key is not None or (settings.data_dir / "audit.key").exists()
    return audit_seal(settings) if has_key else None


def _print(restored: Restored) -> None:
    typer.echo(
        f"{restored.data_dir}: restored as of {restored.made_at:%Y-%m-%d %H:%M:%S} UTC (version {restored.version}):"
        f" {restored.rows} rows, {restored.audit_events} audit events in {restored.chains} chains,"
        f" secrets: {restored.secrets}; {restored.waiting_turns} turns go on at the start."
    )
    for finding in restored.audit_findings:
        typer.echo(f"The audit was not whole in the backup: {finding}", err=True)
    if not restored.sealed:
        typer.echo(
            "The key of the audit's seals was not there, so seals were not checked: `smos audit reseal` signs anew."
        )
    if restored.contracts_differ:
        typer.echo(
            f"Other contracts than those here: {', '.join(restored.contracts_differ)}."
            f" The backup's are in {restored.data_dir / 'contracts'} (SMOS_CONTRACTS_DIR)."
        )
