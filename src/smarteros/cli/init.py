"""``smos init``: the project directory an operator works in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from smarteros.cli.options import AsJson

_WORDS = {"created": "created", "unchanged": "unchanged", "kept": "kept as it was"}


def init(
    directory: Annotated[Path, typer.Argument(help="The project directory; it may exist.")],
    as_json: AsJson = False,
) -> None:
    """Make a project: settings with new keys, the contracts, sample texts and the next steps (in Spanish).

    Commands run inside it use its `.env` and its `contracts/`. Done again it adds what is missing and changes no file.
    """
    from smarteros.project.making import make_project

    made = make_project(directory)
    if as_json:
        files = [file.model_dump(mode="json") for file in made]
        typer.echo(json.dumps({"directory": str(directory.absolute()), "files": files}, ensure_ascii=False, indent=2))
        return
    for file in made:
        typer.echo(f"{_WORDS[file.state]:14}  {file.path}")
    typer.echo(
        f"Next: cd {directory}, read README.md, and keep a copy of .env in a safe place: its keys are nowhere else."
    )
