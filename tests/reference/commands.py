"""Every command of ``smos``, by typer's own description."""

from __future__ import annotations

import typer
from typer.cli import get_docs_for_click

from smarteros.cli.main import app
from tests.reference.tables import GENERATED


def commands_page() -> str:
    """Write what ``--help`` says of all commands."""
    command = typer.main.get_command(app)
    told = get_docs_for_click(obj=command, ctx=typer.Context(command, info_name="smos"), name="smos", title="Commands")
    # A usage line is no command to type; what can be typed is in the guides.
    described = told.replace("```console\n$ ", "```text\n")
    head, _, rest = described.partition("\n")
    return f"{head}\n\n{GENERATED}\n{rest.rstrip()}\n"
