"""Every error leaves as JSON ``{"error": sentence, "code": word}``; an unforeseen one as 500 without details."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from smarteros.domain.errors import RejectedInputError, SmosError

_log = structlog.get_logger()


class RefusedRequestError(RejectedInputError):
    """A refusal of a request whose answer says more in its headers: what to bring, or when to come again."""

    def __init__(self, code: str, operator_message: str, *, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(code, operator_message, status=status)
        self.headers = dict(headers)


def install_error_handlers(app: FastAPI) -> None:
    """Register the handlers."""
    app.add_exception_handler(SmosError, _smos_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(SQLAlchemyError, _store_error)
    app.add_exception_handler(Exception, _unforeseen)


async def response_to(error: Exception) -> Response:
    """Answer an error as the registered handlers do, for what is served before them."""
    request = Request({"type": "http"})
    if isinstance(error, SmosError):
        return await _smos_error(request, error)
    if isinstance(error, SQLAlchemyError):
        return await _store_error(request, error)
    return await _unforeseen(request, error)


def error_response(status: int, code: str, message: str) -> JSONResponse:
    """Build the one shape of an error."""
    return JSONResponse({"error": message, "code": code}, status_code=status)


async def _smos_error(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, SmosError):
        raise error
    status = error.status if isinstance(error, RejectedInputError) else error.http_status
    if status >= 500:
        _log.error("request_failed", code=error.code, detail=error.operator_message)
    response = error_response(status, error.code, error.public_message)
    if isinstance(error, RefusedRequestError):
        response.headers.update(error.headers)
    return response


async def _invalid_request(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return error_response(422, "invalid_request", f"{where}: {first['msg']}")


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    response = error_response(error.status_code, f"http_{error.status_code}", str(error.detail))
    response.headers.update(error.headers or {})
    return response


async def _store_error(_: Request, error: Exception) -> JSONResponse:
    # 500 and never 502/503: it is the only status on which Chatwoot's bot webhook tries again.
    _log.error("store_unavailable", detail=type(error).__name__)
    return error_response(500, "store_unavailable", "The store cannot be reached; try again.")


async def _unforeseen(_: Request, error: Exception) -> JSONResponse:
    _log.error("unforeseen_error", exc_info=error)
    return error_response(500, "internal_error", "Something went wrong on our side.")
