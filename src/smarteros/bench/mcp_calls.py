"""What a call of ``/mcp`` costs beside the same call of a bare server of the SDK, with nobody in between.

Both are called as ASGI applications in this process, turn about: no network, no HTTP parser, no client. What remains
of ours beyond the bare server is the bearer, the tenant, the limit and the scope. Both do the tool's work on a thread.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message

from smarteros.bench.installation import TENANT
from smarteros.bench.report import McpCost
from smarteros.bootstrap import Services, open_services
from smarteros.domain.errors import ConfigError
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.domain.tools import ToolCall, ToolResult
from smarteros.edge.app import create_app
from smarteros.edge.mcp.endpoint import PATH
from smarteros.edge.rate_limit import TenantRate
from smarteros.edge.tool_doors import tool_doors
from smarteros.kit.clock import SystemClock
from smarteros.settings import Settings
from smarteros.tenants.limit_notices import LimitNotices
from smarteros.tools.inputs import ToolInput
from smarteros.tools.protocol import ToolContext, ToolSpec

_ROUNDS = 20
_TOOL = "look_up"
_VERSION = "2026-07-28"
_HOST = "127.0.0.1"
_MOST_CALLS_PER_MINUTE = 1_000_000_000


class _Question(ToolInput):
    query: str


class _Answer(Model):
    answer: str


@dataclass(frozen=True)
class _Round:
    """Seconds of wall and CPU time of single calls, and of all together."""

    calls: list[float]
    wall_s: float
    cpu_s: float


def measure_mcp(data_dir: Path, calls: int) -> McpCost:
    """Measure ``calls`` calls of each server, in several rounds; of each the best round counts."""
    with open_services(Settings(data_dir=data_dir)) as services:
        return asyncio.run(_measure(services, calls))


async def _measure(services: Services, calls: int) -> McpCost:
    bearer = services.tokens.issue(services.tenants.get(TENANT).scope)
    ours, bare = _ours(services), _bare()
    async with bare.router.lifespan_context(bare):
        for app in (ours, bare):
            await _round(app, bearer, max(1, calls // _ROUNDS))
        rounds = [
            (await _round(ours, bearer, calls // _ROUNDS or 1), await _round(bare, bearer, calls // _ROUNDS or 1))
            for _ in range(_ROUNDS)
        ]
    mine, others = [ours for ours, _ in rounds], [bare for _, bare in rounds]
    single = sorted(seconds for one in mine for seconds in one.calls)
    cpu, bare_cpu = _least_cpu_ms(mine), _least_cpu_ms(others)
    return McpCost(
        calls=len(single),
        cpu_ms=round(cpu, 2),
        bare_cpu_ms=round(bare_cpu, 2),
        per_s=round(max(len(one.calls) / one.wall_s for one in mine), 1),
        bare_per_s=round(max(len(one.calls) / one.wall_s for one in others), 1),
        share_of_bare=round(100 * bare_cpu / cpu, 1),
        p95_ms=round(1000 * single[int(0.95 * len(single))], 2),
    )


def _least_cpu_ms(rounds: list[_Round]) -> float:
    return min(1000 * one.cpu_s / len(one.calls) for one in rounds)


class _Provider:
    """A ToolProvider that does nothing, not even guard a time: the bare server's tool does not either."""

    def specs(self) -> tuple[ToolSpec, ...]:
        """List its one tool."""
        return (
            ToolSpec(
                name=_TOOL,
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


def _ours(services: Services) -> ASGIApp:
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
        hosts=(_HOST,),
        public_url=None,
    )
    return create_app(routers)


def _bare() -> Any:
    """A server as the SDK's guide writes it."""
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("bare", log_level="CRITICAL")

    def look_up(query: str) -> _Answer:
        """Gives back what it was asked."""
        return _Answer(answer=query)

    server.add_tool(look_up, name=_TOOL)
    return server.streamable_http_app(json_response=True, stateless_http=True)


async def _round(app: ASGIApp, bearer: str, calls: int) -> _Round:
    seconds: list[float] = []
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(calls):
        started = time.perf_counter()
        await _call(app, bearer)
        seconds.append(time.perf_counter() - started)
    return _Round(seconds, time.perf_counter() - wall, time.process_time() - cpu)


async def _call(app: ASGIApp, bearer: str) -> None:
    meta = {
        "io.modelcontextprotocol/protocolVersion": _VERSION,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
    }
    params = {"name": _TOOL, "arguments": {"query": "hola"}, "_meta": meta}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    headers = {
        "host": f"{_HOST}:8080",
        "authorization": f"Bearer {bearer}",
        "content-type": "application/json",
        "content-length": str(len(body)),
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": _VERSION,
        "mcp-method": "tools/call",
        "mcp-name": _TOOL,
    }
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "server": (_HOST, 8080),
        "client": (_HOST, 50_000),
    }
    sent: list[Message] = []
    await app(scope, _giving(body), _keeping(sent))
    if sent[0]["status"] != 200 or b'"structuredContent"' not in sent[-1]["body"]:
        raise ConfigError("bench_mcp_refused", f"A measured call was answered {sent[0]['status']}.")


def _giving(body: bytes) -> Callable[[], Awaitable[Message]]:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _keeping(sent: list[Message]) -> Callable[[Message], Awaitable[None]]:
    async def send(message: Message) -> None:
        sent.append(message)

    return send
