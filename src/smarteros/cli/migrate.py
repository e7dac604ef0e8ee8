"""``smos migrate``: the database's tables, brought to this version by whoever wants to see it done."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Annotated

import typer

from smarteros.cli.options import AsJson, DataDir, settings_with


def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Only look; exit code 1 when something is to be done.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Bring the database's tables to this version.

    The first process of a new version does the same at its start; here it is done, or refused, before any process is
    replaced. The version before works on with the tables as they are afterwards (docs/deploy.md).
    """
    from smarteros.bootstrap.services import database_urls
    from smarteros.store import database

    with ExitStack() as stack:
        owner_url, _ = database_urls(settings_with(data_dir), stack)
        seen = database.schema_revisions(owner_url) if check else database.migrate(owner_url)
    if as_json:
        typer.echo(json.dumps({"found": seen.found, "ours": seen.ours, "is_newer": seen.is_newer}))
    elif seen.is_newer:
        typer.echo(f"schema {seen.found} is newer than this version's ({seen.ours}): left alone")
    elif seen.is_behind:
        typer.echo(f"schema {seen.found or 'none'} {'has to be brought' if check else 'was brought'} to {seen.ours}")
    else:
        typer.echo(f"schema {seen.ours} is what this version works with")
    raise typer.Exit(1 if check and seen.is_behind else 0)
