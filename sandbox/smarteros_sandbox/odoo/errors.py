"""Errors as Odoo 19's JSON-2 API writes them (``serialize_exception`` in ``odoo/http.py``).

Status: 401 wrong key, 404 unknown model, method or record, 403 private method or no access, 422 wrong
arguments and UserError, 500 everything Odoo did not expect, such as an unknown field in a domain.
"""

from __future__ import annotations

from typing import Any


class OdooError(Exception):
    """One answer of the server that is not a result."""

    def __init__(self, status: int, name: str, message: str, arguments: list[Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.name = name
        self.message = message
        self.arguments: list[Any] = [message] if arguments is None else arguments

    def body(self) -> dict[str, Any]:
        """The JSON body; ``debug`` carries a traceback, which a client must not log."""
        debug = (
            "Traceback (most recent call last):\n"
            '  File "/opt/odoo/odoo/http.py", line 2216, in _transactioning\n'
            "    return service_model.retrying(func, env=self.env)\n"
            f"{self.name}: {self.message}\n"
        )
        return {
            "name": self.name,
            "message": self.message,
            "arguments": self.arguments,
            "context": {},
            "debug": debug,
        }


def http_error(status: int, name: str, message: str) -> OdooError:
    """A werkzeug exception: its arguments are the message and the status."""
    return OdooError(status, f"werkzeug.exceptions.{name}", message, [message, status])


def unauthorized(message: str = "Invalid apikey") -> OdooError:
    """401."""
    return http_error(401, "Unauthorized", message)


def not_found(message: str) -> OdooError:
    """404."""
    return http_error(404, "NotFound", message)


def wrong_arguments(message: str) -> OdooError:
    """422 from the signature check."""
    return http_error(422, "UnprocessableEntity", message)


def bad_request(message: str) -> OdooError:
    """400: the body is not what JSON-2 expects."""
    return http_error(400, "BadRequest", message)


def user_error(message: str) -> OdooError:
    """422 from business code."""
    return OdooError(422, "odoo.exceptions.UserError", message)


def access_error(message: str) -> OdooError:
    """403."""
    return OdooError(403, "odoo.exceptions.AccessError", message)


def missing_record(model: str, record_id: int) -> OdooError:
    """404 for a record that is not there (or not visible)."""
    message = f"Record does not exist or has been deleted.\n(Record: {model}({record_id},), User: 2)"
    return OdooError(404, "odoo.exceptions.MissingError", message)


def value_error(message: str) -> OdooError:
    """500: Odoo does not catch ValueError."""
    return OdooError(500, "builtins.ValueError", message)


def access_denied() -> OdooError:
    """JSON-RPC's answer to a wrong password or key."""
    return OdooError(401, "odoo.exceptions.AccessDenied", "Access Denied")


def no_database(name: str) -> OdooError:
    """JSON-RPC's answer for a database that is not there."""
    message = f'connection to server failed: FATAL:  database "{name:.100}" does not exist\n'
    return OdooError(500, "psycopg2.OperationalError", message)


def server_error() -> OdooError:
    """500 of the fault ``http_500``."""
    return OdooError(500, "psycopg2.OperationalError", "server closed the connection unexpectedly")
