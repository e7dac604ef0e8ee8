"""Files that are named on the command line, - being standard input."""

from __future__ import annotations

import sys
from pathlib import Path

from smarteros.domain.errors import ConfigError

_LONGEST = 1_000_000


def read_text(file: str, code: str = "application_invalid") -> str:
    """Return the text of a file, - for standard input, without a mark of its encoding.

    ConfigError(``code``) for one that cannot be read, is longer than 1,000,000 bytes or no UTF-8.
    """
    try:
        if file == "-":
            raw = sys.stdin.buffer.read(_LONGEST + 1)
        else:
            with Path(file).open("rb") as opened:
                raw = opened.read(_LONGEST + 1)
    except OSError as error:
        raise ConfigError(code, f"{file} cannot be read: {error.strerror}.") from None
    if len(raw) > _LONGEST:
        raise ConfigError(code, f"{file} is longer than {_LONGEST} bytes.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(code, f"{file} is no UTF-8 text.") from None
