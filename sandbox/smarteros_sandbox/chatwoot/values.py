"""Reading untrusted JSON as Rails' strong parameters do: a wrong type counts as absent, never as an error."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn, cast

from smarteros_sandbox.chatwoot.records import JsonObject

MAX_DIGITS = 18
MAX_DEPTH = 100


def as_text(value: object) -> str | None:
    """A scalar as text; null and containers count as absent."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return None


def as_integer(value: object) -> int | None:
    """A whole number, also from text; anything else is absent."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < 10**MAX_DIGITS else None
    if isinstance(value, float):
        return as_integer(int(value)) if value.is_integer() else None
    if isinstance(value, str):
        text = value.strip()
        digits = text.removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS:
            return int(text)
    return None


def as_flag(value: object) -> bool:
    """Rails' boolean cast: the usual words for false are false, absent too."""
    if value is None or isinstance(value, list | dict):
        return False
    return str(value).strip().lower() not in {"", "0", "f", "false", "off"}


def as_object(value: object) -> JsonObject:
    """A JSON object; anything else is empty."""
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def as_object_or_json(value: object) -> JsonObject:
    """A JSON object, also from its text: multipart forms carry ``content_attributes`` so."""
    if isinstance(value, str):
        try:
            return as_object(parse_strictly(value))
        except ValueError:
            return {}
    return as_object(value)


def as_list(value: object) -> list[Any]:
    """A JSON array; anything else is empty."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def as_texts(value: object) -> list[str]:
    """The scalars of an array as text; a single scalar counts as an array of one."""
    entries = as_list(value) or [value]
    return [text for entry in entries if (text := as_text(entry)) is not None]


def parse_strictly(text: str) -> object:
    """JSON as Ruby reads it: finite numbers, at most 100 levels, and only text that UTF-8 can hold."""
    try:
        value: object = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise ValueError("nested too deeply")
    if "\\u" in text:
        # A lone surrogate is valid JSON but no text. UnicodeEncodeError is a ValueError.
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("number out of range")
    return number


def _depth(value: object) -> int:
    deepest = 0
    level = [value]
    while level:
        deepest += 1
        level = [inner for entry in level for inner in (*as_object(entry).values(), *as_list(entry))]
    return deepest
