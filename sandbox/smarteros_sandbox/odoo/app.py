"""The stand-in Odoo as an ASGI app: JSON-2 of Odoo 19, and the JSON-RPC of 14 to 19.

Faults (service "odoo", scope = tenant id): ``slow`` (seconds before the answer), ``hang`` (seconds, then 504
from the proxy in front), ``http_500``, ``invalid_key`` (401, as when an API key has expired), ``access_error`` (403),
``lost_answer`` (what was asked is done, and the proxy answers 504 all the same) and
``key_expires`` (days until the key expires).
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from smarteros_sandbox.faults import Faults
from smarteros_sandbox.odoo.errors import (
    OdooError,
    access_denied,
    access_error,
    bad_request,
    no_database,
    not_found,
    server_error,
    unauthorized,
    wrong_arguments,
)
from smarteros_sandbox.odoo.jsonrpc import called, failure, success, unknown_model, version_answer
from smarteros_sandbox.odoo.methods import Call, OdooDatabase
from smarteros_sandbox.odoo.records import BOT_ID, STAMP
from smarteros_sandbox.shops.models import DemoShop
from smarteros_sandbox.shops.untyped import as_list, as_object
from smarteros_sandbox.shops.wire import BodyError, WireJson, hang_as_told, read_json, wait_as_told

SERVICE = "odoo"
LARGEST_BODY = 1_000_000
MOST_IDS = 10_000
NEWEST = "19.0"
FIRST_WITH_JSON2 = 19
RESERVED_KEYS = ("ids", "context")
API_KEYS = "res.users.apikeys"
_LOST = object()
_GATEWAY_TIMEOUT = PlainTextResponse("504 Gateway Time-out", 504)


def create_odoo_app(shops: Sequence[DemoShop], faults: Faults, version: str = NEWEST) -> Starlette:
    """The app for these shops; the API key decides which one answers. Before 19 there is no JSON-2."""
    server = OdooServer(shops, faults, version)
    routes = [Route("/jsonrpc", server.jsonrpc, methods=["POST"]), Route("/web/health", _health)]
    if int(version.partition(".")[0]) >= FIRST_WITH_JSON2:
        routes += [
            Route("/json/2/{model}/{method}", server.json2, methods=["POST"]),
            Route("/json/version", server.version),
            Route("/web/version", server.version),
        ]
        handlers: dict[Any, Any] = {404: _unknown_path, 405: _unknown_path}
    else:
        handlers = {404: _page_not_found, 405: _page_not_found}
    return Starlette(routes=routes, exception_handlers=handlers)


async def _health(_request: Request) -> Response:
    return WireJson({"status": "pass"})


async def _unknown_path(_request: Request, _error: Exception) -> Response:
    return _failure(not_found("Did you mean POST /json/2/<model>/<method>?"))


async def _page_not_found(_request: Request, _error: Exception) -> Response:
    return HTMLResponse("<!doctype html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n", 404)


def _failure(error: OdooError) -> Response:
    headers = {"WWW-Authenticate": "bearer"} if error.status == 401 else None
    return WireJson(error.body(), error.status, headers)


class OdooServer:
    """The endpoints of one version."""

    def __init__(self, shops: Sequence[DemoShop], faults: Faults, version: str) -> None:
        self._faults = faults
        self._version = version
        self._databases = [OdooDatabase(shop) for shop in shops]

    async def version(self, _request: Request) -> Response:
        """``GET /web/version``: nobody has to log in."""
        info = version_answer(self._version)
        return WireJson({"version_info": info["server_version_info"], "version": info["server_version"]})

    async def json2(self, request: Request) -> Response:
        """``POST /json/2/<model>/<method>``: the bare result, or an error body."""
        try:
            database = self._authenticate(request)
            if not await self._reached(database):
                return _GATEWAY_TIMEOUT
            call = await _read_call(request)
            self._may_read(database, call)
            result = self._result(database, call)
        except OdooError as error:
            return _failure(error)
        return _GATEWAY_TIMEOUT if result is _LOST else WireJson(result)

    async def jsonrpc(self, request: Request) -> Response:
        """``POST /jsonrpc``: services ``common`` and ``object``."""
        number: Any = None
        try:
            body = as_object(await _read_body(request)) or {}
            number = body.get("id")
            params = as_object(body.get("params")) or {}
            args = as_list(params.get("args"))
            result = await self._rpc(params.get("service"), params.get("method"), args or [])
        except OdooError as error:
            return WireJson(failure(number, error))
        return _GATEWAY_TIMEOUT if result is _LOST else WireJson(success(number, result))

    async def _rpc(self, service: Any, method: Any, args: list[Any]) -> Any:
        if (service, method) == ("common", "version"):
            return version_answer(self._version)
        if (service, method) in (("common", "authenticate"), ("common", "login")) and len(args) >= 3:
            database = self._named(args[0])
            spec = database.shop.spec
            known = args[1] == spec.odoo_login and _is_key(spec.odoo_api_key, args[2])
            return BOT_ID if known and not self._key_refused(database) else False
        if (service, method) == ("object", "execute_kw") and 5 <= len(args) <= 7:
            database = self._named(args[0])
            if args[1] != BOT_ID or not _is_key(database.shop.spec.odoo_api_key, args[2]):
                raise access_denied()
            if self._key_refused(database):
                raise access_denied()
            call = called(args[3], args[4], *[*args[5:], None, None][:2])
            if not database.has(call.model):
                raise unknown_model(call.model)
            if not await self._reached(database):
                return _LOST
            self._may_read(database, call)
            return self._result(database, call)
        raise OdooError(500, "builtins.KeyError", f"{service!r:.50} {method!r:.50}")

    async def _reached(self, database: OdooDatabase) -> bool:
        """Whether the call gets through; False is a gateway's time-out."""
        tenant_id = database.shop.spec.tenant_id
        await wait_as_told(self._faults, SERVICE, tenant_id)
        if await hang_as_told(self._faults, SERVICE, tenant_id):
            return False
        if self._faults.take(SERVICE, "http_500", tenant_id):
            raise server_error()
        return True

    def _may_read(self, database: OdooDatabase, call: Call) -> None:
        if self._faults.take(SERVICE, "access_error", database.shop.spec.tenant_id):
            raise access_error(f"You are not allowed to access '{call.model}' records.\n\nContact your administrator.")

    def _result(self, database: OdooDatabase, call: Call) -> Any:
        result = database.call(call)
        tenant_id = database.shop.spec.tenant_id
        if call.method == "create" and self._faults.take(SERVICE, "lost_answer", tenant_id):
            return _LOST
        expiring = self._faults.take(SERVICE, "key_expires", tenant_id) if call.model == API_KEYS else None
        if expiring is not None and call.method in ("read", "search_read"):
            at = datetime.now(UTC) + timedelta(days=expiring.number(0.0))
            return [{**row, "expiration_date": at.strftime(STAMP)} for row in result]
        return result

    def _named(self, name: Any) -> OdooDatabase:
        for database in self._databases:
            if database.shop.spec.odoo_database == name:
                return database
        raise no_database(str(name))

    def _key_refused(self, database: OdooDatabase) -> bool:
        return self._faults.take(SERVICE, "invalid_key", database.shop.spec.tenant_id) is not None

    def _authenticate(self, request: Request) -> OdooDatabase:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise unauthorized('User not authenticated, use the "Authorization" header')
        for database in self._databases:
            spec = database.shop.spec
            if _is_key(spec.odoo_api_key, key.strip()):
                break
        else:
            raise unauthorized()
        wanted = request.headers.get("x-odoo-database")
        if wanted is not None and wanted != spec.odoo_database:
            raise not_found(
                "No database is selected and the requested URL was not found in the server-wide controllers."
            )
        if self._key_refused(database):
            raise unauthorized()
        return database


def _is_key(key: str, given: Any) -> bool:
    return isinstance(given, str) and hmac.compare_digest(key.encode(), given.encode("utf-8", "replace"))


async def _read_body(request: Request) -> Any:
    try:
        return await read_json(request, LARGEST_BODY)
    except BodyError as error:
        raise bad_request(f"could not parse the body as json: {error!s:.200}") from error


async def _read_call(request: Request) -> Call:
    fields = as_object(await _read_body(request))
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
