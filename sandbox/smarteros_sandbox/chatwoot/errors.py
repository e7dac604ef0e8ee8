"""Refusals, with the bodies Chatwoot's request_exception_handler.rb gives them."""

from __future__ import annotations

from smarteros_sandbox.chatwoot.records import JsonObject


class ApiError(Exception):
    """An answer other than success: status and JSON body."""

    def __init__(self, status: int, body: JsonObject) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


def not_found() -> ApiError:
    """No such row, or none in this account."""
    return ApiError(404, {"error": "Resource could not be found"})


def unauthorized(message: str) -> ApiError:
    """A wrong token, or one that may not do this."""
    return ApiError(401, {"error": message})


def refused(message: str) -> ApiError:
    """``render_could_not_create_error``."""
    return ApiError(422, {"error": message})


def invalid(message: str, *attributes: str) -> ApiError:
    """``render_record_invalid``: a validation failed."""
    return ApiError(422, {"message": message, "attributes": list(attributes)})
