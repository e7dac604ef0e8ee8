"""The small word lists of ``data/words.yml`` and the other data files of this package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml


def read_data(name: str) -> Any:
    """Parse one YAML file of ``agents/data``; the caller knows its shape."""
    return yaml.safe_load(files("smarteros.agents").joinpath("data", name).read_text("utf-8"))


@cache
def _lists() -> dict[str, str]:
    return read_data("words.yml")


def word_list(name: str) -> frozenset[str]:
    """Return one list of ``words.yml``."""
    return frozenset(_lists()[name].split())
