"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smarteros.settings import Settings

DataDir = Annotated[
    Path | None,
    typer.Option(help="Data directory of the installation.", envvar="SMOS_DATA_DIR", show_default=".smos"),
]


def settings_with(data_dir: Path | None) -> Settings:
    """Return the settings, with the data directory of the command line when one is given."""
    return Settings() if data_dir is None else Settings(data_dir=data_dir)
