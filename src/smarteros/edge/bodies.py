"""Reading a request's raw bytes within bounds of size and time."""

from __future__ import annotations

import asyncio

from fastapi import Request

from smarteros.domain.errors import RejectedInputError

_PATIENCE_S = 10.0


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body. RejectedInputError 413 when it is longer than ``limit`` bytes, 408 when it trickles in."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise _too_large(limit)
    except TimeoutError as error:
        raise RejectedInputError("body_too_slow", "The body did not arrive in time.", status=408) from error
    return bytes(body)


def _too_large(limit: int) -> RejectedInputError:
    return RejectedInputError("body_too_large", f"The body is larger than {limit} bytes.", status=413)
