"""``/mcp``: who may come in, and how much they may bring, before the protocol's own server sees a request.

Every request stands for itself (no sessions, no streams), so any number of edges can stand behind one address.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from anyio.to_thread import run_sync
from fastapi import APIRouter
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smarteros.contracts.loader import ContractSet
from smarteros.domain.errors import RejectedInputError
from smarteros.edge.bodies import read_body
from smarteros.edge.errors import RefusedRequestError, response_to
from smarteros.edge.mcp.call import McpCall
from smarteros.edge.mcp.library import Library
from smarteros.edge.tokens import SCOPES
from smarteros.edge.tool_access import NO_CONVERSATION, ToolAccess

PATH = "/mcp"
METADATA_PATH = "/.well-known/oauth-protected-resource"
MAX_BODY_BYTES = 256 * 1024
_ONCE = ("authorization", "x-smos-tenant-id", "x-smos-conversation-id", "host", "origin")
_MOST_CONVERSATION_DIGITS = 15

# One request of the protocol: (scope, receive, send).
_Serve = Callable[[Scope, Receive, Send], Awaitable[None]]


class McpEndpoint:
    """The ASGI application of ``/mcp``.

    ``hosts`` are the names it may be asked by (a browser that a foreign page lured here asks by another one).
    ``public_url`` is where it stands for its callers; unset means whatever address a request came to.
    """

    def __init__(
        self,
        access: ToolAccess,
        library: Library,
        contracts: ContractSet,
        *,
        hosts: Iterable[str],
        public_url: str | None,
    ) -> None:
        self._access = access
        self._library = library
        self._contracts = contracts
        self._hosts = tuple(hosts)
        self._public_url = public_url
        self._serve: _Serve | None = None
        self._building = threading.Lock()

    def router(self) -> APIRouter:
        """Return the routes: the endpoint itself, and what tells where its tokens come from."""
        router = APIRouter()
        router.routes.append(Route(PATH, endpoint=self, include_in_schema=False))
        for path in (METADATA_PATH, METADATA_PATH + PATH):
            router.add_api_route(path, self._metadata, methods=["GET"], include_in_schema=False)
        return router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        # RFC 9110, 5.5: the space around a header's value is not part of it; httptools leaves what follows it there.
        scope = {**scope, "headers": [(name, value.strip(b" \t")) for name, value in scope["headers"]]}
        request = Request(scope, receive)
        try:
            if request.method != "POST":
                raise RefusedRequestError("method_not_allowed", "Only POST.", status=405, headers={"Allow": "POST"})
            call = await self._admitted(request)
            body = await read_body(request, MAX_BODY_BYTES)
            serve = self._serve or await run_sync(self._built)
        except ClientDisconnect:
            return
        except Exception as error:
            response = await response_to(error)
            self._tell_where(request, response.headers)
            await response(scope, receive, send)
            return
        call.put_into(scope)
        await serve(scope, _again(body, receive), self._answering(call, request, send))

    async def _admitted(self, request: Request) -> McpCall:
        for name in _ONCE:
            if len(request.headers.getlist(name)) > 1:
                raise RejectedInputError("duplicate_header", f"The header {name} came twice.", status=400)
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        bearer = given.strip() if scheme.lower() == "bearer" else ""
        tenant_id = request.headers.get("x-smos-tenant-id")
        # A thread costs as much as all the rest, and the tenant is mostly known.
        caller = self._access.admit_at_once(bearer, tenant_id) or await run_sync(self._access.admit, bearer, tenant_id)
        return McpCall(caller, _conversation(request.headers.get("x-smos-conversation-id")))

    def _answering(self, call: McpCall, request: Request, send: Send) -> Send:
        """Give the answer the status of the refusal, when a handler refused the request."""

        async def answer(message: Message) -> None:
            if call.refusal is not None and message["type"] == "http.response.start":
                message["status"] = call.refusal.status
                headers = MutableHeaders(scope=message)
                headers.update(call.refusal.headers)
                self._tell_where(request, headers)
            await send(message)

        return answer

    def _tell_where(self, request: Request, headers: MutableHeaders) -> None:
        """Add to a challenge where the metadata is (RFC 9728)."""
        challenge = headers.get("www-authenticate")
        if challenge is not None:
            separator = ", " if "=" in challenge else " "
            url = f"{self._base_url(request)}{METADATA_PATH}{PATH}"
            headers["www-authenticate"] = f'{challenge}{separator}resource_metadata="{url}"'

    def _metadata(self, request: Request) -> JSONResponse:
        """Tell what a client must bring (RFC 9728). Tokens are handed out by the operator, there is no log-in page."""
        base = self._base_url(request)
        return JSONResponse(
            {
                "resource": base + PATH,
                "resource_name": "SmarterOS",
                "authorization_servers": [base],
                "scopes_supported": list(SCOPES),
                "bearer_methods_supported": ["header"],
            }
        )

    def _base_url(self, request: Request) -> str:
        return (self._public_url or str(request.base_url)).rstrip("/")

    def _built(self) -> _Serve:
        """Build the protocol's server, once."""
        with self._building:
            if self._serve is None:
                # Half a second of CPU and 20 MB, which installations that nobody asks by MCP do not pay.
                from smarteros.edge.mcp.serving import serving

                self._serve = serving(self._access, self._library, self._contracts, self._hosts, MAX_BODY_BYTES)
            return self._serve


class McpFirst:
    """Middleware that gives requests of ``/mcp`` to the endpoint at once.

    Looking for their route among all others, and what surrounds every route, costs a tenth of a small call.
    """

    def __init__(self, app: ASGIApp, endpoint: McpEndpoint) -> None:
        self._app = app
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        is_ours = scope["type"] == "http" and scope["path"] == PATH
        await (self._endpoint if is_ours else self._app)(scope, receive, send)


def _conversation(header: str | None) -> int:
    if header is None:
        return NO_CONVERSATION
    if not header.isascii() or not header.isdigit() or len(header) > _MOST_CONVERSATION_DIGITS:
        raise RejectedInputError("malformed_header", "X-SMOS-Conversation-ID is not a number.", status=400)
    return int(header)


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that gives the body, which was read already, and then what still comes."""
    given: list[Any] = [{"type": "http.request", "body": body, "more_body": False}]

    async def read() -> Message:
        return given.pop() if given else await receive()

    return read
