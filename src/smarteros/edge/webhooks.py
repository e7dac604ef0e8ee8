"""Webhooks of Chatwoot: the tenant's own URL, and the shared one of the first document.

They are most of an edge's work, so they are answered before the framework's routing, validation and serialisation,
which cost more than storing the event. The routes describe them in the OpenAPI document.
"""

from __future__ import annotations

from collections import Counter
from weakref import WeakValueDictionary

import anyio
from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Scope, Send
from starlette.types import Receive as AsgiReceive

from smarteros.domain.errors import RejectedInputError, TransientError
from smarteros.edge.bodies import read_body
from smarteros.edge.capacity import ACCEPTED_AT_A_TIME
from smarteros.edge.errors import response_to
from smarteros.edge.receive import Receipt, Receiver

MAX_WEBHOOK_BYTES = 2 * 1024 * 1024
# Of one URL no more at a time: the others' webhooks wait behind so many of a flood, and not behind all of it.
ACCEPTED_OF_ONE = 6
# More than wait for their place on one URL, or twice as many on all, are refused with the one status on which Chatwoot
# tries again; what it does not send again is found by reconcile. At 200 a second this is the work of five seconds,
# Chatwoot's own patience.
MOST_WAITING = 1000
SHARED_URL = "/webhook/chatwoot-events"
TENANT_URL = "/webhooks/chatwoot/"
_SINGLE_HEADERS = ("x-chatwoot-signature", "x-chatwoot-timestamp", "x-chatwoot-delivery")


class OverloadedError(TransientError):
    """More webhooks come than can be stored."""

    http_status = 500


class WebhookTaker:
    """Takes the requests to both URLs."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._places = anyio.CapacityLimiter(ACCEPTED_AT_A_TIME)
        self._shares = WeakValueDictionary[str | None, anyio.CapacityLimiter]()
        self._waiting = 0

    async def take(self, request: Request, tenant_key: str | None) -> Receipt:
        """Take one webhook; ``tenant_key`` is None on the shared URL.

        Raises RejectedInputError, and OverloadedError when too many wait already.
        """
        share = self._shares.setdefault(tenant_key, anyio.CapacityLimiter(ACCEPTED_OF_ONE))
        if share.statistics().tasks_waiting >= MOST_WAITING or self._waiting >= 2 * MOST_WAITING:
            raise OverloadedError("overloaded", f"{MOST_WAITING} webhooks wait to be stored")
        try:
            headers = _single_headers(request)
            raw = await read_body(request, MAX_WEBHOOK_BYTES)
        except RejectedInputError as error:
            await run_in_threadpool(self._receiver.audit_refusal, error, {"tenant_url": tenant_key is not None})
            raise
        self._waiting += 1
        try:
            async with share:
                return await run_sync(self._receiver.receive, raw, headers, tenant_key, limiter=self._places)
        finally:
            self._waiting -= 1


class WebhooksFirst:
    """Middleware that answers webhooks and hands everything else on."""

    def __init__(self, app: ASGIApp, taker: WebhookTaker) -> None:
        self._app = app
        self._taker = taker

    async def __call__(self, scope: Scope, receive: AsgiReceive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "POST" or not _is_ours(scope["path"]):
            await self._app(scope, receive, send)
            return
        tenant_key = None if scope["path"] == SHARED_URL else scope["path"].removeprefix(TENANT_URL)
        try:
            receipt = await self._taker.take(Request(scope, receive), tenant_key)
            response = Response(receipt.model_dump_json(), media_type="application/json")
        except ClientDisconnect:
            return
        except Exception as error:
            response = await response_to(error)
        await response(scope, receive, send)


def webhook_router(taker: WebhookTaker) -> APIRouter:
    """Build the routes."""
    router = APIRouter(tags=["webhooks"])

    @router.post(TENANT_URL + "{tenant_key}", operation_id="receive_tenant_webhook")
    async def tenant_webhook(tenant_key: str, request: Request) -> Receipt:  # pyright: ignore[reportUnusedFunction]
        """Take a signed webhook on the tenant's own URL. Answered when the event is stored, before it is worked on."""
        return await taker.take(request, tenant_key)

    @router.post(SHARED_URL, operation_id="receive_shared_webhook")
    async def shared_webhook(request: Request) -> Receipt:  # pyright: ignore[reportUnusedFunction]
        """Take a signed webhook of any tenant; the body's account only tells whose secrets are tried."""
        return await taker.take(request, None)

    return router


def _is_ours(path: str) -> bool:
    return path == SHARED_URL or (path.startswith(TENANT_URL) and "/" not in path[len(TENANT_URL) :])


def _single_headers(request: Request) -> dict[str, str]:
    """Return the headers by lower-case name; one of ours that comes twice could mean two things and is refused."""
    names = Counter(name.decode("latin-1").lower() for name, _ in request.headers.raw)
    for name in _SINGLE_HEADERS:
        if names[name] > 1:
            raise RejectedInputError("duplicate_header", f"The header {name} came twice.", status=401)
    return dict(request.headers.items())
