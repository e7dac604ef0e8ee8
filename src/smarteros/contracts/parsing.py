"""From a source to a typed contract; what the models refuse is said with the line it stands on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from smarteros.contracts.findings import ContractError, Finding
from smarteros.contracts.models import Contract
from smarteros.contracts.source import Source

_CODES = {"extra_forbidden": "unknown_key", "missing": "missing_key"}


def parse_contract(source: Source) -> Contract:
    """Check a source against the models. ContractError with one finding per mistake."""
    try:
        return Contract.model_validate(source.data)
    except ValidationError as error:
        details = [dict(detail) for detail in error.errors()]
        raise ContractError(
            [_finding(source, detail) for detail in details if not _follows(detail, details)]
        ) from error


def _follows(detail: Mapping[str, Any], details: list[dict[str, Any]]) -> bool:
    """A list counts as too short once a wrong item was dropped from it: that is not a second mistake."""
    place = detail["loc"]
    inside = any(other["loc"][: len(place)] == place for other in details if other is not detail)
    return detail["type"] == "too_short" and inside


def _finding(source: Source, detail: Mapping[str, Any]) -> Finding:
    path = _path_in(source, detail["loc"])
    code = _CODES.get(detail["type"], "wrong_value")
    where = ".".join(str(part) for part in detail["loc"])
    if code == "unknown_key":
        message = f"{where}: there is no such key"
    elif code == "missing_key":
        message = f"{where}: this key is missing"
    else:
        message = f"{where}: {detail['msg'].lower()}, not {str(detail['input'])[:60]!r}"
    return source.finding(code, message, *path)


def _path_in(source: Source, location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Drop what pydantic adds to a location (``[key]`` and the like) from where it leaves the file."""
    path: tuple[str | int, ...] = ()
    for part in location:
        if (*path, part) not in source.lines:
            break
        path = (*path, part)
    return path
