"""The stand-in Odoo as an ASGI app: JSON-2 of Odoo 19.

Faults (service "odoo", scope = tenant id): ``slow`` (seconds before the answer), ``hang`` (seconds, then 504
from the proxy in front), ``http_500`` and ``invalid_key`` (401, as when an API key has expired).
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from smarteros_sandbox.faults import Faults
from smarteros_sandbox.odoo.errors import (
    OdooError,
    bad_request,
    not_found,
    server_error,
    unauthorized,
    wrong_arguments,
)
from smarteros_sandbox.odoo.methods import Call, OdooDatabase
from smarteros_sandbox.shops.models import DemoShop
from smarteros_sandbox.shops.untyped import as_list, as_object
from smarteros_sandbox.shops.wire import BodyError, WireJson, hang_as_told, read_json, wait_as_told

SERVICE = "odoo"
LARGEST_BODY = 1_000_000
MOST_IDS = 10_000
VERSION = {"version_info": [19, 0, 0, "final", 0, ""], "version": "19.0"}
RESERVED_KEYS = ("ids", "context")


def create_odoo_app(shops: Sequence[DemoShop], faults: Faults) -> Starlette:
    """The app for these shops; the API key decides which one answers."""
    server = OdooServer(shops, faults)
    routes = [
        Route("/json/2/{model}/{method}", server.json2, methods=["POST"]),
        Route("/json/version", _version),
        Route("/web/version", _version),
        Route("/web/health", _health),
    ]
    handlers: dict[Any, Any] = {404: _unknown_path, 405: _unknown_path}
    return Starlette(routes=routes, exception_handlers=handlers)


async def _version(_request: Request) -> Response:
    return WireJson(VERSION)


async def _health(_request: Request) -> Response:
    return WireJson({"status": "pass"})


async def _unknown_path(_request: Request, _error: Exception) -> Response:
    return _failure(not_found("Did you mean POST /json/2/<model>/<method>?"))


def _failure(error: OdooError) -> Response:
    headers = {"WWW-Authenticate": "bearer"} if error.status == 401 else None
    return WireJson(error.body(), error.status, headers)


class OdooServer:
    """The JSON-2 endpoint."""

    def __init__(self, shops: Sequence[DemoShop], faults: Faults) -> None:
        self._faults = faults
        self._databases = [OdooDatabase(shop) for shop in shops]

    async def json2(self, request: Request) -> Response:
        """``POST /json/2/<model>/<method>``: the bare result, or an error body."""
        try:
            database = self._authenticate(request)
            tenant_id = database.shop.spec.tenant_id
            await wait_as_told(self._faults, SERVICE, tenant_id)
            if await hang_as_told(self._faults, SERVICE, tenant_id):
                return PlainTextResponse("504 Gateway Time-out", 504)
            if self._faults.take(SERVICE, "http_500", tenant_id):
                raise server_error()
            call = await _read_call(request)
            return WireJson(database.call(call))
        except OdooError as error:
            return _failure(error)

    def _authenticate(self, request: Request) -> OdooDatabase:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise unauthorized('User not authenticated, use the "Authorization" header')
        for database in self._databases:
            spec = database.shop.spec
            if hmac.compare_digest(spec.odoo_api_key.encode(), key.strip().encode("utf-8", "replace")):
                break
        else:
            raise unauthorized()
        wanted = request.headers.get("x-odoo-database")
        if wanted is not None and wanted != spec.odoo_database:
            raise not_found(
                "No database is selected and the requested URL was not found in the server-wide controllers."
            )
        if self._faults.take(SERVICE, "invalid_key", spec.tenant_id):
            raise unauthorized()
        return database


async def _read_call(request: Request) -> Call:
    try:
        body: Any = await read_json(request, LARGEST_BODY)
    except BodyError as error:
        raise bad_request(f"could not parse the body as json: {error!s:.200}") from error
    fields = as_object(body)
    if fields is None:
        raise bad_request("could not parse the body, expecting a json object")
    given: Any = fields.get("ids") or []
    ids = [given] if isinstance(given, int) else as_list(given)
    if ids is None or not all(type(one) is int for one in ids):
        raise wrong_arguments("ids must be a list of integers")
    context = as_object(fields.get("context") or {})
    if context is None:
        raise wrong_arguments("context must be an object")
    return Call(
        model=request.path_params["model"],
        method=request.path_params["method"],
        ids=ids[:MOST_IDS],
        arguments={key: value for key, value in fields.items() if key not in RESERVED_KEYS},
        context=context,
    )
