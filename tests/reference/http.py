"""Every HTTP route of an edge, from the description it serves at ``/openapi.json``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock

from smarteros.edge.agent_api import agent_router
from smarteros.edge.alertmanager_bridge import alertmanager_router
from smarteros.edge.app import create_app
from smarteros.edge.health import health_router
from smarteros.edge.operator_api import operator_router
from smarteros.edge.shopify_webhooks import shopify_webhook_router
from smarteros.edge.status_page import status_router
from smarteros.edge.tool_api import tool_router
from smarteros.edge.turn_api import turn_router
from smarteros.edge.webhooks import webhook_router
from smarteros.reconcile.api import reconcile_router
from tests.reference.tables import code, page, table, text_of
from tests.reference.tools import provider

_BESIDES = (
    ("`/mcp`", "the Model Context Protocol: [Calling the tools from outside](../tools.md)"),
    ("`GET /metrics`", "Prometheus: [Metrics](metrics.md)"),
    ("`/console`", "pages for people: [The console](../console.md)"),
    ("`GET /openapi.json`", "this page for machines"),
)


def http_page() -> str:
    """Write the page."""
    return text_of(_lines(description()))


def description() -> dict[str, Any]:
    """Describe the routes over parts that nobody asks anything; a test holds it against a running installation's."""
    part = MagicMock()
    return create_app(
        (
            health_router(part, part, ""),
            webhook_router(part),
            shopify_webhook_router(part, part, part, part),
            agent_router(part, part, part),
            turn_router(part),
            tool_router(MagicMock(specs=provider().specs())),
            operator_router(part, ""),
            reconcile_router(part, part, ""),
            status_router(part, part, part),
            alertmanager_router(None, None, part, part),
        )
    ).openapi()


def routes(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Walk over path, method and operation."""
    for path, methods in sorted(described["paths"].items()):
        for method, operation in methods.items():
            yield path, method.upper(), operation


def _lines(described: dict[str, Any]) -> Iterator[str]:
    yield from page(
        "HTTP",
        'Every error is JSON `{"error": sentence, "code": word}`; the words are in [Errors](errors.md). Bodies are at '
        "most 256 KiB. The whole description with all models is served as `/openapi.json`.",
    )
    for path, method, operation in routes(described):
        yield f"## {method} {path}"
        yield ""
        yield operation.get("description") or f"{operation.get('summary', '')}."
        yield ""
        yield from table(
            ("parameter", "in", "needed"),
            (
                (code(each["name"]), each["in"], "yes" if each.get("required") else "")
                for each in operation.get("parameters", ())
            ),
        )
        if body := operation.get("requestBody"):
            yield f"Body: {_content(body)}."
            yield ""
        yield from table(
            ("answer", "is"), ((status, _answer(answer)) for status, answer in operation["responses"].items())
        )
    yield "## Besides"
    yield ""
    yield from table(("address", "what it is"), _BESIDES)


def _answer(answer: dict[str, Any]) -> str:
    content = _content(answer)
    return f"{answer['description']}: {content}" if content else str(answer["description"])


def _content(holder: dict[str, Any]) -> str:
    return ", ".join(
        f"{kind} {code(str(each.get('schema', {}).get('$ref', '')).rpartition('/')[2])}".strip()
        for kind, each in holder.get("content", {}).items()
    )
