"""The two servers that are compared: ``/mcp`` as the edge has it and a bare one of the SDK, each with a trivial tool.

``python -m smarteros.bench.mcp_apps ours|bare DATA_DIR`` serves one of them until it is told to end.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from smarteros.bootstrap import Services, open_services
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.domain.tools import ToolCall, ToolResult
from smarteros.edge.app import create_app
from smarteros.edge.rate_limit import TenantRate
from smarteros.edge.tool_doors import tool_doors
from smarteros.kit.clock import SystemClock
from smarteros.settings import Settings
from smarteros.tenants.limit_notices import LimitNotices
from smarteros.tools.inputs import ToolInput
from smarteros.tools.protocol import ToolContext, ToolSpec

HOST = "127.0.0.1"
TOOL = "look_up"
VERSION = "2026-07-28"
_MOST_CALLS_PER_MINUTE = 1_000_000_000


class _Question(ToolInput):
    query: str


class _Answer(Model):
    answer: str


class _Provider:
    """A ToolProvider that does nothing, not even guard a time: the bare server's tool does not either."""

    def specs(self) -> tuple[ToolSpec, ...]:
        """List its one tool."""
        return (
            ToolSpec(
                name=TOOL,
                title="Look up",
                description="Gives back what it was asked.",
                read_only=True,
                input_model=_Question,
                output_model=_Answer,
            ),
        )

    def call(
        self, tenant: Tenant, call: ToolCall, context: ToolContext, *, timeout_ms: int, fallback: bool
    ) -> ToolResult:
        """Give back what it was asked."""
        del tenant, context, timeout_ms, fallback
        question = _Question.model_validate(call.params)
        return ToolResult(tool=call.tool, outcome="ok", data=_Answer(answer=question.query).model_dump(mode="json"))


def ours(services: Services) -> ASGIApp:
    """The edge's own application, with a tool that does nothing."""
    clock = SystemClock()
    routers = tool_doors(
        _Provider(),
        services.tenants,
        services.tokens,
        services.database,
        services.knowledge,
        services.contracts,
        clock,
        rate=TenantRate(_MOST_CALLS_PER_MINUTE, LimitNotices(services.database, clock)),
        hosts=(HOST,),
        public_url=None,
    )
    return create_app(routers)


def bare() -> Any:
    """A server as the SDK's guide writes it."""
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("bare", log_level="CRITICAL")

    def look_up(query: str) -> _Answer:
        """Gives back what it was asked."""
        return _Answer(answer=query)

    server.add_tool(look_up, name=TOOL)
    return server.streamable_http_app(json_response=True, stateless_http=True)


def request(bearer: str) -> tuple[dict[str, str], bytes]:
    """Return headers and body of one call, as both servers take it."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
    }
    params = {"name": TOOL, "arguments": {"query": "hola"}, "_meta": meta}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    headers = {
        "host": f"{HOST}:8080",
        "authorization": f"Bearer {bearer}",
        "content-type": "application/json",
        "content-length": str(len(body)),
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": VERSION,
        "mcp-method": "tools/call",
        "mcp-name": TOOL,
    }
    return headers, body


def main() -> None:
    """Serve the server that is named on the command line, on a free port, with the settings of ``smos serve``."""
    which, data_dir = sys.argv[1:]
    if which == "bare":
        asyncio.run(_serve(bare()))
        return
    with open_services(Settings(data_dir=Path(data_dir))) as services:
        asyncio.run(_serve(ours(services)))


async def _serve(app: Any) -> None:
    import uvicorn

    # The protocol is named because asyncio switches Nagle off only then.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind((HOST, 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1))
        sys.stdout.write(f"ready http://{HOST}:{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        await server.serve(sockets=[listener])


if __name__ == "__main__":
    main()
