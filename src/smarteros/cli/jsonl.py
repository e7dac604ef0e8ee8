"""Reading files of JSON lines a stranger wrote: every fault is one sentence with the number of its line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from smarteros.domain.errors import RejectedInputError

LONGEST_LINE = 200_000
M = TypeVar("M", bound=BaseModel)


def read_lines(
    lines: Iterable[str], model: type[M], *, name: str = "", code: str = "jsonl_line_invalid"
) -> Iterator[M]:
    """Yield what each line says; blank lines are skipped.

    ``lines`` were decoded with ``errors="surrogateescape"``. RejectedInputError with ``code`` for the first line that
    is too long, not UTF-8, not JSON, or not what ``model`` describes; ``name`` is put before its number.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield read_line(line, model, where=f"{name}: line {number}" if name else f"line {number}", code=code)


def read_line(line: str, model: type[M], *, where: str, code: str) -> M:
    """Return what one line says; errors as in ``read_lines``, with the place ``where``."""
    if len(line) > LONGEST_LINE:
        raise RejectedInputError(code, f"{where}: longer than {LONGEST_LINE} characters")
    try:
        line.encode("utf-8")
        read: Any = json.loads(line)
        return model.model_validate(read)
    except UnicodeEncodeError as error:
        raise RejectedInputError(code, f"{where}: not UTF-8") from error
    except json.JSONDecodeError as error:
        raise RejectedInputError(code, f"{where}: not JSON ({error.msg})") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the line"
        raise RejectedInputError(code, f"{where}: {field}: {first['msg']}") from error
    except RecursionError as error:
        raise RejectedInputError(code, f"{where}: nested too deeply") from error
    except ValueError as error:  # a number of thousands of digits
        raise RejectedInputError(code, f"{where}: not JSON ({str(error)[:100]})") from error


def read_file(path: Path, model: type[M], *, most_bytes: int, code: str) -> list[M]:
    """Read a whole file of lines; a file that is larger or cannot be read is refused with ``code`` too."""
    try:
        if path.stat().st_size > most_bytes:
            raise RejectedInputError(code, f"{path}: larger than {most_bytes} bytes")
        with path.open(encoding="utf-8", errors="surrogateescape") as lines:
            return list(read_lines(lines, model, name=str(path), code=code))
    except OSError as error:
        raise RejectedInputError(code, f"{path}: {error.strerror}") from error
