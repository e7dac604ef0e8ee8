"""``smos backup``: the whole installation in one file, while it runs."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from smarteros.cli.options import AsJson, DataDir, settings_with
from smarteros.domain.errors import ConfigError


def backup(
    to: Annotated[Path, typer.Option("--to", help="File to write; it must not be there yet.")],
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Write database, encrypted secrets and contracts into one file, as they are at one instant.

    The processes go on. The keys that open the secrets and seal the audit are NOT in it: keep them elsewhere, because
    without them the secrets of a backup are lost.
    """
    from smarteros.backup.making import make_backup
    from smarteros.bootstrap.services import database_urls

    settings = settings_with(data_dir)
    if settings.database_url is None and not (settings.data_dir / "postgres" / "cluster").is_dir():
        raise ConfigError("nothing_to_back_up", f"{settings.data_dir} holds no installation.")
    with ExitStack() as stack:
        owner_url, _ = database_urls(settings, stack)
        made = make_backup(settings, owner_url, to, datetime.now(UTC))
    if as_json:
        typer.echo(made.model_dump_json(indent=2))
        return
    held = made.manifest
    typer.echo(
        f"{to}: {made.bytes} bytes, {sum(held.rows.values())} rows in {len(held.rows)} tables,"
        f" {len(held.heads)} audit chains, {len(held.contracts)} contracts, secrets: {held.secrets}."
    )
    typer.echo(
        f"The keys are not in it. Keep a copy of them elsewhere: {', '.join(made.keys) or 'there are none yet'}."
    )
