"""``smos contract migrate``: contract files of an older format, written anew in today's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from smarteros.cli.options import AsJson, project_contracts
from smarteros.contracts.checks import check_contract
from smarteros.contracts.findings import ContractError
from smarteros.contracts.lint import contract_files
from smarteros.contracts.migrations import Migrated, migrate_text
from smarteros.contracts.parsing import parse_contract
from smarteros.contracts.source import parse_source, text_of
from smarteros.secrets.keys import replace_file


def migrate(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files or folders; default: the project's contracts.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit code 1 when something would be.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write contracts of an older format in today's; comments and layout stay.

    A file whose contract would have a mistake afterwards is left alone, and so are all others then.
    """
    files = [file for path in paths or [project_contracts()] for file in contract_files(path)]
    old = {file: migrated for file in files if (migrated := _migrated(file)).steps}
    if not check:
        for file, migrated in old.items():
            replace_file(file.resolve(), migrated.text.encode())
    if as_json:
        typer.echo(json.dumps([_told(file, old.get(file)) for file in files], ensure_ascii=False, indent=2))
    else:
        for file, migrated in old.items():
            typer.echo(f"{file}: {migrated.steps[0].before} -> {migrated.steps[-1].after}")
            for step in migrated.steps:
                typer.echo(f"  {step.changes}")
        typer.echo(f"{len(old)} of {len(files)} contracts {'would be' if check else 'were'} migrated")
    raise typer.Exit(1 if check and old else 0)


def _migrated(file: Path) -> Migrated:
    migrated = migrate_text(str(file), text_of(file))
    source = parse_source(str(file), migrated.text)
    if findings := check_contract(source, parse_contract(source)):
        raise ContractError(findings)
    return migrated


def _told(file: Path, migrated: Migrated | None) -> dict[str, object]:
    steps = () if migrated is None else migrated.steps
    return {"file": str(file), "migrated": bool(steps), "changes": [step.changes for step in steps]}
