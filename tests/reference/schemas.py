"""Words for what a JSON Schema says of a field."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from tests.reference.tables import code, table

_LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {}",
    "maxItems": "at most {}",
    "pattern": "like `{}`",
}
_LARGE = 2**31


def type_name(described: dict[str, Any]) -> str:
    """Name a field's type; a model of the same page is a link to its section."""
    if "$ref" in described:
        name = str(described["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in described:
        return " or ".join(code(value) for value in described["enum"])
    if "const" in described:
        return code(described["const"])
    if "anyOf" in described:
        kinds = [type_name(each) for each in described["anyOf"] if each.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    kind = described.get("type", "any")
    if kind == "array":
        items = described.get("items") or next(iter(described.get("prefixItems", ())), {})
        return f"list of {type_name(items)}"
    if kind == "object" and isinstance(described.get("additionalProperties"), dict):
        keys = described.get("propertyNames", {})
        by = f" by {type_name(keys)}" if "$ref" in keys else ""
        return f"map of {type_name(described['additionalProperties'])}{by}"
    return f"{kind} ({described['format']})" if "format" in described else str(kind)


def limits(described: dict[str, Any]) -> str:
    """Say which values are allowed."""
    found = [described, *(each for each in described.get("anyOf", ()) if each.get("type") != "null")]
    said = [
        text.format(each[key])
        for each in found
        for key, text in _LIMITS.items()
        if key in each and not (isinstance(each[key], int) and abs(each[key]) >= _LARGE)
    ]
    return ", ".join(dict.fromkeys(said))


def models(definitions: dict[str, Any]) -> Iterator[str]:
    """Write a section for each model that others name."""
    for name, definition in sorted(definitions.items()):
        yield f"## {name}"
        yield ""
        yield from model(definition)


def model(schema: dict[str, Any]) -> Iterator[str]:
    """Say what a model means, and its fields."""
    if description := schema.get("description"):
        yield inspect.cleandoc(str(description)).replace("``", "`")
        yield ""
    if "enum" in schema:
        yield f"One of {type_name(schema)}."
        yield ""
    yield from fields(schema)


def fields(schema: dict[str, Any]) -> Iterator[str]:
    """Write a model's fields as a table."""
    required = set(schema.get("required", ()))
    yield from table(
        ("field", "type", "default", "meaning"),
        (
            (
                code(name),
                type_name(described),
                "**needed**" if name in required else _default(described),
                "; ".join(part for part in (described.get("description", ""), limits(described)) if part),
            )
            for name, described in schema.get("properties", {}).items()
        ),
    )


def _default(described: dict[str, Any]) -> str:
    default = described.get("default")
    if default is None or default in ([], {}) or isinstance(default, dict):
        return ""
    return code(str(default).lower() if isinstance(default, bool) else default)
