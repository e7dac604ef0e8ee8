"""Every failure as JSON, with the status Rails would give it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from smarteros_sandbox.chatwoot.errors import ApiError
from smarteros_sandbox.chatwoot.http.answers import answer_json

LOGGER = logging.getLogger(__name__)


async def _on_api_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, ApiError):
        return answer_json({"error": "Internal Server Error"}, 500)
    return answer_json(error.body, error.status)


async def _on_http_exception(_request: Request, error: Exception) -> Response:
    """Rails knows no 405: a wrong method is a route that does not exist."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    status = 404 if status == 405 else status
    reasons = {400: "Bad Request", 404: "Not Found", 413: "Payload Too Large"}
    return answer_json({"status": status, "error": reasons.get(status, "Error")}, status)


async def _on_disconnect(_request: Request, _error: Exception) -> Response:
    """The client hung up in the middle of its body; nobody reads this answer."""
    return answer_json({"status": 400, "error": "Bad Request"}, 400)


async def _on_bug(request: Request, error: Exception) -> Response:
    LOGGER.error("unexpected error at %s %s", request.method, request.url.path, exc_info=error)
    return answer_json({"status": 500, "error": "Internal Server Error"}, 500)


EXCEPTION_HANDLERS: Mapping[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
    ApiError: _on_api_error,
    HTTPException: _on_http_exception,
    ClientDisconnect: _on_disconnect,
    Exception: _on_bug,
}
"""For Starlette's ``exception_handlers``."""
