"""Every tool of ``/mcp`` and ``POST /api/tools/{tool}``, from what they declare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock

from smarteros.edge.tool_access import scope_of
from smarteros.tools.embedded import embedded_tools
from smarteros.tools.protocol import ToolProvider
from tests.reference.schemas import fields, models
from tests.reference.tables import code, page, text_of


def provider() -> ToolProvider:
    """Return the tools as they are declared; these cannot be called."""
    return embedded_tools(http=MagicMock(), secrets=MagicMock(), cache=MagicMock(), policy_of=MagicMock())


def tools_page() -> str:
    """Write the page."""
    return text_of(_lines())


def _lines() -> Iterator[str]:
    yield from page(
        "Tools",
        "The functions the bot looks facts up with, by MCP at `/mcp` and as `POST /api/tools/{tool}`. Tokens, limits "
        "and what happens when a system is away are in [Calling the tools from outside](../tools.md).",
    )
    named: dict[str, Any] = {}
    for spec in provider().specs():
        yield f"## {spec.name}"
        yield ""
        yield spec.description
        yield ""
        notes = ("changes nothing" if spec.read_only else "changes something", f"scope {code(scope_of(spec))}")
        yield f"*{spec.title}*: {', '.join(notes)}."
        yield ""
        for what, model in (("Takes", spec.input_model), ("Gives", spec.output_model)):
            schema = model.model_json_schema()
            named |= schema.get("$defs", {})
            yield f"**{what}**"
            yield ""
            yield from fields(schema)
    yield from models(named)
