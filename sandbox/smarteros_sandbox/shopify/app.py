"""The stand-in Shopify as an ASGI app.

Faults (service "shopify", scope = tenant id): ``slow`` (seconds before the answer), ``hang`` (seconds, then
504), ``http_500``, ``throttle`` (the bucket is empty), ``expired_token`` (401), ``revoked_token`` (401, and no other
token for the app's credentials: it was uninstalled), ``empty_mirror`` (searches find nothing, as while Shopify rebuilds
its index), ``wrong_currency`` (the shop sells in USD, or in ``value``), ``bulk_refused`` (another operation runs).
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from json import loads
from time import monotonic
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from smarteros_sandbox.faults import Faults
from smarteros_sandbox.shopify.context import RequestContext
from smarteros_sandbox.shopify.cost import SINGLE_QUERY_LIMIT
from smarteros_sandbox.shopify.execution import Prepared, RejectedQuery, prepare, run
from smarteros_sandbox.shopify.pages import page_routes
from smarteros_sandbox.shopify.schemas import API_VERSION, SCHEMAS, ApiName
from smarteros_sandbox.shopify.tenants import TOKEN_SECONDS, ShopifyTenant, ShopifyTenants, host_fits
from smarteros_sandbox.shopify.values import CURRENCY, SCOPES
from smarteros_sandbox.shops.models import DemoShop
from smarteros_sandbox.shops.untyped import as_object
from smarteros_sandbox.shops.wire import BodyError, WireJson, hang_as_told, read_body, read_json, wait_as_told

SERVICE = "shopify"
LARGEST_BODY = 1_000_000
VERSION = re.compile(r"20\d\d-(01|04|07|10)|unstable")
INVALID_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"  # noqa: S105
LIMITS_PAGE = "https://shopify.dev/api/usage/rate-limits"


def create_shopify_app(
    shops: Sequence[DemoShop], faults: Faults, *, bucket_clock: Callable[[], float] = monotonic
) -> Starlette:
    """The app for these shops; the schemas are built in the background once the server has started.

    ``bucket_clock`` (seconds) refills the rate limits; a test that notes waits down turns it on by them.
    """
    server = ShopifyServer(ShopifyTenants(shops, bucket_clock=bucket_clock), faults)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None, None]:
        SCHEMAS.warm_up()
        yield

    routes = [
        Route("/admin/api/{version}/graphql.json", server.admin, methods=["POST"]),
        Route("/api/{version}/graphql.json", server.storefront, methods=["POST"]),
        Route("/api/ucp/mcp", server.ucp, methods=["POST"]),
        Route("/admin/oauth/access_token", server.access_token, methods=["POST"]),
        Route("/bulk-operation-outputs/{token}", server.bulk_file, methods=["GET"]),
        *page_routes(server.tenants),
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={404: _not_found, 405: _not_found})


async def _not_found(_request: Request, _error: Exception) -> Response:
    return WireJson({"errors": "Not Found"}, 404)


class ShopifyServer:
    """The HTTP endpoints."""

    def __init__(self, tenants: ShopifyTenants, faults: Faults) -> None:
        self.tenants = tenants
        self._faults = faults

    async def admin(self, request: Request) -> Response:
        """Admin GraphQL."""
        tenant = self.tenants.by_admin_token(request.headers.get("x-shopify-access-token", ""))
        if tenant is None or self._refuses_token(tenant):
            return _with_headers(WireJson({"errors": INVALID_TOKEN}, 401))
        return await self._graphql(request, tenant, "admin")

    def _refuses_token(self, tenant: ShopifyTenant) -> bool:
        kinds = ("expired_token", "revoked_token")
        return any(self._faults.take(SERVICE, kind, tenant.tenant_id) is not None for kind in kinds)

    async def storefront(self, request: Request) -> Response:
        """Storefront GraphQL; without a token the host decides, as for Shopify's tokenless access."""
        token = request.headers.get("x-shopify-storefront-access-token")
        host = request.headers.get("host", "")
        tenant = self.tenants.by_host(host) if token is None else self.tenants.by_storefront_token(token)
        if tenant is None:
            unauthorized = {"errors": [{"message": "", "extensions": {"code": "UNAUTHORIZED"}}]}
            return _with_headers(WireJson(unauthorized, 401))
        return await self._graphql(request, tenant, "storefront")

    async def ucp(self, request: Request) -> Response:
        """The catalogue by UCP; the host decides which shop's. ``throttle`` is HTTP 429 here."""
        tenant = self.tenants.by_host(request.headers.get("host", ""))
        if tenant is None:
            return WireJson({"errors": "Not Found"}, 404)
        if (failure := await self._failure(tenant)) is not None:
            return failure
        if self._faults.take(SERVICE, "throttle", tenant.tenant_id):
            return WireJson({"errors": "Too Many Requests"}, 429, headers={"Retry-After": "5"})
        try:
            asked = await read_json(request, LARGEST_BODY)
        except BodyError:
            asked = None
        other = self._faults.take(SERVICE, "wrong_currency", tenant.tenant_id)
        currency = str(other.value or "USD") if other else CURRENCY
        empty = self._faults.take(SERVICE, "empty_mirror", tenant.tenant_id) is not None
        return WireJson(tenant.ucp.answer(asked, currency=currency, empty=empty))

    async def access_token(self, request: Request) -> Response:
        """Client-credentials grant, by JSON or form; the token lives 24 hours."""
        form = await _form(request)
        if form.get("grant_type") != "client_credentials":
            return WireJson({"error": "unsupported_grant_type"}, 400)
        client = (form.get("client_id", ""), form.get("client_secret", ""))
        tenant = self.tenants.by_client(*client)
        token = self.tenants.issue_token(*client)
        if token is None or tenant is None or self._faults.take(SERVICE, "revoked_token", tenant.tenant_id):
            description = "The client_id or client_secret is wrong"
            return WireJson({"error": "invalid_client", "error_description": description}, 400)
        return WireJson({"access_token": token, "scope": SCOPES, "expires_in": TOKEN_SECONDS})

    async def bulk_file(self, request: Request) -> Response:
        """The file of a finished bulk operation; its address is its only key, as in Shopify's storage."""
        for tenant in self.tenants.all:
            file = tenant.admin.bulk.file(request.path_params["token"])
            if file is not None:
                return Response(file, media_type="application/jsonl")
        return WireJson({"errors": "Not Found"}, 404)

    async def _graphql(self, request: Request, tenant: ShopifyTenant, api: ApiName) -> Response:
        if not host_fits(request.headers.get("host", ""), tenant):
            return _with_headers(WireJson({"errors": "Not Found"}, 404))
        if not VERSION.fullmatch(request.path_params["version"]):
            return _with_headers(WireJson({"errors": "Not Found"}, 404))
        failure = await self._failure(tenant)
        if failure is not None:
            return _with_headers(failure)
        body = await _graphql_body(request)
        if body is None:
            refused = {"errors": {"query": "Required parameter missing or invalid"}}
            return _with_headers(WireJson(refused, 400))
        # A query costs milliseconds of CPU, the first one waits for the schema: not on the event loop.
        answer = await asyncio.to_thread(self._answer, tenant, api, body, own_url(request))
        return _with_headers(WireJson(answer))

    async def _failure(self, tenant: ShopifyTenant) -> Response | None:
        await wait_as_told(self._faults, SERVICE, tenant.tenant_id)
        if await hang_as_told(self._faults, SERVICE, tenant.tenant_id):
            return WireJson({"errors": "Gateway Timeout"}, 504)
        if self._faults.take(SERVICE, "http_500", tenant.tenant_id):
            return WireJson({"errors": "Internal Server Error"}, 500)
        return None

    def _answer(self, tenant: ShopifyTenant, api: ApiName, body: dict[str, Any], url: str) -> dict[str, Any]:
        try:
            prepared = prepare(SCHEMAS.get(api), body)
        except RejectedQuery as rejected:
            return {"errors": rejected.errors}
        empty = self._faults.take(SERVICE, "empty_mirror", tenant.tenant_id) is not None
        other = self._faults.take(SERVICE, "wrong_currency", tenant.tenant_id)
        context = RequestContext(
            empty_mirror=empty,
            own_url=url,
            refuses_bulk=self._faults.take(SERVICE, "bulk_refused", tenant.tenant_id) is not None,
            currency=str(other.value or "USD") if other else CURRENCY,
        )
        if api == "storefront":  # Shopify limits the Storefront API by buyer, not by cost
            return run(prepared, tenant.storefront.root, context)
        return self._metered(tenant, prepared, context)

    def _metered(self, tenant: ShopifyTenant, prepared: Prepared, context: RequestContext) -> dict[str, Any]:
        requested = prepared.requested_cost
        if requested > SINGLE_QUERY_LIMIT:
            return {"errors": [_too_costly(requested)]}
        if self._faults.take(SERVICE, "throttle", tenant.tenant_id):
            tenant.bucket.drain()
            taken = False
        else:
            taken = tenant.bucket.take(requested)
        if not taken:
            extensions = {"code": "THROTTLED", "documentation": LIMITS_PAGE}
            errors = [{"message": "Throttled", "extensions": extensions}]
            return {"errors": errors, "extensions": {"cost": _cost(requested, None, tenant)}}
        answer = run(prepared, tenant.admin.root, context)
        tenant.bucket.give_back(requested - context.spent)
        extensions = {"cost": _cost(requested, context.spent, tenant)}
        if context.warnings:
            extensions["search"] = context.warnings
        return {**answer, "extensions": extensions}


def _cost(requested: int, actual: int | None, tenant: ShopifyTenant) -> Any:
    return {
        "requestedQueryCost": requested,
        "actualQueryCost": actual,
        "throttleStatus": tenant.bucket.status(),
    }


def _too_costly(cost: int) -> dict[str, Any]:
    return {
        "message": f"Query cost is {cost}, which exceeds the single query max cost limit ({SINGLE_QUERY_LIMIT}).",
        "extensions": {
            "code": "MAX_COST_EXCEEDED",
            "cost": cost,
            "maxCost": SINGLE_QUERY_LIMIT,
            "documentation": LIMITS_PAGE,
        },
    }


def _with_headers(response: Response) -> Response:
    """What a client may log: the version that answered, and a request id."""
    response.headers["X-Shopify-API-Version"] = API_VERSION
    response.headers["X-Request-Id"] = secrets.token_hex(16)
    return response


def own_url(request: Request) -> str:
    """Where this server listens; the Host header names the shop instead."""
    host, port = request.scope.get("server") or ("127.0.0.1", None)
    return f"{request.url.scheme}://{host}" + (f":{port}" if port else "")


async def _graphql_body(request: Request) -> dict[str, Any] | None:
    try:
        body = as_object(await read_json(request, LARGEST_BODY))
    except BodyError:
        return None
    if body is None or not isinstance(body.get("query"), str):
        return None
    if as_object(body.get("variables") or {}) is None:
        return None
    return body if isinstance(body.get("operationName") or "", str) else None


async def _form(request: Request) -> dict[str, str]:
    """The body's text fields, whether it is JSON or a form."""
    text = (await read_body(request, LARGEST_BODY)).decode("utf-8", "replace")
    try:
        fields: Any = loads(text) if text.lstrip().startswith("{") else dict(parse_qsl(text))
    except (ValueError, RecursionError):
        return {}
    return {str(key): value for key, value in fields.items() if isinstance(value, str)}
