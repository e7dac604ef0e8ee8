"""What the stand-ins of a shop's systems share on the HTTP side: bounded bodies, safe JSON, common faults."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NoReturn

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from smarteros_sandbox.faults import Faults

DEFAULT_HANG_SECONDS = 10.0
# Nothing waits longer than this, whatever value a fault carries.
LONGEST_WAIT_SECONDS = 120.0


class WireJson(Response):
    """JSON as bytes, for any content: text a client smuggled in as a lone surrogate must not become a 500."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Compact UTF-8."""
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


class BodyError(ValueError):
    """The body is not JSON."""


async def read_body(request: Request, limit: int) -> bytes:
    """The raw body; 413 as soon as it exceeds ``limit`` bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise HTTPException(413)
    return bytes(body)


async def read_json(request: Request, limit: int) -> Any:
    """The body as JSON; ``BodyError`` when it is none (also for NaN and for absurd nesting)."""
    try:
        return json.loads(await read_body(request, limit), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BodyError(str(error)) from error


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


async def wait_as_told(faults: Faults, service: str, scope: str | None) -> None:
    """Fault ``slow``: answer after its value in seconds."""
    fault = faults.take(service, "slow", scope)
    if fault is not None:
        await _sleep(fault.number(2.0))


async def hang_as_told(faults: Faults, service: str, scope: str | None) -> bool:
    """Fault ``hang``: wait (default 10 s) and tell that the answer shall be a gateway time-out."""
    fault = faults.take(service, "hang", scope)
    if fault is None:
        return False
    await _sleep(fault.number(DEFAULT_HANG_SECONDS))
    return True


async def _sleep(seconds: float) -> None:
    await asyncio.sleep(min(max(seconds, 0.0), LONGEST_WAIT_SECONDS))
