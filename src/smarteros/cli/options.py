"""Options that several commands share."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from smarteros.settings import Settings

DataDir = Annotated[
    Path | None,
    typer.Option(help="Data directory of the installation.", envvar="SMOS_DATA_DIR", show_default=".smos"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def duration(text: str, *, option: str, at_most: timedelta) -> timedelta:
    """Return a length of time written like 90s, 10m, 24h or 7d; BadParameter of ``option`` for anything else."""
    number, unit = text[:-1], text[-1:]
    if number.isascii() and number.isdigit() and len(number) < 10 and unit in _SECONDS:
        length = timedelta(seconds=int(number) * _SECONDS[unit])
        if timedelta() < length <= at_most:
            return length
    raise typer.BadParameter(f"expected a number with s, m, h or d, above 0 and at most {at_most}", param_hint=option)


def project_contracts() -> Path:
    """Return the folder of the contracts of the project we are in, or of those that come with us."""
    return Settings().contracts_dir


def settings_with(data_dir: Path | None) -> Settings:
    """Return the settings, with the data directory of the command line when one is given."""
    return Settings() if data_dir is None else Settings(data_dir=data_dir)
