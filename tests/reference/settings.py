"""Every ``SMOS_*`` setting, from the models that read them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from smarteros.alerts.settings import AlertSettings
from smarteros.settings import Settings
from tests.reference.schemas import limits, type_name
from tests.reference.tables import code, page, table, text_of

_HEAD = ("variable", "type", "default", "meaning")


def settings_page() -> str:
    """Write the page."""
    return text_of(_lines())


def _lines() -> Iterator[str]:
    yield from page(
        "Settings",
        "One installation is set up by environment variables, or by a file `.env` in the working directory with the "
        "same names; the environment wins. Keys of shops are not settings: they are [secrets](../secrets.md). What "
        "belongs to one shop is set with `smos tenant`, `smos brain`, `smos kb` and `smos usage`.",
    )
    yield "## The installation"
    yield ""
    yield from table(_HEAD, _rows(Settings))
    yield "## Alerts"
    yield ""
    yield "Who is told, and how often: [alerts](../alerts.md)."
    yield ""
    yield from table(_HEAD, _rows(AlertSettings))


def _rows(model: type[BaseSettings]) -> Iterator[tuple[str, ...]]:
    schema = model.model_json_schema()
    prefix = str(model.model_config.get("env_prefix", "")).upper()
    for name, field in model.model_fields.items():
        described: dict[str, Any] = schema["properties"][name]
        said = "; ".join(part for part in (field.description or "", limits(described)) if part)
        yield code(f"{prefix}{name.upper()}"), type_name(described), _default(name, field.default), said


def _default(name: str, default: Any) -> str:
    if name == "contracts_dir":
        return "`contracts` of the source tree, or of the working directory"
    if default is PydanticUndefined or default is None or default in ((), {}):
        return "unset"
    if isinstance(default, bool):
        return code(str(default).lower())
    return code(default.as_posix() if isinstance(default, Path) else default)
