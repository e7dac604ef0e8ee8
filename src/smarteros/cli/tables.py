"""Tables of the command line: what names a row is never cut, for people copy it into the next command."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Column, Table

# Of a pipe or a file nobody knows how wide it is shown; a cut word could not be searched for.
_UNSEEN_WIDTH = 200


def whole(header: str) -> Column:
    """Return a column whose words are neither cut nor wrapped."""
    return Column(header, no_wrap=True)


def print_table(table: Table) -> None:
    """Print a table as wide as the terminal; its words are shown as they are."""
    Console(width=None if sys.stdout.isatty() else _UNSEEN_WIDTH, markup=False, highlight=False).print(table)
