"""What a call of ``/mcp`` costs beside the same call of a bare server of the SDK, with nobody in between.

Both are called as ASGI applications in this process, turn about: no network, no HTTP parser, no client. What remains
of ours beyond the bare server is the bearer, the tenant, the limit and the scope. Both do the tool's work on a thread.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp, Message

from smarteros.bench.installation import TENANT
from smarteros.bench.mcp_apps import HOST, bare, ours, request
from smarteros.bench.mcp_socket import rates
from smarteros.bench.report import McpCost
from smarteros.bootstrap import Services, open_services
from smarteros.domain.errors import ConfigError
from smarteros.edge.mcp.endpoint import PATH
from smarteros.settings import Settings

_ROUNDS = 20


@dataclass(frozen=True)
class _Round:
    """Seconds of wall and CPU time of single calls, and of all together."""

    calls: list[float]
    wall_s: float
    cpu_s: float


def measure_mcp(data_dir: Path, calls: int) -> McpCost:
    """Measure ``calls`` calls of each server, in several rounds; of each the best round counts."""
    with open_services(Settings(data_dir=data_dir)) as services:
        bearer = services.tokens.issue(services.tenants.get(TENANT).scope)
        cost = asyncio.run(_measure(services, bearer, calls))
        per_s, bare_per_s = rates(data_dir, bearer, calls)
    return cost.model_copy(
        update={
            "socket_per_s": round(per_s, 1),
            "bare_socket_per_s": round(bare_per_s, 1),
            "socket_share": round(100 * per_s / bare_per_s, 1),
        }
    )


async def _measure(services: Services, bearer: str, calls: int) -> McpCost:
    own, plain = ours(services), bare()
    each = calls // _ROUNDS or 1
    async with plain.router.lifespan_context(plain):
        for app in (own, plain):
            await _round(app, bearer, each)
        rounds = [(await _round(own, bearer, each), await _round(plain, bearer, each)) for _ in range(_ROUNDS)]
    mine, others = [one for one, _ in rounds], [one for _, one in rounds]
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


async def _round(app: ASGIApp, bearer: str, calls: int) -> _Round:
    seconds: list[float] = []
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(calls):
        started = time.perf_counter()
        await _call(app, bearer)
        seconds.append(time.perf_counter() - started)
    return _Round(seconds, time.perf_counter() - wall, time.process_time() - cpu)


async def _call(app: ASGIApp, bearer: str) -> None:
    headers, body = request(bearer)
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
        "server": (HOST, 8080),
        "client": (HOST, 50_000),
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
