"""Webhooks of Chatwoot: the tenant's own URL, and the shared one of the first document."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from smarteros.domain.errors import RejectedInputError
from smarteros.edge.bodies import read_body
from smarteros.edge.receive import Receipt, Receiver

MAX_WEBHOOK_BYTES = 2 * 1024 * 1024
_SINGLE_HEADERS = ("x-chatwoot-signature", "x-chatwoot-timestamp", "x-chatwoot-delivery")


def webhook_router(receiver: Receiver) -> APIRouter:
    """Build the routes over a receiver."""
    router = APIRouter(tags=["webhooks"])

    async def take(request: Request, tenant_key: str | None) -> Receipt:
        try:
            headers = _single_headers(request)
            raw = await read_body(request, MAX_WEBHOOK_BYTES)
        except RejectedInputError as error:
            await run_in_threadpool(receiver.audit_refusal, error, {"tenant_url": tenant_key is not None})
            raise
        return await run_in_threadpool(receiver.receive, raw, headers, tenant_key)

    @router.post("/webhooks/chatwoot/{tenant_key}", operation_id="receive_tenant_webhook")
    async def tenant_webhook(tenant_key: str, request: Request) -> Receipt:  # pyright: ignore[reportUnusedFunction]
        """Take a signed webhook on the tenant's own URL. Answered when the event is stored, before it is worked on."""
        return await take(request, tenant_key)

    @router.post("/webhook/chatwoot-events", operation_id="receive_shared_webhook")
    async def shared_webhook(request: Request) -> Receipt:  # pyright: ignore[reportUnusedFunction]
        """Take a signed webhook of any tenant; the body's account only tells whose secrets are tried."""
        return await take(request, None)

    return router


def _single_headers(request: Request) -> dict[str, str]:
    """Return the headers by lower-case name; one of ours that comes twice could mean two things and is refused."""
    names = Counter(name.decode("latin-1").lower() for name, _ in request.headers.raw)
    for name in _SINGLE_HEADERS:
        if names[name] > 1:
            raise RejectedInputError("duplicate_header", f"The header {name} came twice.", status=401)
    return dict(request.headers.items())
