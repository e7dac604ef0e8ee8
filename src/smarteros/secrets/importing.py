"""Secrets of a shop out of a file another program uses: ``.env``, or JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any, cast

from dotenv.parser import parse_stream
from pydantic import ConfigDict, Field

from smarteros.domain.errors import ConfigError
from smarteros.domain.model import Model
from smarteros.domain.secret_paths import OTHER_NAMES, SECRET_PATHS

LONGEST_VALUE = 4_096
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]{0,99}")
_PATH_OF_NAME = {path.replace("/", "_").upper(): path for path in SECRET_PATHS} | OTHER_NAMES


class ImportedSecrets(Model):
    """What a file holds: values by path, the names nobody here knows, and known ones without a value."""

    model_config = ConfigDict(hide_input_in_errors=True)

    values: dict[str, str] = Field(repr=False)
    unknown: tuple[str, ...]
    empty: tuple[str, ...]


def read_secrets(text: str) -> ImportedSecrets:
    """Read an .env file, or JSON such as ``{"shopify": {"admin_token": "..."}}`` or ``{"ODOO_URL": "..."}``.

    Nothing in a value is expanded. Raises ConfigError: ``secrets_unreadable`` for a text that is neither (it tells the
    line and not what stands there, which may be a secret),
    ``secret_named_twice`` when two names of one secret have different values, and what ``usable_value`` raises.
    """
    values: dict[str, str] = {}
    unknown: list[str] = []
    empty: list[str] = []
    for name, value in _pairs(text):
        path = name if name in SECRET_PATHS else _PATH_OF_NAME.get(name.replace("/", "_").upper())
        if path is None:
            unknown.append(name)
        elif not value.strip():
            empty.append(name)
        elif values.setdefault(path, usable_value(value, path)) != usable_value(value, path):
            raise ConfigError("secret_named_twice", f"The file has two different values for {path}.")
    return ImportedSecrets(values=values, unknown=tuple(unknown), empty=tuple(empty))


def usable_value(text: str, path: str) -> str:
    """Return a value without white space around it. ConfigError(code ``secret_malformed``) when it cannot be one."""
    value = text.strip()
    if not value or len(value) > LONGEST_VALUE or not value.isprintable():
        raise ConfigError(
            "secret_malformed", f"The value of {path} must be one line of 1 to {LONGEST_VALUE} visible characters."
        )
    return value


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    if not text.lstrip().startswith("{"):
        yield from _lines(text)
        return
    try:
        decoded: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise ConfigError("secrets_unreadable", "The file begins like JSON and is none.") from None
    yield from _leaves(decoded)


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Yield names and values of an .env file, as they are written: a secret may have a dollar sign."""
    for line in parse_stream(StringIO(text)):
        if line.error or (line.key is not None and (line.value is None or not _NAME.fullmatch(line.key))):
            raise ConfigError("secrets_unreadable", f"Line {line.original.line} of the file is not NAME=value.")
        if line.key is not None and line.value is not None:
            yield line.key, line.value


def _leaves(decoded: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in decoded.items():
        if isinstance(value, dict):
            system = cast("dict[str, Any]", value)
            yield from ((f"{name}/{key}", _text(leaf)) for key, leaf in system.items())
        else:
            yield name, _text(value)


def _text(leaf: Any) -> str:
    """The text of a leaf; what is no text and no number has no value."""
    return str(leaf) if isinstance(leaf, str | int) and not isinstance(leaf, bool) else ""
