"""Serving single requests by the SDK's streamable HTTP transport, as JSON and without sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import Receive, Scope, Send

from smarteros.contracts.loader import ContractSet
from smarteros.edge.mcp.library import Library
from smarteros.edge.mcp.server import mcp_server
from smarteros.edge.tool_access import ToolAccess


def serving(
    access: ToolAccess, library: Library, contracts: ContractSet, hosts: Iterable[str], max_body_bytes: int
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Return the function that serves one request, of any protocol version the SDK knows."""
    server = mcp_server(access, library, contracts)
    names = [allowed for host in hosts for allowed in (host, f"{host}:*")]
    security = TransportSecuritySettings(
        allowed_hosts=names,
        allowed_origins=[f"{scheme}://{name}" for scheme in ("http", "https") for name in names],
    )

    return _Serving(
        lambda: StreamableHTTPSessionManager(
            server,
            json_response=True,
            stateless=True,
            security_settings=security,
            max_request_body_size=max_body_bytes,
        )
    )


class _Serving:
    """Requests by one session manager per event loop.

    It runs in a task of its own, from the first request until the loop ends and cancels it: the first request comes
    long after the application's lifespan began.
    """

    def __init__(self, manager: Callable[[], StreamableHTTPSessionManager]) -> None:
        self._new = manager
        self._loop: asyncio.AbstractEventLoop | None = None
        self._manager = manager()
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            manager, ready = self._new(), loop.create_future()
            self._tasks.append(loop.create_task(_run(manager, ready)))
            await ready
            self._loop, self._manager = loop, manager
        await self._manager.handle_request(scope, receive, send)


async def _run(manager: StreamableHTTPSessionManager, ready: asyncio.Future[None]) -> None:
    async with manager.run():
        ready.set_result(None)
        await asyncio.Event().wait()
