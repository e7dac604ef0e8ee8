"""The small word lists of ``data/words.yml`` and the other data files of this package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml

# The one in C reads the base pack in a tenth of the time.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_data(name: str) -> Any:
    """Parse one YAML file of ``agents/data``; the caller knows its shape."""
    return read_list(files("smarteros.agents").joinpath("data", name))


def read_list(file: Traversable) -> Any:
    """Parse a YAML file that was installed with us; the caller knows its shape."""
    return yaml.load(file.read_text("utf-8"), Loader=_LOADER)  # noqa: S506 - both are safe


@cache
def _lists() -> dict[str, str]:
    return read_data("words.yml")


def word_list(name: str) -> frozenset[str]:
    """Return one list of ``words.yml``."""
    return frozenset(_lists()[name].split())
